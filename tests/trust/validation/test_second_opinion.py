"""libxmlsec accepts every vector that we accept; for the others, the difference has a
known cause.
"""

from collections import Counter

import pytest

from makul.domain.reasons import Code
from makul_testing.xmlsec_oracle import carried_certificate, xmlsec_accepts
from vectors.attacks import ACCEPTED, REFUSED
from vectors.attacks.cast import Cast
from vectors.attacks.vector import Vector

WHY = {
    Code.SIG_02: "markup, encodings, sizes and properties that no document of ours has",
    Code.SIG_03: "what is signed is not what would be read, or not at its one place",
    Code.SIG_04: "transforms, digests, methods and keys beyond our list",
    Code.SIG_05: "it judges no term",
    Code.SIG_06: "it judges no revocation",
    Code.SIG_07: "it judges no revocation",
    Code.SIG_09: "it builds no path here",
    Code.SIG_10: "it judges no use",
}
"""The reasons for which libxmlsec, without a profile and a path, may accept what we refuse."""

LAX = {"values/ecdsa-padded-halves", "values/signaturevalue-in-a-child"}
"""Forms of a good value that libxmlsec reads and we refuse.

Where the certificate is spoilt, libxmlsec gets the good one, so those vectors show nothing here.
"""


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def accepts(cast: Cast, vector: Vector) -> bool:
    """Return whether libxmlsec accepts by the key of the first certificate, like a lax verifier."""
    document = vector.build(cast)
    certificate = carried_certificate(document) or cast.citizen.der
    return xmlsec_accepts(document, certificate)


@pytest.mark.parametrize(
    "vector",
    [each for each in ACCEPTED if not each.name.endswith("chain-backwards")],
    ids=lambda vector: vector.name,
)
def test_libxmlsec_accepts_what_we_accept(cast: Cast, vector: Vector) -> None:
    """Two implementations agree on every good vector."""
    assert accepts(cast, vector)


def test_what_libxmlsec_accepts_beyond_us_breaks_our_policy(cast: Cast) -> None:
    """The test prints how many refused vectors verify in libxmlsec, by our reason.

    libxmlsec would read the files that URIs and stylesheets name, so it gets none of those vectors.
    Tampered vectors must fail there too.
    """
    harmless = [each for each in REFUSED if each.family != "uris" and "xslt" not in each.name]
    verifying = [vector for vector in harmless if accepts(cast, vector)]

    count = Counter(vector.code for vector in verifying)
    print(f"\nxmlsec accepts {len(verifying)} of {len(harmless)} that are refused here:")
    for code, number in sorted(count.items(), key=str):
        print(f"  {number:4}  {code}  {WHY[Code(str(code))]}")
    assert set(count) <= set(WHY)
    broken = [each.name for each in verifying if each.family in {"tampering", "values"}]
    assert {name for name in broken if "x509certificate" not in name} <= LAX

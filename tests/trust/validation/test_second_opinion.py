"""The corpus in libxmlsec's eyes: it accepts all that we accept; of the rest we know why not."""

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
"""By our reason: why libxmlsec, which knows no profile and no path, may accept what we refuse."""

LAX = {"values/ecdsa-padded-halves", "values/signaturevalue-in-a-child"}
"""Forms of a good value that it reads and we do not. (Where the certificate is spoilt it is given
the good one, so those vectors say nothing here.)"""


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def accepts(cast: Cast, vector: Vector) -> bool:
    """By the key of whoever carried the first certificate, as a lax verifier would take it."""
    document = vector.build(cast)
    certificate = carried_certificate(document) or cast.citizen.der
    return xmlsec_accepts(document, certificate)


@pytest.mark.parametrize(
    "vector",
    [each for each in ACCEPTED if not each.name.endswith("chain-backwards")],
    ids=lambda vector: vector.name,
)
def test_what_we_accept_it_accepts(cast: Cast, vector: Vector) -> None:
    """Two implementations, one answer."""
    assert accepts(cast, vector)


def test_what_it_accepts_besides_we_refuse_by_policy(cast: Cast) -> None:
    """Prints how many of the refused verify there, by our reason.

    It would read the files that URIs and stylesheets name, so it is shown none of those.

    What was tampered with must break there too.
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

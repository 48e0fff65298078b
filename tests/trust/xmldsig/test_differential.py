"""libxmlsec and we give the same verdict on random documents and messages that libxmlsec signed.

`DIFFERENTIAL_DOCUMENTS` sets their number (200 by default), `DIFFERENTIAL_SEED` the first seed.
"""

import os
from collections import Counter

import pytest
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.validation.documents import XadesVerifier
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders import generated_documents as generated
from makul_testing.pki.authorities import NOW

COUNT = int(os.environ.get("DIFFERENTIAL_DOCUMENTS", "200"))
FIRST = int(os.environ.get("DIFFERENTIAL_SEED", "0"))
CHANGES = 4
"""The number of tampered variants of each."""


def document_reason(documents: XadesVerifier, octets: bytes) -> Code | None:
    proof = documents.verify(octets, at=NOW).proof
    assert (proof.status is ProofStatus.PASSED) is (not proof.reasons)
    return proof.reasons[0] if proof.reasons else None


def message_reason(messages: WsseVerifier, octets: bytes) -> Code | None:
    try:
        messages.verify(etree.fromstring(octets), at=NOW)
    except RejectedError as error:
        return error.reasons[0].code
    return None


def test_verdicts_on_documents_agree(documents: XadesVerifier, world) -> None:
    """XML Signature 1.1, 3.2: we accept documents of libxmlsec, and refuse what it refuses."""
    count: Counter[bool] = Counter()
    for seed in range(FIRST, FIRST + COUNT):
        good = generated.document(seed, world.citizen)
        assert generated.verifies(good, world.citizen), seed
        verified = documents.verify(good, at=NOW)
        assert verified.proof.reasons == (), (seed, verified.report)
        for change in range(CHANGES):
            octets = generated.tampered(seed * CHANGES + change, good)
            holds = generated.verifies(octets, world.citizen)
            found = document_reason(documents, octets)
            assert (found is None) is holds, (seed, change, found)
            assert found in {None, Code.SIG_02, Code.SIG_03, Code.SIG_04}
            count[holds] += 1
    print(f"\n{COUNT} documents; of {count.total()} changed, {count[True]} still hold")
    assert COUNT < 100 or count[True] * 10 > COUNT
    assert count[False] > count[True]


def test_verdicts_on_messages_agree(messages: WsseVerifier, world) -> None:
    """WSS 1.1, 8: exclusive canonicalisation, with a PrefixList in every permitted position."""
    count: Counter[bool] = Counter()
    for seed in range(FIRST, FIRST + COUNT):
        good = generated.message(seed, world.bank)
        assert generated.verifies(good, world.bank), seed
        assert message_reason(messages, good) is None, seed
        for change in range(CHANGES):
            octets = generated.tampered(seed * CHANGES + change, good)
            holds = generated.verifies(octets, world.bank)
            found = message_reason(messages, octets)
            assert (found is None) is holds or found in MISPLACED, (seed, change, found)
            count[holds] += 1
    print(f"\n{COUNT} messages; of {count.total()} changed, {count[True]} still hold")


MISPLACED = frozenset({Code.SIG_01, Code.SIG_03})
"""Exchange Header and Body: libxmlsec looks only for identifiers."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_draws_the_same_cases(world, seed: int) -> None:
    """A failed case can be drawn again."""

    def unsigned(octets: bytes) -> list[str | None]:
        root = etree.fromstring(octets)
        return [each.text for each in root.iter("*") if not each.tag.endswith("SignatureValue")]

    first, second = (unsigned(generated.document(seed, world.citizen)) for _ in range(2))
    assert first == second

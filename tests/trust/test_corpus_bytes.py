"""Every change of one byte in the signed part of a good consent is refused.

One position in seven, with a seventh of another offset for each kind of change; all of them with
`make test-exhaustive`.
"""

from collections.abc import Callable, Iterator

import pytest

from makul.domain.disclosures import ProofStatus
from makul.trust.validation.documents import XadesVerifier
from makul_testing.exhaustive import rounds
from makul_testing.pki.authorities import NOW
from vectors.attacks.cast import Cast
from vectors.attacks.drafts import signed

STEP = rounds(7, exhaustive=1)
CHANGES: dict[str, Callable[[int], int | None]] = {
    "lowest-bit": lambda byte: byte ^ 0x01,
    "case-bit": lambda byte: byte ^ 0x20,
    "highest-bit": lambda byte: byte ^ 0x80,
    "next": lambda byte: (byte + 1) % 256,
    "space": lambda byte: 0x20 if byte not in b" \t\r\n" else None,
    "digit": lambda byte: 0x30 if byte != 0x30 else 0x31,
    "deleted": lambda byte: None,
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[XadesVerifier, bytes]:
    cast = Cast()
    return cast.verifier(tmp_path_factory.mktemp("bytes")), signed(cast)


def signed_positions(document: bytes) -> Iterator[int]:
    """Return the positions of the document's own content, SignedInfo and the signed properties."""
    content = range(document.index(b"<Consent"), document.index(b"<ds:Signature "))
    for start, end in (
        (b"<ds:SignedInfo>", b"</ds:SignedInfo>"),
        (b"<x:SignedProperties", b"</x:SignedProperties>"),
    ):
        yield from range(document.index(start), document.index(end) + len(end))
    yield from content


@pytest.mark.parametrize("kind", CHANGES)
def test_every_byte_counts(
    good: tuple[XadesVerifier, bytes], kind: str, record_property: Callable[[str, object], None]
) -> None:
    """XML Signature 1.1, 3.2: the digested bytes are compared, to the byte."""
    verifier, document = good
    offset = list(CHANGES).index(kind) % STEP
    accepted = []
    tried = 0
    for position in list(signed_positions(document))[offset::STEP]:
        changed = CHANGES[kind](document[position])
        new = b"" if changed is None else bytes([changed])
        mutated = document[:position] + new + document[position + 1 :]
        tried += 1
        if verifier.verify(mutated, at=NOW).proof.status is ProofStatus.PASSED:
            accepted.append((position, document[position - 20 : position + 20]))

    record_property("corpus-bytes", tried)
    assert accepted == []

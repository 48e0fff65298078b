"""The client's reader of checkpoints agrees with published vectors and with the service."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.signed_note import COSIGNATURE_V1
from makul.trust.tlog.note_keys import Cosigner, new_key_file
from makul_client.transparency.signed_note import (
    LOG,
    MAX_NOTE,
    WITNESS,
    BadNoteError,
    Note,
    VerifierKey,
    cosigners,
    parse_checkpoint_unsafe,
    parse_note,
)
from makul_testing.tlog.published import PublishedLog, leaves

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)

# The example in the package documentation of golang.org/x/mod/sumdb/note.
PUBLISHED_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()


def test_only_an_unchanged_published_note_verifies() -> None:
    """A change of any bit, an omission or an addition is refused."""
    key = VerifierKey.parse(PUBLISHED_VKEY, LOG)
    key.signed(parse_note(PUBLISHED_NOTE))

    for place in range(len(PUBLISHED_NOTE)):
        changes = [bytearray(PUBLISHED_NOTE) for _ in range(8)]
        for bit, changed in enumerate(changes):
            changed[place] ^= 1 << bit
        shorter = PUBLISHED_NOTE[:place] + PUBLISHED_NOTE[place + 1 :]
        for octets in (*map(bytes, changes), shorter, PUBLISHED_NOTE[:place]):
            with pytest.raises(BadNoteError):
                key.signed(parse_note(octets))


def test_client_reads_notes_of_the_service(tmp_path: Path) -> None:
    """Two implementations read one form: the ledger's signature, and a witness's time."""
    log = PublishedLog(tmp_path / "log", tmp_path / "log.key")
    new_key_file(tmp_path / "w.key", "witness.example/w1", COSIGNATURE_V1)
    witness = Cosigner.load(tmp_path / "w.key")
    document = witness.cosign(log.note(leaves(5)), at=AT)

    note = parse_note(document)

    VerifierKey.parse(log.signer.vkey, LOG).signed(note)
    checkpoint = parse_checkpoint_unsafe(note)
    assert (checkpoint.origin, checkpoint.size) == (log.signer.name, 5)
    key = VerifierKey.parse(witness.vkey, WITNESS)
    assert cosigners(note, [key]) == {f"{key.name}+{key.key_id.hex()}": AT}
    assert cosigners(Note(note.text + b"\n", note.lines), [key]) == {}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_are_refused(document: bytes) -> None:
    """No other error is raised."""
    try:
        parse_checkpoint_unsafe(parse_note(document))
    except BadNoteError:
        return


@pytest.mark.parametrize(
    "body",
    [
        "log.example\n5\nAAAA\n",
        "log.example\n05\n" + "A" * 43 + "=\n",
        "log.example\n-5\n" + "A" * 43 + "=\n",
        "log.example\n5\n" + "A" * 42 + "B=\n",
        "log example\n5\n" + "A" * 43 + "=\n",
        "log.example\n5\n" + "A" * 43 + "=\nmore\n",
        "\n5\n" + "A" * 43 + "=\n",
    ],
)
def test_malformed_checkpoints_are_refused(body: str) -> None:
    """Each tree has one spelling; otherwise signatures over two could not be distinguished."""
    with pytest.raises(BadNoteError):
        parse_checkpoint_unsafe(Note(body.encode(), ()))


def test_size_of_a_note_is_limited() -> None:
    """The size of a note is checked before any computation."""
    with pytest.raises(BadNoteError):
        parse_note(b"a" * MAX_NOTE + PUBLISHED_NOTE)


@pytest.mark.parametrize(
    ("vkey", "kind"),
    [
        (PUBLISHED_VKEY, WITNESS),
        (PUBLISHED_VKEY.replace("c74f20a3", "c74f20a4"), LOG),
        (PUBLISHED_VKEY.replace("Peter", "peter"), LOG),
        (PUBLISHED_VKEY[:-4], LOG),
        ("", LOG),
        ("a+00000000+", LOG),
    ],
)
def test_malformed_keys_are_refused(vkey: str, kind: int) -> None:
    """The key is of another kind, or its id is another's."""
    with pytest.raises(BadNoteError):
        VerifierKey.parse(vkey, kind)

"""Keys and signatures of notes, for the ledger and its witnesses."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from makul.ledger.signed_note import (
    COSIGNATURE_V1,
    ED25519,
    NoteError,
    SignatureLine,
    VerifierKey,
    format_note,
    parse_note,
    with_line,
)
from makul.trust.keys.files import KeyFileError
from makul.trust.tlog.note_keys import (
    CosignatureVerifier,
    Cosigner,
    NoteSigner,
    NoteVerifier,
    UnverifiedNoteError,
    new_key_file,
    public_part,
)

AT = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
BODY = b"log.example/makul\n2\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

# The example in the package documentation of golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLISHED_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = (
    b"If you think cryptography is the answer to your problem,\n"
    b"then you don't know what your problem is.\n"
)
PUBLISHED_NOTE = (
    PUBLISHED_TEXT
    + (
        "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
        "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()
)


def _key_file(directory: Path, name: str, kind: int) -> Path:
    path = directory / f"{name.replace('/', '_')}.{kind}.key"
    new_key_file(path, name, kind)
    return path


@pytest.fixture
def log(tmp_path: Path) -> NoteSigner:
    return NoteSigner.load(_key_file(tmp_path, "log.example/makul", ED25519))


@pytest.fixture
def witness(tmp_path: Path) -> Cosigner:
    return Cosigner.load(_key_file(tmp_path, "witness.example/w1", COSIGNATURE_V1))


def test_a_published_key_signs_the_published_note(tmp_path: Path) -> None:
    """Ed25519 gives the same signature for the same text in every implementation."""
    path = tmp_path / "key"
    path.write_text(PUBLISHED_KEY + "\n")
    path.chmod(0o600)

    signer = NoteSigner.load(path, "PeterNeumann")

    assert signer.vkey == PUBLISHED_VKEY
    assert signer.sign(PUBLISHED_TEXT) == PUBLISHED_NOTE


def test_a_published_note_is_verified() -> None:
    """The verifier returns exactly the signed text."""
    assert NoteVerifier.parse(PUBLISHED_VKEY).verify(PUBLISHED_NOTE) == PUBLISHED_TEXT


def test_every_change_of_one_bit_is_refused() -> None:
    """The change may be in the text, the dash, the name, the id or the signature."""
    verifier = NoteVerifier.parse(PUBLISHED_VKEY)
    for place in range(len(PUBLISHED_NOTE)):
        for bit in range(8):
            changed = bytearray(PUBLISHED_NOTE)
            changed[place] ^= 1 << bit
            with pytest.raises(NoteError):
                verifier.verify(bytes(changed))


def test_a_missing_or_additional_octet_is_refused() -> None:
    """The octet may be at any position of the note."""
    verifier = NoteVerifier.parse(PUBLISHED_VKEY)
    for place in range(len(PUBLISHED_NOTE)):
        shorter = PUBLISHED_NOTE[:place] + PUBLISHED_NOTE[place + 1 :]
        longer = PUBLISHED_NOTE[:place] + b"A" + PUBLISHED_NOTE[place:]
        for changed in (shorter, longer, PUBLISHED_NOTE[:place]):
            with pytest.raises(NoteError):
                verifier.verify(changed)


def test_a_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    """A new key file is readable only by its owner, and a file that others can read is refused."""
    path = _key_file(tmp_path, "log.example/makul", ED25519)
    before = path.read_bytes()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(KeyFileError, match="overwritten"):
        new_key_file(path, "log.example/makul", ED25519)
    assert path.read_bytes() == before
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        NoteSigner.load(path)


def test_a_key_is_used_only_for_its_purpose(tmp_path: Path) -> None:
    """A key signs only under its own name; ledger keys and witness keys are not interchangeable."""
    log_file = _key_file(tmp_path, "log.example/makul", ED25519)
    witness_file = _key_file(tmp_path, "witness.example/w1", COSIGNATURE_V1)

    with pytest.raises(KeyFileError, match="not other"):
        NoteSigner.load(log_file, "other")
    with pytest.raises(KeyFileError, match="not a key of a witness"):
        Cosigner.load(log_file)
    with pytest.raises(KeyFileError, match="not a key of the log"):
        NoteSigner.load(witness_file)
    with pytest.raises(NoteError, match="not a key of the log"):
        NoteVerifier.parse(Cosigner.load(witness_file).vkey)
    with pytest.raises(NoteError, match="not a key of a witness"):
        CosignatureVerifier.parse(NoteSigner.load(log_file).vkey)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "secret\n",
        PUBLISHED_VKEY,
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY.replace("PeterNeumann", "Peter"),
        PUBLISHED_KEY[:-4],
        PUBLISHED_KEY.replace("AYEK", "AoEK"),
        PUBLISHED_KEY.removesuffix("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"),
    ],
)
def test_a_malformed_key_file_is_refused(tmp_path: Path, text: str) -> None:
    """The message names the file, and never its content."""
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(KeyFileError) as error:
        NoteSigner.load(path)
    assert "AYEK" not in str(error.value)


def test_the_public_part_is_beside_the_key(tmp_path: Path) -> None:
    """Processes that answer requests read it, and other parties receive it."""
    path = _key_file(tmp_path, "log.example/makul", ED25519)
    signer = NoteSigner.load(path)

    assert NoteVerifier.load(public_part(path), "log.example/makul").vkey == signer.vkey
    with pytest.raises(KeyFileError, match="not other"):
        NoteVerifier.load(public_part(path), "other")
    with pytest.raises(KeyFileError, match="not a log's verifier key"):
        NoteVerifier.load(path)
    with pytest.raises(KeyFileError, match="The log's verifier key should be there"):
        NoteVerifier.load(tmp_path / "nowhere")


def test_a_text_that_no_verifier_accepts_is_not_signed(log: NoteSigner) -> None:
    """The signer refuses a text that no verifier would accept."""
    with pytest.raises(NoteError):
        log.sign(b"without an end")


def test_another_key_of_the_same_name_is_not_the_log(log: NoteSigner, tmp_path: Path) -> None:
    """A name alone does not identify the ledger."""
    other = tmp_path / "other"
    other.mkdir()
    stranger = NoteSigner.load(_key_file(other, log.name, ED25519))

    with pytest.raises(UnverifiedNoteError, match="not signed by"):
        NoteVerifier.parse(log.vkey).verify(stranger.sign(BODY))


def test_a_line_that_names_the_ledger_key_must_verify(log: NoteSigner) -> None:
    """A good line beside a bad one of the same key does not make the note valid."""
    note = parse_note(log.sign(BODY))
    bad = SignatureLine(log.name, log.key.key_id, bytes(64))
    both = format_note(type(note)(text=note.text, signatures=(*note.signatures, bad)))

    with pytest.raises(UnverifiedNoteError, match="does not hold"):
        NoteVerifier.parse(log.vkey).verify(both)


def test_lines_of_unknown_keys_are_ignored(log: NoteSigner) -> None:
    """C2SP signed-note, Signatures: unknown signatures are ignored."""
    stranger = SignatureLine(log.name, b"\xff\xff\xff\xff", bytes(64))
    note = format_note(with_line(parse_note(log.sign(BODY)), stranger))

    assert NoteVerifier.parse(log.vkey).verify(note) == BODY


def test_a_cosignature_states_its_time(log: NoteSigner, witness: Cosigner) -> None:
    """The time has a resolution of one second, and the ledger's own signature is unchanged."""
    document = witness.cosign(log.sign(BODY), at=AT + timedelta(microseconds=999_999))

    assert CosignatureVerifier.parse(witness.vkey).verify(document) == AT
    assert NoteVerifier.parse(log.vkey).verify(document) == BODY


def test_a_witness_has_only_one_line(log: NoteSigner, witness: Cosigner) -> None:
    """The newest line of a witness replaces the former one."""
    once = witness.cosign(log.sign(BODY), at=AT)
    twice = witness.cosign(once, at=AT + timedelta(hours=1))

    assert len(parse_note(twice).signatures) == 2
    assert CosignatureVerifier.parse(witness.vkey).verify(twice) == AT + timedelta(hours=1)


def test_a_published_cosignature_has_this_form() -> None:
    """C2SP tlog-cosignature, example: 8 octets of time, then 64 octets of Ed25519."""
    line = (
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+"
        "mbIUBkBIfZ+qnA=="
    )
    document = BODY + f"\n— witness.example.com/w1 {line}\n".encode()

    (found,) = parse_note(document).signatures

    assert found.key_id.hex() == "8d66cf3f"
    assert int.from_bytes(found.signature[:8], "big") == 1679315147
    assert len(found.signature) == 72


def test_every_change_of_one_bit_of_a_cosignature_is_refused(
    log: NoteSigner, witness: Cosigner
) -> None:
    """The change may be in the text, the time, the name, the id or the signature."""
    verifier = CosignatureVerifier.parse(witness.vkey)
    document = witness.cosign(log.sign(BODY), at=AT)
    lines = document.splitlines(keepends=True)
    logs_line = range(len(b"".join(lines[:4])), len(b"".join(lines[:5])))
    for place in range(len(document)):
        if place in logs_line:
            continue
        for bit in range(8):
            changed = bytearray(document)
            changed[place] ^= 1 << bit
            with pytest.raises(NoteError):
                verifier.verify(bytes(changed))


def test_a_ledger_signature_is_no_cosignature_by_the_same_key(tmp_path: Path) -> None:
    """C2SP tlog-cosignature: the signed message has another prefix, which separates the domains."""
    log = NoteSigner.load(_key_file(tmp_path, "same.example", ED25519))
    as_witness = VerifierKey(name="same.example", kind=COSIGNATURE_V1, public=log.key.public)
    note = parse_note(log.sign(BODY))
    signature = bytes(8) + note.signatures[0].signature
    forged = with_line(note, SignatureLine("same.example", as_witness.key_id, signature))

    with pytest.raises(UnverifiedNoteError, match="does not hold"):
        CosignatureVerifier(key=as_witness).check(forged)


def test_an_impossible_time_is_refused(log: NoteSigner, witness: Cosigner) -> None:
    """The time is refused before any computation with it."""
    far = (2**64 - 1).to_bytes(8, "big") + bytes(64)
    note = with_line(
        parse_note(log.sign(BODY)), SignatureLine(witness.key.name, witness.key.key_id, far)
    )

    with pytest.raises(UnverifiedNoteError, match="cannot be"):
        CosignatureVerifier.parse(witness.vkey).check(note)

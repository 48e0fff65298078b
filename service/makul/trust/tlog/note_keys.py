"""Load the keys of the log and of its witnesses, to sign and verify notes and cosignatures.

The keys are Ed25519 (RFC 8032), by C2SP signed-note and tlog-cosignature. A key file holds the text
`PRIVATE+KEY+<name>+<id>+<base64>`, which tools for transparency logs read and write. The text
carries the key's name and what it is for. A key is therefore never used under another name, and a
log's key never as a witness's. Exact bytes are verified, and what is returned is what was signed.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from makul.language.translation import mark, translate, translate_cause
from makul.ledger.signed_note import (
    COSIGNATURE_V1,
    ED25519,
    Note,
    NoteError,
    SignatureLine,
    VerifierKey,
    decode_base64,
    format_note,
    parse_note,
    with_line,
)
from makul.net.files import FileError, create_file, read_bounded, replace_file
from makul.trust.keys.files import KeyFileError, load_secret

_PRIVATE: Final = "PRIVATE+KEY+"
_MAX_PUBLIC: Final = 1024
"""The maximum bytes of a verifier key file: a name of 255 bytes and a key, with a margin."""
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_LAST_SECOND: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
"""The last day that a `datetime` can represent. The format would allow 2^63 - 1 seconds."""


class UnverifiedNoteError(NoteError):
    """The note has no signature by the given key, or one that does not verify."""


def new_key_file(path: Path, name: str, kind: int) -> str:
    """Make a key for the log (`ED25519`) or a witness (`COSIGNATURE_V1`); return its verifier key.

    The file is new, and only its owner may read it. The verifier key is stored beside it, as
    `<file>.pub`, for readers who need only that. Raises `NoteError` for a name that no signature
    line can carry. Raises `KeyFileError` if the file already exists or cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    public = VerifierKey(name=name, kind=kind, public=private.public_key().public_bytes_raw())
    material = base64.b64encode(bytes([kind]) + private.private_bytes_raw()).decode()
    text = f"{_PRIVATE}{name}+{public.key_id.hex()}+{material}\n"
    try:
        create_file(path, text.encode())
        replace_file(public_part(path), f"{public}\n".encode(), mode=0o644)
    except OSError as error:
        raise KeyFileError(
            translate(
                "{path}: {cause}. A key is never overwritten.",
                path=path,
                cause=translate_cause(error.strerror),
            )
        ) from None
    return str(public)


def public_part(path: Path) -> Path:
    """Return the path of the verifier key that belongs to a key file."""
    return path.with_name(f"{path.name}.pub")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSigner:
    """A key of a log, with which notes are signed. Safe between threads."""

    key: VerifierKey
    sign_octets: Callable[[bytes], bytes]

    @classmethod
    def load(cls, path: Path, name: str | None = None) -> Self:
        """Load a signer from a key file; raise `KeyFileError`, also for a key with another name.

        If `name` is None, any name is accepted.
        """
        key, sign_octets = _load(path, ED25519, name)
        return cls(key=key, sign_octets=sign_octets)

    @property
    def name(self) -> str:
        """The key's name, which for a log is its origin (C2SP tlog-checkpoint, Signatures)."""
        return self.key.name

    @property
    def vkey(self) -> str:
        """The public key, in the text form that verifiers take."""
        return str(self.key)

    def sign(self, body: bytes) -> bytes:
        """Return the whole note: the text and this signature.

        Raises `NoteError` if it is no text.
        """
        line = SignatureLine(self.key.name, self.key.key_id, self.sign_octets(body))
        return format_note(Note(text=body, signatures=(line,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteVerifier:
    """A public key of a log, by which notes are verified."""

    key: VerifierKey

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Parse the key's text; raise `NoteError`, also for a key of a witness."""
        return cls(key=_key_of_kind(vkey, ED25519))

    @classmethod
    def load(cls, path: Path, name: str | None = None) -> Self:
        """Load the key's text from a file; raise `KeyFileError`, also for a key with another name.

        If `name` is None, any name is accepted.
        """
        try:
            verifier = cls.parse(read_bounded(path, _MAX_PUBLIC).decode())
        except FileError as error:
            raise KeyFileError(
                translate("{problem} The log's verifier key should be there.", problem=error)
            ) from None
        except ValueError:
            raise KeyFileError(
                translate(
                    "{path}: not a log's verifier key. Expected one line '<name>+<id>+<base64>'.",
                    path=path,
                )
            ) from None
        _require_name(path, verifier.key, name)
        return verifier

    @property
    def vkey(self) -> str:
        """The key's text."""
        return str(self.key)

    def verify(self, document: bytes) -> bytes:
        """Return the text of a note that this key signed; raise `NoteError` for any other."""
        note = parse_note(document)
        self.check(note)
        return note.text

    def own_note(self, document: bytes) -> bytes:
        """Return the note with only this key's lines, verified; raise `NoteError` on failure."""
        note = parse_note(document)
        self.check(note)
        return format_note(Note(text=note.text, signatures=self.key.find_lines(note)))

    def check(self, note: Note) -> None:
        """Raise `UnverifiedNoteError` unless this key signed the note.

        Every line that claims to be by this key must verify.
        """
        for line in _lines(self.key, note):
            _verify(self.key, line.signature, note.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A key of a witness, with which checkpoints are cosigned. Safe between threads."""

    key: VerifierKey
    sign_octets: Callable[[bytes], bytes]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a cosigner from a key file; raise `KeyFileError` on failure."""
        key, sign_octets = _load(path, COSIGNATURE_V1, None)
        return cls(key=key, sign_octets=sign_octets)

    @property
    def vkey(self) -> str:
        """The public key, in the text form that verifiers take."""
        return str(self.key)

    @property
    def verifier(self) -> "CosignatureVerifier":
        """The verifier of this witness's cosignatures."""
        return CosignatureVerifier(key=self.key)

    def cosign(self, document: bytes, *, at: datetime) -> bytes:
        """Return the checkpoint with this witness's line, which replaces its earlier line.

        The line states that at this time the witness knew no larger tree that is consistent with
        the one in the checkpoint (C2SP tlog-cosignature). The caller must have made sure of that.
        Raises `NoteError` if the document is no note or if the new note would be too large.
        """
        note = parse_note(document)
        seconds = int(at.timestamp())
        signature = self.sign_octets(_cosigned_bytes(seconds, note.text))
        stamped = seconds.to_bytes(_TIME_BYTES, "big") + signature
        line = SignatureLine(self.key.name, self.key.key_id, stamped)
        return format_note(with_line(note, line))


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignatureVerifier:
    """A public key of a witness, by which cosignatures are verified."""

    key: VerifierKey

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Parse the key's text; raise `NoteError`, also for a key of a log."""
        return cls(key=_key_of_kind(vkey, COSIGNATURE_V1))

    def verify(self, document: bytes) -> datetime:
        """Return when this witness cosigned the checkpoint, to the second.

        Raises `NoteError` if it did not.
        """
        return self.check(parse_note(document))

    def check(self, note: Note) -> datetime:
        """Return when the witness cosigned, by its latest line; raise `UnverifiedNoteError` if not.

        Every line that claims to be by this key must verify.
        """
        return max(self._time(line, note) for line in _lines(self.key, note))

    def _time(self, line: SignatureLine, note: Note) -> datetime:
        if len(line.signature) != _TIME_BYTES + _SIGNATURE_BYTES:
            raise UnverifiedNoteError(mark("a cosignature of another length"))
        seconds = int.from_bytes(line.signature[:_TIME_BYTES], "big")
        if seconds > _LAST_SECOND:
            raise UnverifiedNoteError(mark("a cosignature of a time that cannot be"))
        _verify(self.key, line.signature[_TIME_BYTES:], _cosigned_bytes(seconds, note.text))
        return datetime.fromtimestamp(seconds, UTC)


def _cosigned_bytes(seconds: int, text: bytes) -> bytes:
    """Return the bytes that a witness signs (C2SP tlog-cosignature, Ed25519 signed message)."""
    return f"cosignature/v1\ntime {seconds}\n".encode() + text


def _lines(key: VerifierKey, note: Note) -> tuple[SignatureLine, ...]:
    lines = key.find_lines(note)
    if not lines:
        raise UnverifiedNoteError(
            mark("not signed by {name} {key_id}"), name=key.name, key_id=key.key_id.hex()
        )
    return lines


def _verify(key: VerifierKey, signature: bytes, octets: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, octets)
    except (InvalidSignature, ValueError):
        raise UnverifiedNoteError(
            mark("the signature of {name} does not hold"), name=key.name
        ) from None


def _key_of_kind(vkey: str, kind: int) -> VerifierKey:
    key = VerifierKey.parse(vkey.strip())
    if key.kind != kind:
        template = (
            mark("this is not a key of the log: its type is {kind}")
            if kind == ED25519
            else mark("this is not a key of a witness: its type is {kind}")
        )
        raise NoteError(template, kind=key.kind)
    return key


def _require_name(path: Path, key: VerifierKey, name: str | None) -> None:
    """Raise `KeyFileError` for a key with another name than the given one."""
    if name is not None and key.name != name:
        raise KeyFileError(
            translate(
                "{path}: a key with the name {actual}, not {name}.",
                path=path,
                actual=key.name,
                name=name,
            )
        )


def _load(path: Path, kind: int, name: str | None) -> tuple[VerifierKey, Callable[[bytes], bytes]]:
    """Load a key of this kind from its file, with the function that signs."""
    private, key = _load_private(path)
    if key.kind != kind:
        template = (
            mark("{path}: not a key of the log: its type is {kind}.")
            if kind == ED25519
            else mark("{path}: not a key of a witness: its type is {kind}.")
        )
        raise KeyFileError(translate(template, path=path, kind=key.kind))
    _require_name(path, key, name)
    return key, private.sign


def _load_private(path: Path) -> tuple[Ed25519PrivateKey, VerifierKey]:
    try:
        return _parse_private(load_secret(path).decode())
    except (NoteError, ValueError):
        raise KeyFileError(
            translate(
                "{path}: not a note key. Expected one line 'PRIVATE+KEY+<name>+<id>+<base64>'.",
                path=path,
            )
        ) from None


def _parse_private(text: str) -> tuple[Ed25519PrivateKey, VerifierKey]:
    """Parse the line of a key file; raise `NoteError` or `ValueError`."""
    if not text.startswith(_PRIVATE):
        raise NoteError(mark("another beginning"))
    name, key_id, encoded = text.removeprefix(_PRIVATE).split("+", 2)
    material = decode_base64(encoded)
    private = Ed25519PrivateKey.from_private_bytes(material[1:])
    public = private.public_key().public_bytes_raw()
    key = VerifierKey(name=name, kind=int.from_bytes(material[:1], "big"), public=public)
    if key.key_id.hex() != key_id:
        raise NoteError(mark("the id is not that of name and key"))
    return private, key

"""Signed notes: a text and the signatures below it, parsed and formatted (C2SP signed-note).

Pure code that checks only the form. A parsed note must not be trusted until `trust.tlog.note_keys`
has verified a signature by a key that the reader was given. A signature line has the em dash, the
key's name, and the base64 of the key's id and the signature. Only one form is accepted, so that a
note cannot be changed without changing its meaning.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Self

from makul.ledger.errors import LedgerFormError

KEY_ID_BYTES = 4
"""Length of a key's id, which is only a hint which key to try (C2SP signed-note, Signatures)."""

ED25519 = 0x01
"""Signature type of a log's own key (C2SP signed-note, Signature types)."""

COSIGNATURE_V1 = 0x04
"""Signature type of a witness's key (C2SP tlog-cosignature)."""

MAX_NOTE = 64 * 1024
"""Maximum length of a note in bytes.

A checkpoint of three lines with 64 cosignatures of 200 bytes needs a quarter of it.
"""

MAX_SIGNATURES = 64
"""Maximum number of signatures; each witness adds one.

C2SP signed-note requires that at least 16 are accepted.
"""

MAX_NAME = 255
"""Maximum length of a key's name in bytes: a URL without its scheme.

C2SP tlog-cosignature encodes this length in one octet.
"""

MAX_SIGNATURE = 8 * 1024
"""Maximum length of a signature in bytes.

Post-quantum signatures of others have up to 5 kB (C2SP signed-note); ours have 64 or 72 bytes.
"""

_DASH = "\u2014 "


class NoteError(LedgerFormError, ValueError):
    """A note, a key or a checkpoint does not have its form. The message repeats no part of it."""


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature below a note."""

    name: str
    key_id: bytes
    """The id of the key, `KEY_ID_BYTES` long. With the name, it identifies the key."""
    signature: bytes

    def __post_init__(self) -> None:
        """Raise `NoteError` for values that a line cannot contain."""
        checked_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES:
            raise NoteError("a key's id is {number} bytes long", number=KEY_ID_BYTES)
        if not 0 < len(self.signature) <= MAX_SIGNATURE:
            raise NoteError("a signature is 1 to {number} bytes long", number=MAX_SIGNATURE)

    def __str__(self) -> str:
        """Return the line without its line end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, not yet verified."""

    text: bytes
    """The signed text: UTF-8 that ends with a line feed."""
    signatures: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as given to verifiers: name, signature type, key.

    Its text form (`vkey`) is `<name>+<hex(key id)>+<base64(type || public key)>`.
    """

    name: str
    kind: int
    """The signature type: `ED25519` or `COSIGNATURE_V1`."""
    public: bytes
    """The public key, 32 bytes (RFC 8032, 5.1.5)."""

    def __post_init__(self) -> None:
        """Raise `NoteError` for a name that no line can contain, or a key of another type."""
        checked_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE_V1):
            raise NoteError("a key of a type that is not taken here")
        if len(self.public) != _PUBLIC_BYTES:
            raise NoteError("an Ed25519 key is {number} bytes long", number=_PUBLIC_BYTES)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Parse a key from its text form.

        Raises `NoteError`, also if the id does not match the name and key.
        """
        name, key_id, encoded = _split_vkey(vkey)
        material = decode_base64(encoded)
        if not material:
            raise NoteError("a verifier key without a key")
        key = cls(name=name, kind=material[0], public=material[1:])
        if key.key_id.hex() != key_id:
            raise NoteError("the id in a verifier key is not that of its name and key")
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || type || public key)."""
        hashed = b"\n".join((self.name.encode(), bytes([self.kind]) + self.public))
        return hashlib.sha256(hashed).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        """Return the text form for verifiers."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def find_lines(self, note: Note) -> tuple[SignatureLine, ...]:
        """Return the lines that claim to be by this key."""
        return tuple(
            line
            for line in note.signatures
            if line.name == self.name and line.key_id == self.key_id
        )


_PUBLIC_BYTES = 32


def parse_note(document: bytes) -> Note:
    """Parse a note from its exact bytes; raises `NoteError`.

    `format_note` returns the same bytes again.
    """
    if len(document) > MAX_NOTE:
        raise NoteError("a note longer than {number} bytes", number=MAX_NOTE)
    checked_text(document)
    text, blank, lines = document.rpartition(b"\n\n")
    if not blank:
        raise NoteError("a note without a blank line between text and signatures")
    signed = lines.removesuffix(b"\n").split(b"\n")
    if len(signed) > MAX_SIGNATURES:
        raise NoteError("a note with more than {number} signatures", number=MAX_SIGNATURES)
    return Note(text=text + b"\n", signatures=tuple(_line(each.decode()) for each in signed))


def format_note(note: Note) -> bytes:
    """Return the exact bytes of a note; raises `NoteError` if no parser would accept them."""
    checked_text(note.text)
    if not note.signatures or len(note.signatures) > MAX_SIGNATURES:
        raise NoteError("a note has 1 to {number} signatures", number=MAX_SIGNATURES)
    lines = "".join(f"{line}\n" for line in note.signatures)
    document = note.text + b"\n" + lines.encode()
    if len(document) > MAX_NOTE:
        raise NoteError("a note longer than {number} bytes", number=MAX_NOTE)
    return document


def with_line(note: Note, line: SignatureLine) -> Note:
    """Return the note with this line last; it replaces any other line by the same key."""
    others = tuple(
        each for each in note.signatures if (each.name, each.key_id) != (line.name, line.key_id)
    )
    return Note(text=note.text, signatures=(*others, line))


def checked_text(text: bytes) -> None:
    """Raise `NoteError` unless the text is UTF-8 that ends with a line feed.

    The text must not contain other control characters.
    """
    if not text.endswith(b"\n"):
        raise NoteError("a text that does not end with a line feed")
    if any(octet < 0x20 and octet != 0x0A for octet in text):
        raise NoteError("a control character in a note")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise NoteError("a note that is not UTF-8") from None


def checked_name(name: str) -> str:
    """Return a valid name of a key; raises `NoteError` for any other text.

    A name is not empty and has no Unicode spaces, plus signs or control characters.
    """
    if not name or len(name.encode()) > MAX_NAME:
        raise NoteError("a key's name is 1 to {number} bytes long", number=MAX_NAME)
    if "+" in name or any(letter.isspace() or ord(letter) < 0x20 for letter in name):
        raise NoteError("a key's name with a space, a plus sign or a control character")
    return name


def decode_base64(text: str) -> bytes:
    """Decode base64 in its only canonical form (RFC 4648, 4 and 3.5); raises `NoteError`."""
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NoteError("not base64") from None
    if base64.b64encode(octets).decode() != text:
        raise NoteError("base64 in another form than the canonical one")
    return octets


def _line(text: str) -> SignatureLine:
    if not text.startswith(_DASH):
        raise NoteError("a signature line without its em dash")
    name, space, encoded = text.removeprefix(_DASH).partition(" ")
    if not space:
        raise NoteError("a signature line without a signature")
    octets = decode_base64(encoded)
    return SignatureLine(name=name, key_id=octets[:KEY_ID_BYTES], signature=octets[KEY_ID_BYTES:])


def _split_vkey(vkey: str) -> tuple[str, str, str]:
    """Return name, id and material; base64 may contain plus signs, names and ids may not."""
    parts = vkey.split("+", 2)
    if len(parts) != len(("name", "id", "material")):
        raise NoteError("a verifier key is <name>+<id>+<base64>")
    return parts[0], parts[1], parts[2]

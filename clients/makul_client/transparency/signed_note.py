"""The checkpoints of the operator's log and their signatures. Only this module verifies them.

It follows C2SP signed-note, tlog-checkpoint and tlog-cosignature, with Ed25519 (RFC 8032). It
refuses every form but the one exact form. So no part of a checkpoint can change without breaking
its signatures.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from makul_client.translation import translate

LOG: Final = 0x01
"""The type of a log's key (C2SP signed-note, Signature types)."""
WITNESS: Final = 0x04
"""The type of a witness's key."""

MAX_NOTE: Final = 64 * 1024
"""The maximum size of a note in bytes, as in the contract."""

MAX_LINES: Final = 64
MAX_NAME: Final = 255
MAX_SIGNATURE: Final = 8 * 1024
"""The maximum number of lines, and the maximum bytes of a key's name and of a signature.

The tools of the log accept the same.
"""

VKEY: Final = r"[^\s+]{1,255}\+[0-9a-f]{8}\+[0-9A-Za-z+/]+={0,2}"
"""The pattern of a verifier key as text: `<name>+<id>+<base64>`."""

_HASH_BYTES: Final = 32
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_LAST_SECOND: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_DASH: Final = "\u2014 "
_CHECKPOINT: Final = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,18})\n([0-9A-Za-z+/]{43}=)\n")


class BadNoteError(ValueError):
    """The error of a checkpoint or key that is not valid. The message repeats no part of it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log's tree at one size, as the signers of the checkpoint state it."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One signature below a note."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures below it, none of which is verified yet."""

    text: bytes
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that the profile names, of the log or of a witness."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str, kind: int) -> Self:
        """Return the key in `<name>+<id>+<base64>`.

        Raises `BadNoteError`, also for another key type.
        """
        if not re.fullmatch(VKEY, text):
            raise BadNoteError(translate("not a verifier key: <name>+<id>+<base64>"))
        name, key_id, encoded = text.split("+", 2)
        material = _decode(encoded)
        key = cls(name, material[0], material[1:])
        if len(key.public) != _KEY_BYTES or key.kind != kind:
            raise BadNoteError(translate("a key of another type than is needed here"))
        if key.key_id.hex() != key_id:
            raise BadNoteError(translate("the id in it is not that of its name and key"))
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || type || key)."""
        material = bytes([self.kind]) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:_ID_BYTES]

    def signed(self, note: Note) -> None:
        """Raise `BadNoteError` unless each line in the name of this log has its valid signature.

        There must be at least one such line.
        """
        for line in self._lines(note):
            self._verify(line.signature, note.text)

    def cosigned(self, note: Note) -> datetime:
        """Return when this witness cosigned the note. Raises `BadNoteError` if it did not."""
        return max(self._time(line.signature, note.text) for line in self._lines(note))

    def _lines(self, note: Note) -> tuple[Line, ...]:
        lines = tuple(each for each in note.lines if self._claims(each))
        if not lines:
            raise BadNoteError(translate("not signed by {name}", name=self.name))
        return lines

    def _claims(self, line: Line) -> bool:
        return line.name == self.name and line.key_id == self.key_id

    def _time(self, stamped: bytes, text: bytes) -> datetime:
        seconds = int.from_bytes(stamped[:_TIME_BYTES], "big")
        if seconds > _LAST_SECOND:
            raise BadNoteError(translate("a cosignature with an impossible time"))
        self._verify(stamped[_TIME_BYTES:], f"cosignature/v1\ntime {seconds}\n".encode() + text)
        return datetime.fromtimestamp(seconds, UTC)

    def _verify(self, signature: bytes, signed: bytes) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except (InvalidSignature, ValueError):
            raise BadNoteError(
                translate("the signature of {name} is not valid", name=self.name)
            ) from None


def parse_note(document: bytes) -> Note:
    """Return the note in these exact bytes, without verifying it. Raises `BadNoteError`."""
    if len(document) > MAX_NOTE:
        raise BadNoteError(translate("longer than {max_bytes} bytes", max_bytes=MAX_NOTE))
    if any(octet < 0x20 and octet != 0x0A for octet in document):
        raise BadNoteError(translate("a control character"))
    try:
        text, blank, lines = document.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise BadNoteError(translate("not UTF-8")) from None
    if not blank or not lines.endswith("\n"):
        raise BadNoteError(translate("not a text followed by signatures"))
    signed = lines.removesuffix("\n").split("\n")
    if len(signed) > MAX_LINES:
        raise BadNoteError(translate("more than {number} signatures", number=MAX_LINES))
    return Note((text + "\n").encode(), tuple(map(_line, signed)))


def parse_checkpoint_unsafe(note: Note) -> Checkpoint:
    """Return the tree that a note states, without verifying it. Raises `BadNoteError`."""
    match = _CHECKPOINT.fullmatch(note.text.decode())
    if match is None:
        raise BadNoteError(translate("not a checkpoint: name, size and root"))
    return Checkpoint(match[1], int(match[2]), _decode(match[3]))


def cosigners(note: Note, witnesses: Iterable[VerifierKey]) -> dict[str, datetime]:
    """Return the witnesses that cosigned the note, by name and key id, and when.

    A line in the name of a witness whose signature is not valid does not count.
    """
    times: dict[str, datetime] = {}
    for witness in witnesses:
        try:
            times[f"{witness.name}+{witness.key_id.hex()}"] = witness.cosigned(note)
        except BadNoteError:
            continue
    return times


def _line(text: str) -> Line:
    if not text.startswith(_DASH):
        raise BadNoteError(translate("a signature without its em dash"))
    name, _, encoded = text.removeprefix(_DASH).partition(" ")
    octets = _decode(encoded)
    if not 0 < len(name.encode()) <= MAX_NAME or "+" in name or any(map(str.isspace, name)):
        raise BadNoteError(translate("an impossible name of a key"))
    if not _ID_BYTES < len(octets) <= _ID_BYTES + MAX_SIGNATURE:
        raise BadNoteError(translate("a signature of an impossible length"))
    return Line(name, octets[:_ID_BYTES], octets[_ID_BYTES:])


def _decode(text: str) -> bytes:
    """Return the bytes of base64 text in its only canonical form (RFC 4648, 3.5)."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNoteError(translate("not base64")) from None
    if not octets or base64.b64encode(octets).decode() != text:
        raise BadNoteError(translate("base64 in another form than the canonical one"))
    return octets

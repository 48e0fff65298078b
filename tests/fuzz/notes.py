"""Targets for checkpoints and bundles: two readers must agree, and raise no other error."""

import json
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

from fuzz.material import FindingError
from makul.ledger.signed_note import COSIGNATURE_V1, ED25519, NoteError, format_note, parse_note
from makul.trust.tlog.note_keys import Cosigner, NoteSigner, NoteVerifier, new_key_file
from makul_client.errors import MakulError
from makul_client.models.response import Inclusion
from makul_client.receipts.bundle import read_bundle_unsafe, write_bundle
from makul_client.transparency import signed_note as clients
from makul_testing.pki.authorities import NOW

BODY = b"log.example/makul\n2\n" + b"A" * 43 + b"=\n"


@cache
def _signed() -> tuple[NoteVerifier, bytes, bytes]:
    """Return a ledger's verifier, a checkpoint that it signed, and one with a witness's line."""
    home = Path(tempfile.mkdtemp(prefix="makul-fuzz-"))
    new_key_file(home / "log.key", "log.example/makul", ED25519)
    new_key_file(home / "w.key", "witness.example/w1", COSIGNATURE_V1)
    signer = NoteSigner.load(home / "log.key")
    document = signer.sign(BODY)
    cosigned = Cosigner.load(home / "w.key").cosign(document, at=NOW + timedelta(days=1))
    return NoteVerifier(key=signer.key), document, cosigned


def note(data: bytes) -> None:
    """Check a note: what parses is written equally, and service and client agree."""
    verifier, _, _ = _signed()
    try:
        parsed = parse_note(data)
    except NoteError:
        parsed = None
    if parsed is not None and format_note(parsed) != data:
        raise FindingError("a note that is written otherwise than it was read")
    believed = _believed(verifier, data)
    if believed not in (None, BODY):
        raise FindingError("a text is believed that was not signed")
    if _believed_by_client(verifier, data) != believed:
        raise FindingError("service and client differ")


def _believed(verifier: NoteVerifier, data: bytes) -> bytes | None:
    try:
        return verifier.verify(data)
    except NoteError:
        return None


def _believed_by_client(verifier: NoteVerifier, data: bytes) -> bytes | None:
    try:
        parsed = clients.parse_note(data)
        clients.VerifierKey.parse(verifier.vkey, clients.LOG).signed(parsed)
    except clients.BadNoteError:
        return None
    return parsed.text


def notes() -> Sequence[bytes]:
    """Return a checkpoint, and one with a witness's line."""
    return _signed()[1:]


def bundle(data: bytes) -> None:
    """Check a bundle: what is read is written and read again equally, or `MakulError`."""
    try:
        found = read_bundle_unsafe(data)
    except MakulError:
        return
    if found.receipt == data and found.inclusion is None:
        return
    if read_bundle_unsafe(write_bundle(found.receipt, found.inclusion)) != found:
        raise FindingError("a bundle that reads otherwise the second time")


def bundles() -> Sequence[bytes]:
    """Return bundles with a proof, without one, and in another order."""
    inclusion = Inclusion(index=1, size=2, path=(b"\1" * 32,), checkpoint=_signed()[1])
    good = write_bundle(b"<Receipt/>", inclusion)
    return [good, write_bundle(b"<Receipt/>", None), json.dumps(json.loads(good)).encode()]

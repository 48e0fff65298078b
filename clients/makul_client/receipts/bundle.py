"""A receipt and its proof in one file, for verification later and without the service.

    {"format": "makul-receipt-1",
     "receipt": "<base64 of the receipt's exact bytes>",
     "inclusion": {"index": 4, "size": 9, "path": ["<base64>", …], "checkpoint": "<base64>"}}

`inclusion` is null if the log had assigned no leaf index yet.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

from makul_client.errors import MakulError
from makul_client.models.response import Inclusion
from makul_client.translation import translate
from makul_client.transparency.signed_note import MAX_NOTE

FORMAT: Final = "makul-receipt-1"
MAX_BUNDLE: Final = 1024 * 1024
"""The maximum size of a bundle, in bytes.

It holds a receipt of 256 KiB, a checkpoint of 64 KiB and 63 hashes, in base64, and a reserve.
"""
MAX_PATH: Final = 63
"""The maximum number of hashes in a path, because a tree has fewer than 2^63 leaves."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The content of such a file. Nothing of it is verified."""

    receipt: bytes
    inclusion: Inclusion | None


def write_bundle(receipt: bytes, inclusion: Inclusion | None) -> bytes:
    """Return the content of the file."""
    proof = None
    if inclusion is not None:
        proof = {
            "index": inclusion.index,
            "size": inclusion.size,
            "path": [_text(each) for each in inclusion.path],
            "checkpoint": _text(inclusion.checkpoint),
        }
    fields = {"format": FORMAT, "receipt": _text(receipt), "inclusion": proof}
    return json.dumps(fields, indent=1).encode() + b"\n"


def read_bundle_unsafe(content: bytes) -> Bundle:
    """Return the bundle in a file's content, or a receipt without a proof, as XML.

    Nothing is verified. Raises `MakulError`.
    """
    if len(content) > MAX_BUNDLE:
        raise MakulError(translate("larger than any receipt with its proof"))
    if not content.lstrip().startswith(b"{"):
        return Bundle(content, None)
    try:
        return _bundle(json.loads(content))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MakulError(translate("neither a receipt nor a receipt with its proof")) from None


def _bundle(fields: Any) -> Bundle:
    if fields["format"] != FORMAT:
        raise ValueError("another format")
    proof = fields["inclusion"]
    return Bundle(_octets(fields["receipt"]), None if proof is None else _inclusion(proof))


def _inclusion(fields: Any) -> Inclusion:
    path, note = fields["path"], _octets(fields["checkpoint"])
    if not isinstance(path, list) or len(path) > MAX_PATH or len(note) > MAX_NOTE:
        raise ValueError("no proof")
    return Inclusion(
        index=_number(fields["index"]),
        size=_number(fields["size"]),
        path=tuple(map(_octets, path)),
        checkpoint=note,
    )


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << MAX_PATH:
        raise ValueError("no number of leaves")
    return value


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, AttributeError):
        raise ValueError("not base64") from None


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()

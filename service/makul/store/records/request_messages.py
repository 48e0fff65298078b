"""The signed message of a request that disclosed something, exactly as it was received.

Its signature shows that the recipient asked. The message contains the document of the ground in
Base64, and the record already contains that document. So the document is removed for storage and
inserted again on reading. The rest is compressed with a dictionary that contains the certificate of
the sender: some 0.6 KB of 12 KB.
"""

from base64 import b64encode
from collections.abc import Callable

from makul.app.ports import Entry, Match, Release
from makul.language.translation import translate
from makul.store.db.codecs import CodecError, micros, only, pack, unpack
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.records.private_fields import expand

ReadDocument = Callable[[bytes], bytes | None]
"""Returns the stored document of a digest; None if it is not there."""


def request_message_row(cipher: FieldCipher, entry: Entry) -> dict[str, object] | None:
    """Return the row of a request's message, encrypted; None if nothing is kept.

    The message is kept if it is signed and the decision discloses something.
    """
    message = entry.facts.caller.message
    if message is None or not isinstance(entry.decision, Release | Match):
        return None
    disclosure_id = entry.disclosure_id.bytes
    compressed = _compress(cipher, message, entry)
    return {
        "disclosure_id": disclosure_id,
        "decided_at": micros(entry.facts.at),
        "sealed": cipher.encrypt(compressed, _associated_data(disclosure_id)),
    }


def open_request_message(
    cipher: FieldCipher, disclosure_id: bytes, sealed: bytes, read_document: ReadDocument
) -> bytes:
    """Return the exact bytes of a message.

    Raises `FieldDecryptionError`, and `CodecError` if it does not read back or the document that it
    contained is not there.
    """
    plain = expand(cipher, cipher.decrypt(sealed, _associated_data(disclosure_id)))
    header, around = unpack(plain)
    only(header, "v", "document")
    digest = header["document"]
    if header["v"] != 1 or not isinstance(digest, str | None):
        raise CodecError(translate("a stored request has an unknown format"))
    if digest is None:
        return around[0]
    document = read_document(bytes.fromhex(digest))
    if document is None:
        raise CodecError(translate("the document that a stored request contained is missing"))
    return b64encode(document).join(around)


def _compress(cipher: FieldCipher, message: bytes, entry: Entry) -> bytes:
    digest, around = None, [message]
    for piece in entry.decision.evidence:
        parts = message.split(b64encode(piece.document))
        if len(parts) > 1:
            digest, around = piece.digest.hex(), parts
            break
    packed = pack({"v": 1, "document": digest}, around)
    if cipher.compressor is None:
        return packed
    return cipher.compressor.compress(packed, cipher.compressor.message_dictionary(message))


def _associated_data(disclosure_id: bytes) -> bytes:
    return field_associated_data("request_message", "sealed", disclosure_id)

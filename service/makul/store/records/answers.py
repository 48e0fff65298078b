"""The stored answer of a closed request id.

An answer contains its receipt as base64, and the record of the decision already contains the
receipt. So the receipt is removed for storage and inserted again on reading. The rest is
compressed: about 0.3 KB of 6.5 KB.
"""

from base64 import b64encode

from makul.language.translation import translate
from makul.store.db.codecs import CodecError, only, pack, unpack
from makul.store.encryption.fields import FieldCipher
from makul.store.records.private_fields import expand

_PACKED = b"\x00"
"""The first byte that `pack` writes. An answer is XML and never begins with it."""


def answer_without_receipt(cipher: FieldCipher, answer: bytes, receipt: bytes) -> bytes:
    """Return the stored form of an answer: the bytes around its receipt, compressed.

    Returns the whole answer if it does not contain the receipt exactly once, or if the store does
    not compress.
    """
    around = answer.split(b64encode(receipt))
    if cipher.compressor is None or len(around) != 2:
        return answer
    packed = pack({"v": 1}, around)
    return cipher.compressor.compress(packed, cipher.compressor.dictionary_for(receipt, answer))


def answer_with_receipt(cipher: FieldCipher, stored: bytes, receipt: bytes) -> bytes:
    """Return the exact bytes of a stored answer; raises `CodecError`."""
    plain = expand(cipher, stored)
    if plain[:1] != _PACKED:
        return plain
    header, around = unpack(plain)
    if only(header, "v")["v"] != 1 or len(around) != 2:
        raise CodecError(translate("a stored answer has an unknown format"))
    return b64encode(receipt).join(around)

"""The documents that parties sign, and their drafts, as the register stores them."""

from sqlalchemy import bindparam, select

from makul.app.ports import SignedBytes
from makul.language.translation import translate
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import CodecError, only, unpack
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.registry_tables import desk_document

DESK_DOCUMENT = select(desk_document.c.sealed).where(desk_document.c.digest == bindparam("digest"))


def read_desk_document(
    source: Database | Transaction, cipher: FieldCipher, digest: bytes
) -> SignedBytes | None:
    """Return a stored document; None if there is none."""
    row = source.fetch_one(DESK_DOCUMENT, {"digest": digest})
    if row is None:
        return None
    header, parts = unpack(cipher.decrypt(row[0], desk_document_associated_data(digest)))
    if only(header, "v")["v"] != 1 or len(parts) != 2:
        raise CodecError(translate("a stored document cannot be read"))
    return SignedBytes(digest=digest, document=parts[0], report=parts[1])


def desk_document_associated_data(digest: bytes) -> bytes:
    """Return what the encryption of a stored document is bound to."""
    return field_associated_data("desk_document", "sealed", digest)

"""The exact bytes of signed documents that acts keep as evidence."""

from hashlib import sha256

from sqlalchemy import bindparam, insert, select

from makul.domain.identifiers import MemberCode
from makul.store.admin.act_rows import ActRows
from makul.store.db.codecs import micros
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.schema.record_tables import evidence

_KEPT = select(evidence.c.digest).where(
    evidence.c.recipient == bindparam("recipient"), evidence.c.digest == bindparam("digest")
)
_KEEP = insert(evidence)


class EvidenceRows(ActRows):
    """The part of an act's rows that belongs to signed documents."""

    def keep_document(self, kind: str, member: MemberCode, document: bytes) -> bytes:
        """Store the exact bytes of a signed document once, and return their digest."""
        digest = sha256(document).digest()
        key = {"recipient": member, "digest": digest}
        if self._transaction.fetch_one(_KEPT, key) is None:
            sealed = self._cipher.encrypt(document, evidence_associated_data(member, digest))
            row = {"kind": kind, "sealed": sealed, "kept_at": micros(self._at)}
            self._transaction.execute(_KEEP, {**key, **row})
        return digest

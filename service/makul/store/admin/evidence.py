"""The documents on which a decision was judged, for a later check (Procedure, cl. 13 and 16)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports import DecisionEvidence, EvidenceDocument
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import instant
from makul.store.encryption.fields import FieldDecryptionError
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import open_private
from makul.store.schema.record_tables import disclosure, evidence

_DECISION = select(disclosure.c.recipient, disclosure.c.decided_at, disclosure.c.sealed).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id")
)
_PIECE = select(evidence.c.kind, evidence.c.sealed).where(
    evidence.c.recipient == bindparam("recipient"), evidence.c.digest == bindparam("digest")
)


def read_evidence(
    unit_of_work: RegistryUnitOfWork, disclosure_id: UUID, *, at: datetime
) -> DecisionEvidence | None:
    """Return the documents and their reports, after the access is committed to the log."""
    with unit_of_work.begin() as transaction:
        row = transaction.fetch_one(_DECISION, {"disclosure_id": disclosure_id.bytes})
        facts = {"disclosure": str(disclosure_id), "found": row is not None}
        target = row[0] if row is not None else ""
        unit_of_work.log.write(transaction, "evidence.look", target, facts, at=at)
    if row is None:
        return None
    recipient, decided_at, sealed = row
    reports = open_private(unit_of_work.cipher, disclosure_id.bytes, sealed).reports
    return DecisionEvidence(
        disclosure_id=disclosure_id,
        decided_at=instant(decided_at),
        pieces=tuple(_piece(unit_of_work, recipient, digest, report) for digest, report in reports),
    )


def _piece(
    unit_of_work: RegistryUnitOfWork, recipient: str, digest: bytes, report: bytes
) -> EvidenceDocument:
    row = unit_of_work.database.fetch_one(_PIECE, {"recipient": recipient, "digest": digest})
    kind, sealed = row if row is not None else (None, None)
    document = None
    if sealed is not None:
        try:
            document = unit_of_work.cipher.decrypt(
                sealed, evidence_associated_data(recipient, digest)
            )
        except FieldDecryptionError:
            # This document was altered or moved; the other documents must still be shown.
            document = None
    return EvidenceDocument(digest=digest, kind=kind, document=document, report=report)

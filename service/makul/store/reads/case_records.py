"""Everything that is recorded of one decision, for the evidence file of a case (cl. 12)."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select

from makul.app.ports import EvidenceDocument
from makul.app.ports.cases import ActRecord, CaseRecord
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import MemberCode
from makul.domain.months import Period
from makul.language.translation import translate
from makul.store.db.base import Database
from makul.store.db.codecs import CodecError, instant, micros, unpack
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.records.acts import act_associated_data
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import open_private
from makul.store.records.request_messages import open_request_message
from makul.store.schema.ledger_tables import act, ledger_position
from makul.store.schema.record_tables import disclosure, evidence, request_message, revocation
from makul.store.schema.registry_tables import agreement
from makul.store.schema.usage_tables import ground_use

ACT_KINDS = (
    "recipient.add",
    "recipient.state",
    "agreement.draft",
    "agreement.sign",
    "agreement.end",
    "ground.revoke",
    "month.issue",
    "month.answer",
    "month.ask",
    "oversight.CutOffRecipient",
    "oversight.ReinstateRecipient",
    "oversight.TerminateAgreement",
)
"""Acts about the recipient. Those about officials and signatories name persons of the recipient,
and are left out."""

_TOTAL = select(func.count()).where(
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.decided_at >= bindparam("begins"),
    disclosure.c.decided_at < bindparam("ends"),
)
_DECISION = (
    select(
        disclosure.c.sealed,
        disclosure.c.ground_digest,
        request_message.c.sealed.label("message"),
        ground_use.c.revoked_at.label("by_operator"),
        revocation.c.revoked_at.label("by_subject"),
        revocation.c.document.label("revocation"),
    )
    .select_from(
        disclosure.outerjoin(
            ground_use,
            and_(
                ground_use.c.recipient == disclosure.c.recipient,
                ground_use.c.kind == disclosure.c.ground_kind,
                ground_use.c.ground_id == disclosure.c.ground_id,
            ),
        )
        .outerjoin(request_message, request_message.c.disclosure_id == disclosure.c.disclosure_id)
        .outerjoin(
            revocation,
            and_(
                disclosure.c.ground_kind == GroundKind.CONSENT.value,
                revocation.c.recipient == disclosure.c.recipient,
                revocation.c.consent_id == disclosure.c.ground_id,
                revocation.c.subject_index == disclosure.c.subject_index,
            ),
        )
    )
    .where(
        disclosure.c.disclosure_id == bindparam("disclosure_id"),
        disclosure.c.recipient == bindparam("recipient"),
    )
)
_DOCUMENT = select(evidence.c.kind, evidence.c.sealed).where(
    evidence.c.recipient == bindparam("recipient"), evidence.c.digest == bindparam("digest")
)
_ACTS = (
    select(
        act.c.act_id,
        act.c.number,
        act.c.at,
        act.c.who,
        act.c.kind,
        act.c.target,
        act.c.sealed,
        ledger_position.c.position,
    )
    .select_from(act.outerjoin(ledger_position, ledger_position.c.disclosure_id == act.c.act_id))
    .where(
        or_(*(act.c.kind == kind for kind in ACT_KINDS)),
        (act.c.target == bindparam("recipient"))
        | act.c.target.in_(
            select(agreement.c.number).where(agreement.c.recipient == bindparam("recipient"))
        ),
        act.c.at < bindparam("until"),
    )
    .order_by(act.c.number)
)


class _CaseDecisionRow(NamedTuple):
    sealed: bytes
    ground_digest: bytes | None
    message: bytes | None
    by_operator: int | None
    by_subject: int | None
    revocation: bytes | None


_read_decision = build_row_reader(_DECISION, _CaseDecisionRow)


class _ActRow(NamedTuple):
    act_id: bytes
    number: int
    at: int
    who: str
    kind: str
    target: str
    sealed: bytes
    position: int | None


_read_act = build_row_reader(_ACTS, _ActRow)


def count_decisions(database: Database, period: Period, recipient: MemberCode) -> int:
    """Return the number of a recipient's decisions in a period."""
    values = {
        "recipient": recipient,
        "begins": micros(period.begins),
        "ends": micros(period.ends),
    }
    row = database.fetch_one(_TOTAL, values)
    return int(row[0]) if row is not None else 0


def read_case_record(
    database: Database, cipher: FieldCipher, recipient: MemberCode, disclosure_id: UUID
) -> CaseRecord:
    """Return what is recorded of a decision. Raises `CodecError` if it is not there any more."""
    row = database.fetch_one(
        _DECISION, {"disclosure_id": disclosure_id.bytes, "recipient": recipient}
    )
    if row is None:
        raise CodecError(translate("a decision of the case was removed while the case was built"))
    read = _read_decision(row)
    private = open_private(cipher, disclosure_id.bytes, read.sealed)
    reports = dict(private.reports)
    digests = dict.fromkeys([*reports, *([read.ground_digest] if read.ground_digest else [])])
    times = (read.by_operator, read.by_subject)
    revoked = min((at for at in times if at is not None), default=None)
    signed = None
    if read.revocation is not None:
        signed = _read_document(database, cipher, recipient, read.revocation)[1]
    request = _read_request(database, cipher, recipient, disclosure_id, read.message)
    return CaseRecord(
        salt=private.leaf_salt,
        statement=private.leaf_statement,
        receipt=private.receipt,
        documents=tuple(
            EvidenceDocument(
                digest=digest, kind=kind, document=document, report=reports.get(digest, b"")
            )
            for digest in digests
            for kind, document in (_read_document(database, cipher, recipient, digest),)
        ),
        request=request,
        has_unreadable_request=request is None and read.message is not None,
        revoked_at=None if revoked is None else instant(revoked),
        revocation=signed,
    )


def _read_request(
    database: Database,
    cipher: FieldCipher,
    recipient: MemberCode,
    disclosure_id: UUID,
    sealed: bytes | None,
) -> bytes | None:
    """Return the signed message of a request; None if there is none or it does not read back."""
    if sealed is None:
        return None
    try:
        return open_request_message(
            cipher,
            disclosure_id.bytes,
            sealed,
            lambda digest: _read_document(database, cipher, recipient, digest)[1],
        )
    except (CodecError, FieldDecryptionError):
        return None


def _read_document(
    database: Database, cipher: FieldCipher, recipient: MemberCode, digest: bytes
) -> tuple[str | None, bytes | None]:
    """Return the kind and the bytes of a stored document; None for what is not there."""
    row = database.fetch_one(_DOCUMENT, {"recipient": recipient, "digest": digest})
    if row is None:
        return None, None
    kind, sealed = row
    try:
        return kind, cipher.decrypt(sealed, evidence_associated_data(recipient, digest))
    except FieldDecryptionError:
        # This document was altered or moved. The case must say so, and contain the others.
        return kind, None


def list_acts(
    database: Database, cipher: FieldCipher, recipient: MemberCode, *, until: int
) -> Sequence[ActRecord]:
    """Return the acts about a recipient and its agreements before a microsecond."""
    acts = []
    for row in database.fetch_all(_ACTS, {"recipient": recipient, "until": until}):
        read = _read_act(row)
        header, parts = unpack(cipher.decrypt(read.sealed, act_associated_data(read.act_id)))
        if header.get("v") != 1 or len(parts) != 2:
            raise CodecError(translate("an act has an unknown format"))
        acts.append(
            ActRecord(
                number=read.number,
                at=instant(read.at),
                who=read.who,
                kind=read.kind,
                target=read.target,
                leaf_index=read.position,
                salt=parts[0],
                statement=parts[1],
            )
        )
    return acts

"""A recipient's period for the evidence file of a case (Procedure, cl. 12)."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import bindparam, select

from makul.app.ports.cases import RecordedCase, SignedDraft
from makul.domain.cases import CasePeriod
from makul.domain.identifiers import MemberCode
from makul.language.translation import translate
from makul.store.admin import signatories
from makul.store.admin.agreement_history import list_versions
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import CodecError, instant, micros
from makul.store.db.rows import build_row_reader
from makul.store.reads import case_records
from makul.store.reads.monthly_decisions import MonthReader
from makul.store.schema.registry_tables import agreement, agreement_draft, agreement_signature

_SIGNED = (
    select(
        agreement_signature.c.number,
        agreement_draft.c.drafted_at,
        agreement_signature.c.terms_digest,
        agreement_signature.c.role,
        agreement_signature.c.member,
        agreement_signature.c.signer,
        agreement_signature.c.recorded_at,
        agreement_signature.c.document,
    )
    .select_from(
        agreement_signature.join(
            agreement, agreement.c.number == agreement_signature.c.number
        ).join(
            agreement_draft,
            (agreement_draft.c.number == agreement_signature.c.number)
            & (agreement_draft.c.terms_digest == agreement_signature.c.terms_digest),
        )
    )
    .where(agreement.c.recipient == bindparam("recipient"))
    .order_by(
        agreement_signature.c.number,
        agreement_draft.c.drafted_at,
        agreement_signature.c.recorded_at,
        agreement_signature.c.role,
    )
)


class _SignedRow(NamedTuple):
    number: str
    drafted_at: int
    terms_digest: bytes
    role: str
    member: str
    signer: bytes
    recorded_at: int
    document: bytes


_read_signed = build_row_reader(_SIGNED, _SignedRow)


def read_case(
    unit_of_work: RegistryUnitOfWork,
    period: CasePeriod,
    recipient: MemberCode,
    *,
    reason: str,
    preview: bool,
    at: datetime,
) -> RecordedCase:
    """Return a recipient's period after the act was recorded in the audit log."""
    facts = {
        "from": period.first.isoformat(),
        "to": period.end.isoformat(),
        "reason": reason,
        "preview": preview,
    }
    database, cipher = unit_of_work.database, unit_of_work.cipher
    with database.transaction() as transaction:
        unit_of_work.log.write(transaction, "case.build", recipient, facts, at=at)
    versions = list_versions(unit_of_work, recipient)
    return RecordedCase(
        period=MonthReader(database, cipher, recipient).read_month(period, versions, at=at),
        total=case_records.count_decisions(database, period, recipient),
        acts=case_records.list_acts(database, cipher, recipient, until=micros(at)),
        signed_drafts=_list_signed(unit_of_work, recipient),
        read_record=partial(case_records.read_case_record, database, cipher, recipient),
    )


def _list_signed(unit_of_work: RegistryUnitOfWork, recipient: MemberCode) -> Sequence[SignedDraft]:
    """Return the signed document of each party under each draft."""
    signed = []
    for row in unit_of_work.database.fetch_all(_SIGNED, {"recipient": recipient}):
        read = _read_signed(row)
        stored = signatories.read_document(unit_of_work, read.document)
        if stored is None:
            raise CodecError(translate("a signed agreement is not stored any more"))
        signed.append(
            SignedDraft(
                number=read.number,
                drafted_at=instant(read.drafted_at),
                terms_digest=read.terms_digest,
                role=read.role,
                member=read.member,
                signer=read.signer,
                recorded_at=instant(read.recorded_at),
                document=stored.document,
            )
        )
    return signed

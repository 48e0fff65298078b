"""The drafts of agreements that wait for signatures, as the authorised body reads them (cl. 7)."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from makul.app.ports import PendingDraft
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.store.db.base import Database
from makul.store.encryption.fields import FieldCipher
from makul.store.reads.agreement_signatures import NEWEST_DRAFT, list_signatures
from makul.store.reads.desk_documents import read_desk_document
from makul.store.schema.registry_tables import agreement

_DRAFTS = (
    select(agreement.c.number, agreement.c.recipient)
    .where(agreement.c.state == AgreementState.DRAFT.value)
    .order_by(agreement.c.number)
)
_DRAFT = _DRAFTS.where(agreement.c.number == bindparam("number"))
_STATE = select(agreement.c.state).where(agreement.c.number == bindparam("number"))


def find_state(database: Database, number: AgreementNumber) -> AgreementState | None:
    """Return the state of an agreement; None if there is none."""
    row = database.fetch_one(_STATE, {"number": number})
    return AgreementState(row[0]) if row is not None else None


def list_drafts(
    database: Database, cipher: FieldCipher, number: AgreementNumber | None = None
) -> Sequence[PendingDraft]:
    """Return the drafts of all agreements by number; or that of one, with its exact bytes."""
    if number is None:
        rows = database.fetch_all(_DRAFTS, {})
    else:
        rows = database.fetch_all(_DRAFT, {"number": number})
    drafts = []
    for known, recipient in rows:
        newest = database.fetch_one(NEWEST_DRAFT, {"number": known})
        if newest is None:
            continue
        kept = read_desk_document(database, cipher, newest[0]) if number is not None else None
        if number is not None and kept is None:
            continue
        signed = {each.role for each in list_signatures(database, AgreementNumber(known))}
        drafts.append(
            PendingDraft(
                number=AgreementNumber(known),
                recipient=MemberCode(recipient),
                digest=newest[0],
                signed_by=tuple(role for role in AgreementRole if role in signed),
                document=kept.document if kept is not None else None,
            )
        )
    return drafts

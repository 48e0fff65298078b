"""Agreements from draft to end: only three signatures bring one into force (cl. 7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import AgreementSignature, OperatorRegistryError, SignedBytes
from makul.domain.agreements import Agreement, AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.signature_rules import SigningFault, judge_signing
from makul.language.translation import mark, translate
from makul.store.admin import agreement_signatures, signatories
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Row, Transaction
from makul.store.db.codecs import agreement_from_row, micros, terms_to_text
from makul.store.reads.agreement_signatures import NEWEST_DRAFT, STANDING
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import (
    AGREEMENT_COLUMNS,
    agreement,
    agreement_draft,
)

DRAFT_KIND = "AGREEMENT_DRAFT"

_ALL = select(*AGREEMENT_COLUMNS).order_by(agreement.c.number)
_OWN = _ALL.where(agreement.c.recipient == bindparam("recipient"))
_ADD = insert(agreement)
_CHANGE = (
    update(agreement)
    .where(agreement.c.number == bindparam("key_number"))
    .values(
        state=bindparam("state"),
        valid_from=bindparam("valid_from"),
        valid_to=bindparam("valid_to"),
        terms=bindparam("terms"),
        changed_at=bindparam("changed_at"),
    )
)
_DRAFTED_BEFORE = select(agreement_draft.c.drafted_at).where(
    agreement_draft.c.number == bindparam("number"),
    agreement_draft.c.terms_digest == bindparam("terms_digest"),
)
_ADD_DRAFT = insert(agreement_draft)

_SIGNING_FAULTS: Mapping[SigningFault, str] = {
    SigningFault.UNKNOWN: mark("no agreement of this number is registered"),
    SigningFault.NOT_A_DRAFT: mark("this agreement is {state} already; there is nothing to sign"),
    SigningFault.TERM_OVER: mark("this agreement's term is over; make a new draft"),
    SigningFault.NOT_NEWEST: mark(
        "this is not the agreement's newest draft; sign the newest draft"
    ),
    SigningFault.OTHER_RECIPIENT: mark("the agreement is another recipient's"),
    SigningFault.NOT_SIGNATORY: mark("the signer is not a signatory of that party"),
    SigningFault.NO_COMPETENCE: mark(
        "this draft names no act of law for the recipient's competence (cl. 3); make a new draft"
    ),
    SigningFault.SIGNED_BEFORE: mark("this signatory has signed these terms already"),
}


def draft(
    unit_of_work: RegistryUnitOfWork,
    new: Agreement,
    document: bytes,
    *,
    at: datetime,
) -> None:
    """Submit draft terms to the parties.

    A number belongs to its recipient permanently, and an agreement that was terminated cannot be
    drafted again. Raises `OperatorRegistryError`.
    """
    if new.state is not AgreementState.DRAFT:
        raise OperatorRegistryError(
            translate("an agreement begins as a draft; three signatures bring it into force")
        )
    number, digest = new.number, sha256(document).digest()
    terms = {
        "state": new.state.value,
        "valid_from": micros(new.valid_from),
        "valid_to": micros(new.valid_to),
        "terms": terms_to_text(new),
    }
    with unit_of_work.begin(locking_recipient=new.recipient) as transaction:
        require_recipient(transaction, new.recipient)
        act = unit_of_work.act(
            transaction,
            agreement_signatures.agreement_row(number),
            RowKey("agreement_draft", {"number": number, "terms_digest": digest}),
            signatories.document_row(digest),
        )
        known = transaction.fetch_one(STANDING, {"number": number})
        if known is None:
            key = {"number": number, "recipient": new.recipient, "to_lock_by": None}
            transaction.execute(_ADD, {**key, **terms, "changed_at": micros(at)})
        else:
            _must_be_changeable(known, new.recipient)
            changed_at = agreement_signatures.next_change(transaction, number, at)
            transaction.execute(_CHANGE, {"key_number": number, "changed_at": changed_at, **terms})
        _add_draft(transaction, number, digest, at)
        unsigned = SignedBytes(digest=digest, document=document, report=b"")
        signatories.store_document(transaction, unit_of_work.cipher, DRAFT_KIND, unsigned, at=at)
        facts = {**terms, "digest": digest.hex()}
        act.write("agreement.draft", number, facts, at=at)


def everything(
    unit_of_work: RegistryUnitOfWork, recipient: MemberCode | None = None
) -> Sequence[Agreement]:
    """Return every agreement, or those of one recipient, by number."""
    if recipient is None:
        rows = unit_of_work.database.fetch_all(_ALL, {})
    else:
        rows = unit_of_work.database.fetch_all(_OWN, {"recipient": recipient})
    return [agreement_from_row(row) for row in rows]


def draft_document(unit_of_work: RegistryUnitOfWork, number: AgreementNumber) -> bytes | None:
    """Return the unsigned document of the newest draft; None if the number is not known."""
    row = unit_of_work.database.fetch_one(NEWEST_DRAFT, {"number": number})
    draft = signatories.read_document(unit_of_work, row[0]) if row is not None else None
    return draft.document if draft is not None else None


def sign(
    unit_of_work: RegistryUnitOfWork,
    signature: AgreementSignature,
    *,
    at: datetime,
) -> AgreementState:
    """Record a verified signature under the newest draft, and return the agreement's new state."""
    number = signature.number
    with unit_of_work.begin(locking_recipient=_owner(unit_of_work, number)) as transaction:
        case = agreement_signatures.signing_case(transaction, signature, at=at)
        fault = judge_signing(case)
        if fault is not None:
            state_before = case.agreement.state.value if case.agreement is not None else ""
            raise OperatorRegistryError(translate(_SIGNING_FAULTS[fault], state=state_before))
        act = unit_of_work.act(transaction, *agreement_signatures.signature_rows(signature))
        state = agreement_signatures.record_signature(
            transaction, unit_of_work.cipher, signature, at=at
        )
        facts = {
            "role": signature.role.value,
            "member": signature.member,
            "signer": signature.signer.hex(),
            "digest": signature.terms_digest.hex(),
            "document": signature.signed.digest.hex(),
            "state": state.value,
        }
        act.write("agreement.sign", number, facts, at=at)
    return state


def terminate(
    unit_of_work: RegistryUnitOfWork, number: AgreementNumber, *, reason: str, at: datetime
) -> None:
    """Terminate an agreement; this cannot be undone (cl. 12)."""
    with unit_of_work.begin(locking_recipient=_owner(unit_of_work, number)) as transaction:
        known = transaction.fetch_one(STANDING, {"number": number})
        if known is None:
            raise OperatorRegistryError(translate("no agreement of this number is registered"))
        if known[1] == AgreementState.TERMINATED.value:
            raise OperatorRegistryError(translate("this agreement was terminated before"))
        state = AgreementState.TERMINATED.value
        values = {"key_number": number, "state": state, "changed_at": micros(at)}
        act = unit_of_work.act(transaction, agreement_signatures.agreement_row(number))
        transaction.execute(agreement_signatures.SET_AGREEMENT_STATE, values)
        facts = {"state": state, "was": known[1], "reason": reason}
        act.write("agreement.end", number, facts, at=at)


def _owner(unit_of_work: RegistryUnitOfWork, number: AgreementNumber) -> str | None:
    """Return the recipient to which an agreement number belongs; None if it is not known."""
    known = unit_of_work.database.fetch_one(STANDING, {"number": number})
    return known[0] if known is not None else None


def _must_be_changeable(known: Row, owner: MemberCode) -> None:
    if known[0] != owner:
        raise OperatorRegistryError(translate("this agreement number belongs to another recipient"))
    if known[1] == AgreementState.TERMINATED.value:
        raise OperatorRegistryError(
            translate("this agreement was terminated; a new one needs a new number")
        )


def _add_draft(transaction: Transaction, number: str, digest: bytes, at: datetime) -> None:
    """Add the newest draft.

    Its time is after every earlier draft's, even if the clock stood still or was set back.
    """
    key = {"number": number, "terms_digest": digest}
    if transaction.fetch_one(_DRAFTED_BEFORE, key) is not None:
        raise OperatorRegistryError(translate("this same document was already a draft earlier"))
    newest = transaction.fetch_one(NEWEST_DRAFT, {"number": number})
    drafted_at = micros(at) if newest is None else max(micros(at), newest[1] + 1)
    transaction.execute(_ADD_DRAFT, {**key, "drafted_at": drafted_at})

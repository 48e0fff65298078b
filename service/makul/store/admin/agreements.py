"""Agreements from draft to end: only three signatures bring one into force (cl. 7)."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import AgreementSignature, OperatorRegistryError, SignedBytes
from makul.domain.agreements import Agreement, AgreementRole, AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.language.translation import translate
from makul.store.admin import signatories
from makul.store.admin.recipients import require_recipient
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Row, Transaction
from makul.store.db.codecs import agreement_from_row, micros, terms_to_text
from makul.store.reads.agreement_signatures import NEWEST_DRAFT, SIGNATURES, STANDING
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import (
    AGREEMENT_COLUMNS,
    agreement,
    agreement_draft,
    agreement_signature,
)

DRAFT_KIND = "AGREEMENT_DRAFT"
SIGNED_KIND = "AGREEMENT"

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
_CHANGED_AT = select(agreement.c.changed_at).where(agreement.c.number == bindparam("number"))
_SET_STATE = (
    update(agreement)
    .where(agreement.c.number == bindparam("key_number"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_DRAFTED_BEFORE = select(agreement_draft.c.drafted_at).where(
    agreement_draft.c.number == bindparam("number"),
    agreement_draft.c.terms_digest == bindparam("terms_digest"),
)
_ADD_DRAFT = insert(agreement_draft)
_ADD_SIGNATURE = insert(agreement_signature)
_SIGNED_ALREADY = select(agreement_signature.c.recorded_at).where(
    agreement_signature.c.number == bindparam("number"),
    agreement_signature.c.terms_digest == bindparam("terms_digest"),
    agreement_signature.c.role == bindparam("role"),
    agreement_signature.c.signer == bindparam("signer"),
)


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
            _agreement_row(number),
            RowKey("agreement_draft", {"number": number, "terms_digest": digest}),
            signatories.document_row(digest),
        )
        known = transaction.fetch_one(STANDING, {"number": number})
        if known is None:
            key = {"number": number, "recipient": new.recipient, "to_lock_by": None}
            transaction.execute(_ADD, {**key, **terms, "changed_at": micros(at)})
        else:
            _must_be_changeable(known, new.recipient)
            changed_at = _next_change(transaction, number, at)
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
        _must_be_signable(transaction, signature, at)
        values = {
            "number": number,
            "terms_digest": signature.terms_digest,
            "role": signature.role.value,
            "signer": signature.signer,
        }
        if transaction.fetch_one(_SIGNED_ALREADY, values) is not None:
            raise OperatorRegistryError(translate("this signatory has signed these terms already"))
        act = unit_of_work.act(
            transaction,
            _agreement_row(number),
            RowKey("agreement_signature", values),
            signatories.document_row(signature.signed.digest),
        )
        signatories.store_document(
            transaction, unit_of_work.cipher, SIGNED_KIND, signature.signed, at=at
        )
        recorded = {
            **values,
            "member": signature.member,
            "document": signature.signed.digest,
            "recorded_at": micros(at),
        }
        transaction.execute(_ADD_SIGNATURE, recorded)
        state = AgreementState.DRAFT
        if _all_have_signed(transaction, number, signature.terms_digest):
            state = AgreementState.IN_FORCE
            changed_at = _next_change(transaction, number, at)
            changed = {"key_number": number, "state": state.value, "changed_at": changed_at}
            transaction.execute(_SET_STATE, changed)
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
        act = unit_of_work.act(transaction, _agreement_row(number))
        transaction.execute(_SET_STATE, values)
        facts = {"state": state, "was": known[1], "reason": reason}
        act.write("agreement.end", number, facts, at=at)


def _agreement_row(number: AgreementNumber) -> RowKey:
    return RowKey("agreement", {"number": number})


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


def _next_change(transaction: Transaction, number: str, at: datetime) -> int:
    """Return the time of a change, which no earlier state of the agreement had.

    The clock may have stood still or been set back. A proposed termination is that of the state
    with this very time (`termination_proposal`).
    """
    (changed_at,) = transaction.fetch_one(_CHANGED_AT, {"number": number}) or (0,)
    return max(micros(at), int(changed_at) + 1)


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


def _must_be_signable(
    transaction: Transaction, signature: AgreementSignature, at: datetime
) -> None:
    """Check everything that may have changed since the signature was verified."""
    known = transaction.fetch_one(STANDING, {"number": signature.number})
    if known is None:
        raise OperatorRegistryError(translate("no agreement of this number is registered"))
    owner, state, valid_to = known
    if state != AgreementState.DRAFT.value:
        raise OperatorRegistryError(
            translate("this agreement is {state} already; there is nothing to sign", state=state)
        )
    if valid_to <= micros(at):
        raise OperatorRegistryError(translate("this agreement's term is over; make a new draft"))
    newest = transaction.fetch_one(NEWEST_DRAFT, {"number": signature.number})
    if newest is None or newest[0] != signature.terms_digest:
        raise OperatorRegistryError(
            translate("this is not the agreement's newest draft; sign the newest draft")
        )
    if signature.role is AgreementRole.RECIPIENT and signature.member != owner:
        raise OperatorRegistryError(translate("the agreement is another recipient's"))
    if not signatories.may_sign(transaction, signature.member, signature.signer, signature.role):
        raise OperatorRegistryError(translate("the signer is not a signatory of that party"))


def _all_have_signed(transaction: Transaction, number: str, digest: bytes) -> bool:
    """Return whether all three roles have signed.

    Only signatories who may sign at this moment count, and one certificate counts for one role.
    """
    rows = transaction.fetch_all(SIGNATURES, {"number": number, "terms_digest": digest})
    roles_by_signer = {
        signer: AgreementRole(role) for role, _, signer, _, gone in rows if gone is None
    }
    return frozenset(roles_by_signer.values()) == frozenset(AgreementRole)

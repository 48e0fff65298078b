"""What must still be true at the moment of recording, read inside the recording transaction.

On SQLite a write transaction is alone; on PostgreSQL `FOR SHARE` makes a suspension that commits
meanwhile wait for us, or us for it (invariant 4).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports import Entry
from makul.domain.agreements import Agreement, AgreementState, Channel, Delivery
from makul.domain.disclosures import GroundKind
from makul.domain.eligibility import SEALED_FIELD
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul.store.db.base import Transaction
from makul.store.db.codecs import agreement_from_row
from makul.store.encryption.fields import FieldCipher
from makul.store.records.consent_revocations import is_revoked_by_index, taken_back
from makul.store.records.locks import NO_NOTICE, notices_of, wait_for_revocations
from makul.store.schema.tables import (
    agreement,
    certificate,
    ground_use,
    official_withdrawal,
    recipient,
    sealing_certificate,
)

_RECIPIENT_STATE = (
    select(recipient.c.state)
    .where(recipient.c.code == bindparam("recipient"))
    .with_for_update(read=True)
)
_RECIPIENT_UNDISPUTED = _RECIPIENT_STATE.where(NO_NOTICE)
_AGREEMENT = (
    select(
        agreement.c.number,
        agreement.c.recipient,
        agreement.c.state,
        agreement.c.valid_from,
        agreement.c.valid_to,
        agreement.c.terms,
    )
    .where(agreement.c.number == bindparam("number"))
    .with_for_update(read=True)
)
_CERTIFICATE_WITHDRAWN = (
    select(certificate.c.withdrawn_at)
    .where(
        certificate.c.fingerprint == bindparam("fingerprint"),
        certificate.c.recipient == bindparam("recipient"),
    )
    .with_for_update(read=True)
)
_SEALING_WITHDRAWN = (
    select(sealing_certificate.c.withdrawn_at)
    .where(
        sealing_certificate.c.fingerprint == bindparam("fingerprint"),
        sealing_certificate.c.recipient == bindparam("recipient"),
    )
    .with_for_update(read=True)
)
_OFFICIAL_WITHDRAWN = select(official_withdrawal.c.withdrawn_at).where(
    official_withdrawal.c.recipient == bindparam("recipient"),
    official_withdrawal.c.fingerprint == bindparam("official"),
)
_GROUND_REVOKED = select(ground_use.c.revoked_at).where(
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == bindparam("kind"),
    ground_use.c.ground_id == bindparam("ground_id"),
)
"""Without a lock: whoever revokes has the recipient's row alone, and we hold it in share. Two that
held the meter in share, each to write it then, would wait for one another."""

_BY_STATE: dict[str, tuple[Reason, ...]] = {
    RecipientState.ACTIVE: (),
    RecipientState.ON_HOLD: (Reason(code=Code.RCP_02),),
    RecipientState.CUT_OFF: (Reason(code=Code.RCP_03),),
}

_REVOKED = {
    GroundKind.CONSENT: Reason(code=Code.CNS_05),
    GroundKind.BASIS: Reason(code=Code.LAW_08),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerChannel:
    """How whoever asks came in."""

    channel: Channel
    certificate: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswerScope:
    """What a stored answer gave, and on what ground."""

    agreement: AgreementNumber | None
    purpose: PurposeCode | None
    released: frozenset[str]
    ground: tuple[GroundKind, UUID] | None
    subject_index: bytes | None = None
    sealed_to: bytes | None = None


def against_entry(
    transaction: Transaction, sealer: FieldCipher, entry: Entry
) -> tuple[Reason, ...]:
    """What now forbids a decision that tells something: who asks, their agreement, the ground.

    A ground that is metered is not read here: its meter tells whether it was revoked.
    """
    code = entry.key.recipient
    reasons = against_recipient(transaction, code)
    if entry.certificate is not None:
        reasons += _against_certificate(transaction, code, entry.certificate)
    if entry.sealed_to is not None:
        reasons += _against_sealing(transaction, code, entry.sealed_to)
    found, against = _agreement(transaction, code, entry.agreement_number, entry.decided_at)
    reasons += against
    if found is not None and not against:
        reasons += _under_other_terms(found, entry)
    if entry.official is not None and official_withdrawn(transaction, code, entry.official):
        reasons += (Reason(code=Code.LAW_09, because=Code.SIG_08),)
    if entry.ground is not None and not entry.meter:
        ground = entry.ground
        reasons += (
            (revoked(ground.kind),)
            if taken_back(transaction, sealer, code, ground)
            else _against_ground(transaction, code, ground.kind, ground.id)
        )
    return reasons


def against_replay(
    transaction: Transaction,
    code: MemberCode,
    given: StoredAnswerScope,
    way: CallerChannel,
    *,
    at: datetime,
) -> tuple[Reason, ...]:
    """What now forbids giving a stored answer again, to whoever came this way.

    Recipient, certificate, agreement (its channels and what it covers) and revocation.
    """
    reasons = against_recipient(transaction, code)
    if way.certificate is not None:
        reasons += _against_certificate(transaction, code, way.certificate)
    if given.sealed_to is not None:
        reasons += _against_sealing(transaction, code, given.sealed_to)
    found, against = _agreement(transaction, code, given.agreement, at)
    reasons += against
    if found is not None and not against:
        reasons += _beyond(found, given, way)
    reasons += _against_given(transaction, code, given)
    return reasons


def against_recipient(transaction: Transaction, code: MemberCode) -> tuple[Reason, ...]:
    """RCP-02 or RCP-03; RCP-01 where it is not registered (or its state is no state)."""
    row = transaction.one(_RECIPIENT_UNDISPUTED, {"recipient": code, **notices_of(code)})
    if row is None:
        wait_for_revocations(transaction, code)
        row = transaction.one(_RECIPIENT_STATE, {"recipient": code})
    return _BY_STATE.get(row[0] if row is not None else "", (Reason(code=Code.RCP_01),))


def official_withdrawn(transaction: Transaction, code: MemberCode, fingerprint: bytes) -> bool:
    """Was this official of the recipient withdrawn, by the fingerprint of their certificate?"""
    values = {"recipient": code, "official": fingerprint}
    return transaction.one(_OFFICIAL_WITHDRAWN, values) is not None


def revoked(kind: GroundKind) -> Reason:
    """How a revoked ground is told: CNS-05; of a basis in law only that it is spent (LAW-08)."""
    return _REVOKED[kind]


def _against_ground(
    transaction: Transaction, code: MemberCode, kind: GroundKind, ground_id: UUID
) -> tuple[Reason, ...]:
    values = {"recipient": code, "kind": kind.value, "ground_id": ground_id.bytes}
    row = transaction.one(_GROUND_REVOKED, values)
    return (revoked(kind),) if row is not None and row[0] is not None else ()


def _against_given(
    transaction: Transaction, code: MemberCode, given: StoredAnswerScope
) -> tuple[Reason, ...]:
    """Likewise, of the ground on which a stored answer was given."""
    if given.ground is None:
        return ()
    kind, ground_id = given.ground
    by_subject = (
        kind is GroundKind.CONSENT
        and given.subject_index is not None
        and is_revoked_by_index(transaction, code, ground_id.bytes, given.subject_index)
    )
    return (revoked(kind),) if by_subject else _against_ground(transaction, code, kind, ground_id)


def _against_certificate(
    transaction: Transaction, code: MemberCode, fingerprint: bytes
) -> tuple[Reason, ...]:
    values = {"recipient": code, "fingerprint": fingerprint}
    row = transaction.one(_CERTIFICATE_WITHDRAWN, values)
    return () if row == (None,) else (Reason(code=Code.RCP_04),)


def _against_sealing(
    transaction: Transaction, code: MemberCode, fingerprint: bytes
) -> tuple[Reason, ...]:
    """A withdrawn key may be in other hands: what is encrypted to it is not given any more."""
    values = {"recipient": code, "fingerprint": fingerprint}
    row = transaction.one(_SEALING_WITHDRAWN, values)
    return () if row == (None,) else (Reason(code=Code.RCP_04, field=SEALED_FIELD),)


def _agreement(
    transaction: Transaction, code: MemberCode, number: AgreementNumber | None, at: datetime
) -> tuple[Agreement | None, tuple[Reason, ...]]:
    """The recipient's own agreement, and AGR-01 or AGR-02 where it is not in force."""
    row = transaction.one(_AGREEMENT, {"number": number}) if number is not None else None
    found = agreement_from_row(row) if row is not None else None
    if found is None or found.recipient != code:
        return None, (Reason(code=Code.AGR_01, field="agreementNumber"),)
    if found.state is AgreementState.TERMINATED:
        return found, (Reason(code=Code.AGR_02, field="agreementNumber"),)
    if not found.covers(at):
        return found, (Reason(code=Code.AGR_01, field="agreementNumber"),)
    return found, ()


def _beyond(found: Agreement, given: StoredAnswerScope, way: CallerChannel) -> tuple[Reason, ...]:
    """What a stored answer gave beyond the terms as they stand (invariant 3), or the way in."""
    reasons: tuple[Reason, ...] = ()
    if way.channel not in found.channels:
        reasons += (Reason(code=Code.REQ_08),)
    if given.purpose is not None and given.purpose not in found.purposes:
        reasons += (Reason(code=Code.AGR_03, field="purpose"),)
    if given.released and given.sealed_to is None and found.delivery is Delivery.SEALED:
        # What went in the clear before does not go so again; the id stays closed all the same.
        reasons += (Reason(code=Code.REQ_04, field="requestId"),)
    return reasons + tuple(
        Reason(code=Code.AGR_04, field=name) for name in sorted(given.released - found.attributes)
    )


def _under_other_terms(found: Agreement, entry: Entry) -> tuple[Reason, ...]:
    """Changed terms hold at once: what was decided under the old ones is decided anew."""
    return () if found == entry.terms else (Reason(code=Code.REQ_05),)

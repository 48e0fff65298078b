"""Preconditions of a decision, read again in the transaction that records it (invariant 4).

On SQLite only one transaction writes at a time. On PostgreSQL `FOR SHARE` orders a concurrent
suspension: it waits for the decision, or the decision waits for it
(docs/decisions/0005-rights-at-commit.md).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports import (
    DisclosureFacts,
    Entry,
    Match,
    MeteredUse,
    Release,
    RequestKey,
    Space,
)
from makul.domain.agreements import Agreement, AgreementState, Channel, Delivery
from makul.domain.disclosures import GroundKind
from makul.domain.eligibility import SEALED_FIELD
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.person_locks import MatchingState
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul.store.db.base import Transaction
from makul.store.db.codecs import agreement_from_row
from makul.store.encryption.fields import FieldCipher
from makul.store.records.consent_revocations import is_revoked, is_revoked_by_index
from makul.store.records.locks import NO_ANNOUNCEMENT, announcement_keys, wait_for_revocations
from makul.store.records.undertakings import has_undertaking
from makul.store.schema.registry_tables import (
    AGREEMENT_COLUMNS,
    agreement,
    certificate,
    matching_lock,
    official_withdrawal,
    recipient,
    sealing_certificate,
)
from makul.store.schema.usage_tables import ground_use

_RECIPIENT_STATE = (
    select(recipient.c.state)
    .where(recipient.c.code == bindparam("recipient"))
    .with_for_update(read=True)
)
_RECIPIENT_UNDISPUTED = _RECIPIENT_STATE.where(NO_ANNOUNCEMENT)
_AGREEMENT = (
    select(*AGREEMENT_COLUMNS)
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
_ENCRYPTION_CERTIFICATE_WITHDRAWN = (
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
"""Reads without a lock.

A revocation takes the recipient row exclusively and the decision holds it in share mode, so the
value cannot change. A share lock on the usage row would deadlock two writers.
"""

_LOCK = select(matching_lock.c.state).where(
    matching_lock.c.subject_index == bindparam("subject_index")
)

_BY_STATE: dict[str, tuple[Reason, ...]] = {
    RecipientState.ACTIVE: (),
    RecipientState.ON_HOLD: (Reason(code=Code.RCP_02),),
    RecipientState.CUT_OFF: (Reason(code=Code.RCP_03),),
    RecipientState.REMOVED: (Reason(code=Code.RCP_01),),
}

_REVOKED = {
    GroundKind.CONSENT: Reason(code=Code.CNS_05),
    GroundKind.BASIS: Reason(code=Code.LAW_08),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerChannel:
    """The channel of a caller, and the certificate by which the caller was authenticated."""

    channel: Channel
    certificate: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswerScope:
    """What a stored answer released, and the ground of the release."""

    agreement: AgreementNumber | None
    purpose: PurposeCode | None
    released: frozenset[str]
    ground: tuple[GroundKind, UUID] | None
    subject_index: bytes | None = None
    sealed_to: bytes | None = None


def check_entry(transaction: Transaction, cipher: FieldCipher, entry: Entry) -> tuple[Reason, ...]:
    """Return the reasons that now forbid a decision that discloses something.

    They concern the recipient, the certificates, the agreement, the official and the ground. A
    metered ground is not read here, because its usage row shows whether it was revoked.
    """
    decision, facts = entry.decision, entry.facts
    code, certificate = facts.caller.recipient, facts.caller.certificate
    reasons = check_recipient(transaction, code)
    if certificate is not None:
        reasons += _check_certificate(transaction, code, certificate)
    if isinstance(decision, Release) and decision.sealed_to is not None:
        reasons += _check_encryption_certificate(transaction, code, decision.sealed_to)
    agreement, unmet = _agreement(transaction, code, facts.agreement_number, facts.at)
    reasons += unmet
    if agreement is not None and not unmet and agreement != facts.terms:
        # The request must be decided again by the new terms. They are compared as a whole, so that
        # no new term can be forgotten here (docs/decisions/0005-rights-at-commit.md).
        reasons += (Reason(code=Code.REQ_05),)
    if isinstance(facts, DisclosureFacts):
        reasons += _check_undertaking(
            transaction, cipher, (code, facts.employee), agreement, at=facts.at
        )
    if facts.official is not None and official_withdrawn(transaction, code, facts.official):
        reasons += (Reason(code=Code.LAW_09, because=Code.SIG_08),)
    metered = any(isinstance(effect, MeteredUse) for effect in decision.effects)
    ground = decision.ground if not metered else None
    if ground is not None:
        reasons += (
            (revoked(ground.kind),)
            if is_revoked(transaction, cipher, code, ground)
            else _check_ground(transaction, code, ground.kind, ground.id)
        )
    by_consent = decision.ground is not None and decision.ground.kind is GroundKind.CONSENT
    if by_consent and isinstance(decision, Release | Match) and decision.subject is not None:
        reasons += _check_lock(transaction, cipher.index("pin", decision.subject.digits))
    return reasons


def check_replay(
    transaction: Transaction,
    cipher: FieldCipher,
    key: RequestKey,
    scope: StoredAnswerScope,
    channel: CallerChannel,
    *,
    at: datetime,
) -> tuple[Reason, ...]:
    """Return the reasons that now forbid the repetition of a stored answer on this channel.

    They concern the recipient, the certificates, the agreement (its channels and its scope) and the
    revocation of the ground.
    """
    code = key.recipient
    reasons = check_recipient(transaction, code)
    if channel.certificate is not None:
        reasons += _check_certificate(transaction, code, channel.certificate)
    if scope.sealed_to is not None:
        reasons += _check_encryption_certificate(transaction, code, scope.sealed_to)
    agreement, unmet = _agreement(transaction, code, scope.agreement, at)
    reasons += unmet
    if agreement is not None and not unmet:
        reasons += _exceeds_terms(agreement, scope, channel)
        if key.space is Space.DISCLOSURE:
            asker = (code, key.asker.employee)
            reasons += _check_undertaking(transaction, cipher, asker, agreement, at=at)
    reasons += _check_stored_ground(transaction, code, scope)
    return reasons


def check_recipient(transaction: Transaction, code: MemberCode) -> tuple[Reason, ...]:
    """Return RCP-02 or RCP-03 if the recipient is not active; hold its row in share mode.

    Returns RCP-01 if the recipient is not registered or its state is unknown.
    """
    row = transaction.fetch_one(
        _RECIPIENT_UNDISPUTED, {"recipient": code, **announcement_keys(code)}
    )
    if row is None:
        wait_for_revocations(transaction, code)
        row = transaction.fetch_one(_RECIPIENT_STATE, {"recipient": code})
    return _BY_STATE.get(row[0] if row is not None else "", (Reason(code=Code.RCP_01),))


def official_withdrawn(transaction: Transaction, code: MemberCode, fingerprint: bytes) -> bool:
    """Return whether the recipient's official with this certificate fingerprint is withdrawn."""
    values = {"recipient": code, "official": fingerprint}
    return transaction.fetch_one(_OFFICIAL_WITHDRAWN, values) is not None


def revoked(kind: GroundKind) -> Reason:
    """Return the reason for a revoked ground: CNS-05, or LAW-08 for a basis statement.

    LAW-08 also means that a basis statement is used up, so it does not disclose the revocation.
    """
    return _REVOKED[kind]


def _check_ground(
    transaction: Transaction, code: MemberCode, kind: GroundKind, ground_id: UUID
) -> tuple[Reason, ...]:
    values = {"recipient": code, "kind": kind.value, "ground_id": ground_id.bytes}
    row = transaction.fetch_one(_GROUND_REVOKED, values)
    return (revoked(kind),) if row is not None and row[0] is not None else ()


def _check_stored_ground(
    transaction: Transaction, code: MemberCode, scope: StoredAnswerScope
) -> tuple[Reason, ...]:
    """Return the revocation of the ground on which a stored answer was given."""
    if scope.ground is None:
        return ()
    kind, ground_id = scope.ground
    by_subject = (
        kind is GroundKind.CONSENT
        and scope.subject_index is not None
        and is_revoked_by_index(transaction, code, ground_id.bytes, scope.subject_index)
    )
    if by_subject:
        return (revoked(kind),)
    reasons = _check_ground(transaction, code, kind, ground_id)
    if kind is GroundKind.CONSENT and scope.subject_index is not None and scope.released:
        reasons += _check_lock(transaction, scope.subject_index)
    return reasons


def _check_lock(transaction: Transaction, subject_index: bytes) -> tuple[Reason, ...]:
    """Return MAT-05 if the subject locked matching by consent since the record was read."""
    row = transaction.fetch_one(_LOCK, {"subject_index": subject_index})
    locked = row is not None and row[0] == MatchingState.LOCKED
    return (Reason(code=Code.MAT_05),) if locked else ()


def _check_undertaking(
    transaction: Transaction,
    cipher: FieldCipher,
    asker: tuple[MemberCode, str | None],
    agreement: Agreement | None,
    *,
    at: datetime,
) -> tuple[Reason, ...]:
    """Return RCP-05 if the agreement requires an undertaking that the employee no longer has.

    The act that ends one takes the recipient's row exclusively, and the decision holds it in share
    mode. So it is read without a lock.
    """
    if agreement is None or not agreement.undertakings_required:
        return ()
    code, employee = asker
    bound = has_undertaking(transaction, cipher, code, employee, at=at)
    return () if bound else (Reason(code=Code.RCP_05, field="employee"),)


def _check_certificate(
    transaction: Transaction, code: MemberCode, fingerprint: bytes
) -> tuple[Reason, ...]:
    values = {"recipient": code, "fingerprint": fingerprint}
    row = transaction.fetch_one(_CERTIFICATE_WITHDRAWN, values)
    return () if row == (None,) else (Reason(code=Code.RCP_04),)


def _check_encryption_certificate(
    transaction: Transaction, code: MemberCode, fingerprint: bytes
) -> tuple[Reason, ...]:
    """Return RCP-04 if the encryption certificate is withdrawn or not registered.

    Another party may hold a withdrawn key, so data that are encrypted to it must not be given
    again.
    """
    values = {"recipient": code, "fingerprint": fingerprint}
    row = transaction.fetch_one(_ENCRYPTION_CERTIFICATE_WITHDRAWN, values)
    return () if row == (None,) else (Reason(code=Code.RCP_04, field=SEALED_FIELD),)


def _agreement(
    transaction: Transaction, code: MemberCode, number: AgreementNumber | None, at: datetime
) -> tuple[Agreement | None, tuple[Reason, ...]]:
    """Return the recipient's own agreement, and AGR-01 or AGR-02 if it is not in force."""
    row = transaction.fetch_one(_AGREEMENT, {"number": number}) if number is not None else None
    terms = agreement_from_row(row) if row is not None else None
    if terms is None or terms.recipient != code:
        return None, (Reason(code=Code.AGR_01, field="agreementNumber"),)
    if terms.state is AgreementState.TERMINATED:
        return terms, (Reason(code=Code.AGR_02, field="agreementNumber"),)
    if not terms.covers(at):
        return terms, (Reason(code=Code.AGR_01, field="agreementNumber"),)
    return terms, ()


def _exceeds_terms(
    agreement: Agreement, scope: StoredAnswerScope, channel: CallerChannel
) -> tuple[Reason, ...]:
    """Return what a stored answer released beyond the present terms, or REQ-08 for the channel.

    Invariant 3 limits what is released to the agreement.
    """
    reasons: tuple[Reason, ...] = ()
    if channel.channel not in agreement.channels:
        reasons += (Reason(code=Code.REQ_08),)
    if scope.purpose is not None and scope.purpose not in agreement.purposes:
        reasons += (Reason(code=Code.AGR_03, field="purpose"),)
    if scope.released and scope.sealed_to is None and agreement.delivery is Delivery.SEALED:
        # Data that were once sent unencrypted are not sent so again. The id stays closed.
        reasons += (Reason(code=Code.REQ_04, field="requestId"),)
    return reasons + tuple(
        Reason(code=Code.AGR_04, field=name)
        for name in sorted(scope.released - agreement.attributes)
    )

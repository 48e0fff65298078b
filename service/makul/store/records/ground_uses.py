"""Uses and registrations of a ground, counted in the transaction that records the decision."""

from sqlalchemy import bindparam, func, select

from makul.app.ports import ConsentRegistration, Entry, MeteredUse, PaperConsentUse
from makul.domain.disclosures import GroundKind, GroundRef
from makul.domain.reasons import Code, Reason
from makul.domain.usage import seconds_to_midnight
from makul.store.db.base import Row, Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.consent_revocations import is_revoked, store_giver, subject_associated_data
from makul.store.records.preconditions import official_withdrawn, revoked
from makul.store.records.usage_counter import UsageCounter
from makul.store.records.usage_limits import key_of_day
from makul.store.schema.usage_tables import ground_use, paper_use

_PAPER = UsageCounter(paper_use, "used")
_GROUND = UsageCounter(
    ground_use,
    "used",
    limit=ground_use.c.allowed,
    conditions=(ground_use.c.digest == bindparam("digest_now"), ground_use.c.revoked_at.is_(None)),
    changes={"registered_at": func.coalesce(ground_use.c.registered_at, bindparam("registered"))},
)
_GROUND_STATE = select(
    ground_use.c.digest, ground_use.c.revoked_at, ground_use.c.registered_at
).where(
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == bindparam("kind"),
    ground_use.c.ground_id == bindparam("ground_id"),
)
_NO_ROW: Row = (b"", None, None)

_DIFFERS = {
    GroundKind.CONSENT: Reason(code=Code.CNS_02, because=Code.REQ_04, field="consentId"),
    GroundKind.BASIS: Reason(code=Code.LAW_09, because=Code.REQ_04, field="statementId"),
}
_USED_UP = {
    GroundKind.CONSENT: Reason(code=Code.CNS_06),
    GroundKind.BASIS: Reason(code=Code.LAW_08),
}


def use_ground(
    transaction: Transaction, cipher: FieldCipher, entry: Entry, use: MeteredUse
) -> Reason | None:
    """Count one use of a ground; return the reason that forbids it."""
    return _change_ground(transaction, cipher, entry, use.ground, uses=1, registered_at=None)


def register_consent(
    transaction: Transaction, cipher: FieldCipher, entry: Entry, registration: ConsentRegistration
) -> Reason | None:
    """Register a consent, on paper within the official's quota; return the reason against it.

    A registration uses nothing: it counts 0.
    """
    ground, paper = registration.ground, registration.paper
    reason = _use_paper_consent(transaction, entry, paper, ground) if paper is not None else None
    if reason is not None:
        return reason
    now = micros(entry.facts.at)
    return _change_ground(transaction, cipher, entry, ground, uses=0, registered_at=now)


def _use_paper_consent(
    transaction: Transaction, entry: Entry, paper: PaperConsentUse, ground: GroundRef
) -> Reason | None:
    """Count one consent on paper of an official in the UTC day.

    Returns AGR-06 with the field `official` if the daily quota is reached, and CNS-02 if the
    official is withdrawn. Call it before the consent is registered, because a registered consent is
    not counted again.
    """
    _, _, registered_at = (
        transaction.fetch_one(_GROUND_STATE, _key_of_ground(entry, ground)) or _NO_ROW
    )
    if registered_at is not None:
        return None
    if official_withdrawn(transaction, entry.facts.caller.recipient, paper.official):
        return Reason(code=Code.CNS_02, because=Code.SIG_08)
    key = key_of_day(entry) | {"official": paper.official}
    if _PAPER.use(transaction, key, limit=paper.quota):
        return None
    wait = seconds_to_midnight(entry.facts.at)
    return Reason(code=Code.AGR_06, field="official", retry_after=wait)


def _change_ground(
    transaction: Transaction,
    cipher: FieldCipher,
    entry: Entry,
    ground: GroundRef,
    *,
    uses: int,
    registered_at: int | None,
) -> Reason | None:
    """Count `uses` of a ground and register it at an instant; return the reason that forbids it."""
    recipient = entry.facts.caller.recipient
    if is_revoked(transaction, cipher, recipient, ground):
        return revoked(ground.kind)
    key = _key_of_ground(entry, ground)
    counted = _GROUND.count(
        transaction, key, more=uses, digest_now=ground.digest, registered=registered_at
    )
    if counted:
        return None
    if counted is False:
        return _reason_against_use(ground, transaction.fetch_one(_GROUND_STATE, key) or _NO_ROW)
    if uses > ground.max_disclosures:
        return _USED_UP[ground.kind]
    columns = {
        "digest": ground.digest,
        "allowed": ground.max_disclosures,
        "used": uses,
        "valid_from": micros(ground.valid_from),
        "valid_to": micros(ground.valid_to),
        "subject": _encrypt_subject(cipher, entry, ground),
        "registered_at": registered_at,
        "revoked_at": None,
    }
    _GROUND.open(transaction, key, columns)
    store_giver(transaction, cipher, recipient, ground)
    return None


def _key_of_ground(entry: Entry, ground: GroundRef) -> dict[str, object]:
    recipient = entry.facts.caller.recipient
    return {"recipient": recipient, "kind": ground.kind.value, "ground_id": ground.id.bytes}


def _reason_against_use(ground: GroundRef, row: Row) -> Reason:
    digest, revoked_at, _ = row
    if digest != ground.digest:
        return _DIFFERS[ground.kind]
    return revoked(ground.kind) if revoked_at is not None else _USED_UP[ground.kind]


def _encrypt_subject(cipher: FieldCipher, entry: Entry, ground: GroundRef) -> bytes | None:
    subject = entry.decision.subject
    if subject is None:
        return None
    where = subject_associated_data(entry.facts.caller.recipient, ground.kind, ground.id.bytes)
    return cipher.encrypt(subject.digits.encode("ascii"), where)

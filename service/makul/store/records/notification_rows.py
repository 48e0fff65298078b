"""Rows of the outbox of notifications: written with a decision, read by the sender.

What a notification says is copied from the decision and encrypted in the row. The role of the
sender can therefore read this table, and no record, person or document.
"""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from makul.app.ports import Entry, Release, SubjectNotification
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, Pin, PurposeCode
from makul.domain.notifications import NotificationFacts, NotificationKind
from makul.language.translation import translate
from makul.store.db.codecs import CodecError, dumps, instant, micros, only
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.notification_tables import notification

ADD_NOTIFICATION = insert(notification)

_FIELDS = (
    *("v", "pin", "recipient", "decidedAt", "operation", "outcome", "purpose", "ground"),
    *("provision", "onPaper", "attributes", "answerBy"),
)


def notification_row(cipher: FieldCipher, entry: Entry) -> dict[str, object] | None:
    """Return the row of the notification that a decision names; None if it names none."""
    for effect in entry.decision.effects:
        if isinstance(effect, SubjectNotification):
            return build_row(cipher, _facts(entry, effect), visible_at=effect.visible_at)
    return None


def build_row(
    cipher: FieldCipher,
    facts: NotificationFacts,
    *,
    visible_at: datetime,
    answer_by: datetime | None = None,
) -> dict[str, object]:
    """Return a row of the outbox that waits for its first attempt."""
    due = micros(visible_at)
    return {
        "disclosure_id": facts.disclosure_id.bytes,
        "kind": facts.kind.value,
        "visible_at": due,
        "next_at": due,
        "attempts": 0,
        "delivered_at": None,
        "sealed": cipher.encrypt(
            dumps(_state(facts, answer_by)).encode(),
            _associated_data(facts.disclosure_id.bytes, facts.kind.value),
        ),
    }


def read_facts(
    cipher: FieldCipher, disclosure_id: bytes, kind: str, sealed: bytes
) -> tuple[NotificationFacts, datetime | None]:
    """Return what a notification says, and until when its question can be answered.

    Raises `CodecError` and `FieldDecryptionError`.
    """
    plain = cipher.decrypt(sealed, _associated_data(disclosure_id, kind))
    try:
        stated = dict(only(json.loads(plain), *_FIELDS))
        return _parse(disclosure_id, kind, stated), _instant(stated["answerBy"])
    except (ValueError, TypeError, AttributeError, MalformedIdentifierError):
        raise CodecError(translate("a stored record does not read back")) from None


def _facts(entry: Entry, effect: SubjectNotification) -> NotificationFacts:
    decision, facts = entry.decision, entry.facts
    if decision.subject is None:  # a comparison and a registration always name one
        raise CodecError(translate("a decision does not read back"))
    ground = decision.ground
    return NotificationFacts(
        kind=effect.kind,
        disclosure_id=entry.disclosure_id,
        subject=decision.subject,
        recipient=facts.caller.recipient,
        decided_at=facts.at,
        operation=facts.operation.value,
        outcome=decision.outcome,
        purpose=facts.purpose,
        ground=ground.kind if ground is not None else None,
        provision=effect.provision,
        on_paper=effect.on_paper,
        attributes=tuple(sorted(decision.released)) if isinstance(decision, Release) else (),
    )


def _state(facts: NotificationFacts, answer_by: datetime | None) -> dict[str, object]:
    return {
        "v": 1,
        "pin": facts.subject.digits,
        "recipient": facts.recipient,
        "decidedAt": micros(facts.decided_at),
        "operation": facts.operation,
        "outcome": facts.outcome.value,
        "purpose": facts.purpose,
        "ground": facts.ground.value if facts.ground is not None else None,
        "provision": facts.provision,
        "onPaper": facts.on_paper,
        "attributes": list(facts.attributes),
        "answerBy": micros(answer_by) if answer_by is not None else None,
    }


def _parse(disclosure_id: bytes, kind: str, stated: dict[str, object]) -> NotificationFacts:
    attributes, decided_at = stated["attributes"], _instant(stated["decidedAt"])
    if stated["v"] != 1 or not isinstance(attributes, list) or decided_at is None:
        raise ValueError
    ground, purpose, provision = stated["ground"], stated["purpose"], stated["provision"]
    return NotificationFacts(
        kind=NotificationKind(kind),
        disclosure_id=UUID(bytes=disclosure_id),
        subject=Pin(str(stated["pin"])),
        recipient=MemberCode(str(stated["recipient"])),
        decided_at=decided_at,
        operation=str(stated["operation"]),
        outcome=Outcome(str(stated["outcome"])),
        purpose=PurposeCode(str(purpose)) if purpose is not None else None,
        ground=GroundKind(str(ground)) if ground is not None else None,
        provision=str(provision) if provision is not None else None,
        on_paper=stated["onPaper"] is True,
        attributes=tuple(str(each) for each in attributes),
    )


def _instant(stored: object) -> datetime | None:
    if stored is None:
        return None
    if not isinstance(stored, int):
        raise TypeError
    return instant(stored)


def _associated_data(disclosure_id: bytes, kind: str) -> bytes:
    return field_associated_data("notification", "sealed", disclosure_id, kind.encode())

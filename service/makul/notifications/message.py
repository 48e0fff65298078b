"""A notification as JSON, for the directory and the webhook (docs/operating/notifications.md)."""

import json
from datetime import UTC, datetime

from makul.app.ports.notifications import Notification

FORMAT = "makul notification/1"


def notification_id(notification: Notification) -> str:
    """Return the id by which a receiver recognises a repetition."""
    facts = notification.facts
    return f"{facts.disclosure_id}-{facts.kind.value.lower().replace('_', '-')}"


def write_message(notification: Notification) -> bytes:
    """Return the notification as UTF-8 JSON. It has the PIN, and no other data of the person."""
    facts, link = notification.facts, notification.link
    content = {
        "format": FORMAT,
        "id": notification_id(notification),
        "kind": facts.kind.value,
        "attempt": notification.attempt,
        "subject": {"pin": facts.subject.digits},
        "disclosureId": str(facts.disclosure_id),
        "recipient": {"code": facts.recipient, "name": notification.recipient_name},
        "decidedAt": _utc(facts.decided_at),
        "operation": facts.operation,
        "outcome": facts.outcome.value,
        "purpose": facts.purpose,
        "ground": facts.ground.value if facts.ground is not None else None,
        "provision": facts.provision,
        "onPaper": facts.on_paper,
        "attributes": list(facts.attributes),
        "link": {"url": link.url, "expiresAt": _utc(link.expires_at)},
        "answerBy": _utc(notification.answer_by) if notification.answer_by is not None else None,
        "text": {
            "ky": notification.text.ky,
            "ru": notification.text.ru,
            "en": notification.text.en,
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""The text of a notification for its subject, in Kyrgyz, Russian and English.

The sentences are in `texts/notifications.toml`, which a translator edits. They are read and checked
when this module is imported. A text names the attributes that were given, and never a value.
"""

from datetime import datetime
from typing import Final

from makul.domain.attributes import Attribute
from makul.domain.calendar import BISHKEK
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.legal_bases import Provision
from makul.domain.notifications import NotificationFacts, NotificationKind
from makul.domain.reason_texts import LANGUAGES, Text, load_texts

SENTENCES: Final = (
    *("disclosed", "matched", "paper", "question"),
    *("ground.consent", "ground.paper", "ground.basis", "ground.law", "purpose", "attributes"),
    *("report", "answer"),
)
_ATTRIBUTE = "attribute."
_TEXTS: Final = load_texts(
    "notifications.toml", str, (*SENTENCES, *(f"{_ATTRIBUTE}{each}" for each in Attribute))
)


def describe(
    facts: NotificationFacts,
    *,
    recipient_name: str,
    link: str,
    link_expires_at: datetime,
    answer_by: datetime | None,
) -> Text:
    """Return what the subject reads: who, when, on which ground, for what, which data, the link."""
    values = {
        "recipient": recipient_name,
        "at": _local(facts.decided_at),
        "purpose": facts.purpose or "",
        "clause": _clause(facts),
        "link": link,
        "until": _local(min(answer_by or link_expires_at, link_expires_at)),
    }
    return Text(**{language: _write(facts, language, values) for language in LANGUAGES})


def _write(facts: NotificationFacts, language: str, values: dict[str, str]) -> str:
    names = [_sentence(f"{_ATTRIBUTE}{each}", language) for each in facts.attributes]
    values = {**values, "attributes": ", ".join(names)}
    return " ".join(
        # One pass, so that a brace in a value is never read as a name.
        _sentence(key, language).format_map(values)
        for key in _sentences(facts)
    )


def _sentences(facts: NotificationFacts) -> list[str]:
    keys = [_subject_matter(facts)]
    if facts.ground is GroundKind.CONSENT and facts.kind is not NotificationKind.PAPER_CONSENT:
        keys.append("ground.paper" if facts.on_paper else "ground.consent")
    elif facts.ground is GroundKind.BASIS:
        keys.append("ground.basis" if _clause(facts) else "ground.law")
    if facts.purpose is not None:
        keys.append("purpose")
    if facts.attributes:
        keys.append("attributes")
    keys.append("answer" if facts.kind is NotificationKind.QUESTION else "report")
    return keys


def _subject_matter(facts: NotificationFacts) -> str:
    if facts.kind is NotificationKind.PAPER_CONSENT:
        return "paper"
    if facts.kind is NotificationKind.QUESTION:
        return "question"
    return "disclosed" if facts.outcome is Outcome.RELEASED else "matched"


def _clause(facts: NotificationFacts) -> str:
    known = {each.value: each.clause for each in Provision}
    return known.get(facts.provision or "", "")


def _sentence(key: str, language: str) -> str:
    return str(getattr(_TEXTS[key], language))


def _local(at: datetime) -> str:
    return at.astimezone(BISHKEK).strftime("%d.%m.%Y %H:%M")

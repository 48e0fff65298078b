"""The subjects of a month's sample are asked, except about what is still hidden (cl. 11, 5.1)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from makul.app.ports import OperatorRegistryError
from makul.domain.disclosures import GroundKind
from makul.domain.months import month_of
from makul.domain.notifications import NotificationKind
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.entries import a_metered_release, a_release
from makul_testing.builders.notifications import RecordingChannel, a_notification, a_sender
from makul_testing.builders.records import AZAMAT, BANK, NOON, a_basis, a_consent, a_key
from makul_testing.raw_sql import count

MONTH, LATER = month_of(NOON), NOON + timedelta(days=14)
HIDDEN = a_notification(visible_at=NOON + timedelta(days=90), provision="OPERATIONAL_SEARCH")


def record(store: Store, entry: object) -> UUID:
    store.recorder.record(entry)  # type: ignore[arg-type]
    return entry.disclosure_id  # type: ignore[attr-defined, no-any-return]


def asked_about(store: Store) -> set[UUID]:
    """Send what is due, and return the disclosures of the questions."""
    channel = RecordingChannel()
    sender = a_sender(store.outbox, channel, lambda: NOON)
    while sender.run_once().claimed:
        pass
    for each in channel.sent:
        if each.facts.kind is NotificationKind.QUESTION:
            assert (each.facts.subject, each.answer_by) == (AZAMAT, LATER)
            assert each.link.url in each.text.en
    kind = NotificationKind.QUESTION
    return {each.facts.disclosure_id for each in channel.sent if each.facts.kind is kind}


def test_a_hidden_disclosure_is_drawn_and_not_asked_about(store: Store) -> None:
    """Invariant 14: no question reveals it. The sample keeps its place, by the published rule."""
    shown = record(store, a_release(a_notification(), key=a_key()))
    hidden = record(store, a_metered_release(a_basis(), HIDDEN, key=a_key()))

    sample = store.questions.ask(BANK, MONTH, [hidden, shown], answer_by=LATER, at=NOON)

    assert (sample.drawn, sample.asked) == (2, 1)
    assert asked_about(store) == {shown}
    assert [each.disclosure_id for each in store.questions.answers(BANK, MONTH)] == [shown]


@pytest.mark.parametrize(("kind", "is_asked"), [(GroundKind.CONSENT, True), (None, False)])
def test_a_decision_from_before_the_outbox_is_asked_about_only_by_consent(
    store: Store, kind: GroundKind | None, is_asked: bool
) -> None:
    """What cannot be proved visible is not shown; a consent hides nothing."""
    ground = a_consent() if kind is not None else None
    old = record(store, a_release(ground=ground, key=a_key()))
    new = record(store, a_release(a_notification(), key=a_key()))

    store.questions.ask(BANK, MONTH, [old, new], answer_by=LATER, at=NOON)

    assert asked_about(store) == ({old, new} if is_asked else {new})


def test_a_month_asks_once_and_only_about_its_record(store: Store, place: DatabaseLocation) -> None:
    """A sample with an unknown disclosure asks nobody."""
    known = record(store, a_release(a_notification(), key=a_key()))
    hidden = record(store, a_metered_release(a_basis(), HIDDEN, key=a_key()))
    for ids in ([known, uuid4()], [hidden]):
        with pytest.raises(OperatorRegistryError):
            store.questions.ask(BANK, MONTH, ids, answer_by=LATER, at=NOON)
    assert count(place, "month_question") == 0

    store.questions.ask(BANK, MONTH, [known], answer_by=LATER, at=NOON)

    with pytest.raises(OperatorRegistryError):
        store.questions.ask(BANK, MONTH, [known], answer_by=LATER, at=NOON)

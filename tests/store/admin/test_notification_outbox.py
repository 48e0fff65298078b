"""The outbox on both databases: written with the decision, delivered at least once (cl. 4)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from makul.app.notification_sender import BATCH, NotificationSender
from makul.app.ports import OperatorRegistryError, PaperConsentUse
from makul.app.ports.notifications import (
    ChannelUnavailableError,
    Notification,
    NotificationRefusedError,
)
from makul.domain.notifications import LONGEST_PAUSE, MAX_REFUSALS, NotificationKind
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.entries import a_refusal, a_registration, a_release
from makul_testing.builders.notifications import (
    LEASE,
    PREFIX,
    RecordingChannel,
    Times,
    a_notification,
    a_sender,
)
from makul_testing.builders.records import AZAMAT, BANK, NOON, a_consent, a_key, a_recipient
from makul_testing.raw_sql import parameters, raw


def raw_rows(place: DatabaseLocation, sql: str) -> list[tuple[object, ...]]:
    with raw(place) as connection:
        rows: list[tuple[object, ...]] = connection.execute(sql).fetchall()
        return rows


def record_release(store: Store, **effect: object) -> UUID:
    """Record a release with a notification, and return its id."""
    entry = a_release(a_notification(**effect), key=a_key(request_id=uuid4()))
    store.recorder.record(entry)
    return entry.disclosure_id


def refuse(_: Notification) -> None:
    raise NotificationRefusedError("HTTP status 422")


def be_unavailable(_: Notification) -> None:
    raise ChannelUnavailableError("no answer")


def drain(sender: NotificationSender) -> None:
    while sender.run_once().claimed:
        pass


def test_a_disclosure_is_notified_once(store: Store) -> None:
    """Cl. 4: the subject learns who, when and what; the row then has no personal data."""
    disclosure_id, channel = record_release(store), RecordingChannel()

    drain(a_sender(store.outbox, channel, lambda: NOON))

    (sent,) = channel.sent
    assert (sent.facts.disclosure_id, sent.attempt) == (disclosure_id, 1)
    assert sent.facts.subject == AZAMAT
    assert sent.facts.attributes == ("givenName", "surname")
    assert sent.recipient_name == a_recipient(BANK).name
    assert sent.recipient_name in sent.text.ky
    assert sent.link.url in sent.text.ru
    assert store.outbox.state(at=NOON).waiting == 0


def test_the_said_is_deleted_after_delivery(store: Store, place: DatabaseLocation) -> None:
    """What is delivered is not kept a second time."""
    record_release(store)
    (before,) = raw_rows(place, "SELECT sealed FROM notification")
    drain(a_sender(store.outbox, RecordingChannel(), lambda: NOON))

    (after,) = raw_rows(place, "SELECT sealed, next_at, delivered_at, attempts FROM notification")

    assert before[0] is not None
    assert (after[0], after[1], after[3]) == (None, None, 1)
    assert after[2] is not None


def test_the_store_has_only_the_digest_of_the_token(store: Store, place: DatabaseLocation) -> None:
    """A reader of the store cannot use a link."""
    record_release(store)
    channel = RecordingChannel()
    drain(a_sender(store.outbox, channel, lambda: NOON))

    ((digest, kind),) = raw_rows(place, "SELECT digest, kind FROM notification_link")

    assert digest == sha256((1).to_bytes(32, "big")).digest()
    assert kind == "DISCLOSURE"
    assert channel.sent[0].link.url == PREFIX + "A" * 42 + "E"


def test_a_refusal_is_not_notified(store: Store) -> None:
    """Nothing was given."""
    store.recorder.record(a_refusal())

    assert store.outbox.state(at=NOON + timedelta(days=400)).waiting == 0


def test_a_consent_on_paper_is_notified_at_once(store: Store) -> None:
    """Cl. 4: a consent that another person wrote down is notified at registration."""
    paper = PaperConsentUse(official=b"o" * 32, quota=5)
    store.recorder.record(a_registration(a_consent(), paper=paper))
    channel = RecordingChannel()

    drain(a_sender(store.outbox, channel, lambda: NOON))

    (sent,) = channel.sent
    assert sent.facts.kind is NotificationKind.PAPER_CONSENT
    assert sent.facts.attributes == ()


def test_an_electronic_consent_is_not_notified(store: Store) -> None:
    """The subject signed it."""
    store.recorder.record(a_registration(a_consent()))

    assert store.outbox.state(at=NOON).waiting == 0


def test_nothing_shows_a_hidden_disclosure_before_its_date(store: Store) -> None:
    """Invariant 14: not sent, not counted, not listed; on the date it is sent."""
    date = NOON + timedelta(days=30)
    disclosure_id = record_release(store, visible_at=date, provision="OPERATIONAL_SEARCH")
    channel, clock = RecordingChannel(), Times(date - timedelta(microseconds=1))
    sender = a_sender(store.outbox, channel, clock)

    assert sender.run_once().claimed == 0
    state = store.outbox.state(at=clock())
    assert (state.waiting, state.oldest, state.given_up) == (0, None, 0)
    assert not store.outbox.undelivered(given_up=False, limit=9, at=clock())

    clock.now = date
    drain(sender)
    assert channel.ids == [(disclosure_id, 1)]


def test_a_crash_after_sending_repeats_with_a_mark(store: Store) -> None:
    """At least once: the claim of a killed sender ends, and the second attempt is number 2."""
    disclosure_id = record_release(store)
    clock = Times()
    (claim,) = store.outbox.claim(BATCH, LEASE, at=clock())  # sent, and killed before the record
    assert claim.attempt == 1
    channel = RecordingChannel()
    sender = a_sender(store.outbox, channel, clock)

    drain(sender)
    assert channel.sent == []
    clock.pass_by(LEASE)
    drain(sender)

    assert channel.ids == [(disclosure_id, 2)]


def test_an_unavailable_channel_loses_nothing_and_counts_no_attempt(store: Store) -> None:
    """The first may have arrived, so its attempt counts; the others were not attempted."""
    ids = {record_release(store) for _ in range(3)}
    clock, channel = Times(), RecordingChannel(be_unavailable)
    sender = a_sender(store.outbox, channel, clock)

    done = sender.run_once()
    assert (done.claimed, done.postponed, done.is_unavailable) == (3, 1, True)
    channel.answer = lambda _: None
    clock.pass_by(LONGEST_PAUSE)
    drain(sender)

    assert {each for each, _ in channel.ids} == ids
    assert Counter(attempt for _, attempt in channel.ids) == {1: 2, 2: 1}


def test_an_outage_of_weeks_gives_nothing_up(store: Store) -> None:
    """Only refusals of this very notification end its attempts."""
    record_release(store)
    clock, channel = Times(), RecordingChannel(be_unavailable)
    sender = a_sender(store.outbox, channel, clock)
    for _ in range(2 * MAX_REFUSALS):
        sender.run_once()
        clock.pass_by(LONGEST_PAUSE)

    channel.answer = lambda _: None
    drain(sender)

    assert channel.sent[0].attempt == 2 * MAX_REFUSALS + 1


def test_a_refused_notification_is_given_up_and_delays_no_other(store: Store) -> None:
    """It is listed, an operator may begin again, and the act is logged."""
    bad, good = record_release(store), record_release(store)

    def answer(notification: Notification) -> None:
        if notification.facts.disclosure_id == bad:
            refuse(notification)

    clock, channel = Times(), RecordingChannel(answer)
    sender = a_sender(store.outbox, channel, clock)
    for _ in range(MAX_REFUSALS):
        drain(sender)
        clock.pass_by(LONGEST_PAUSE)

    assert channel.ids == [(good, 1)]
    (listed,) = store.outbox.undelivered(given_up=True, limit=9, at=clock())
    assert (listed.disclosure_id, listed.attempts) == (bad, MAX_REFUSALS)
    state = store.outbox.state(at=clock())
    assert (state.waiting, state.given_up) == (0, 1)

    channel.answer = lambda _: None
    kind = NotificationKind.DISCLOSURE
    store.outbox.begin_again(listed.disclosure_id, kind, reason="test", at=clock())
    drain(sender)
    assert channel.ids[-1] == (bad, MAX_REFUSALS + 1)
    with pytest.raises(OperatorRegistryError):
        store.outbox.begin_again(listed.disclosure_id, kind, reason="test", at=clock())


def test_an_altered_row_delays_no_other(store: Store, place: DatabaseLocation) -> None:
    """A row that does not decrypt is given up, and is not read as another person's."""
    first = record_release(store)
    (row,) = raw_rows(place, "SELECT sealed FROM notification")
    second = record_release(store)
    third = record_release(store)
    sql = parameters(place, "UPDATE notification SET sealed = ? WHERE disclosure_id = ?")
    with raw(place) as connection:
        connection.execute(sql, (row[0], second.bytes))
    channel = RecordingChannel()

    drain(a_sender(store.outbox, channel, lambda: NOON))

    assert {each for each, _ in channel.ids} == {first, third}
    assert store.outbox.state(at=NOON).given_up == 1


def test_two_senders_do_not_send_twice(
    store: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """A claim belongs to one of them."""
    ids = [record_release(store) for _ in range(3 * BATCH)]
    other = open_store(place, keys, who="operator")
    channels = RecordingChannel(), RecordingChannel()
    senders = [
        a_sender(each.outbox, channel, lambda: NOON)
        for each, channel in zip((store, other), channels, strict=True)
    ]
    senders[1] = replace(senders[1], links=replace(senders[1].links, new_token=_other_tokens()))

    def work(sender: NotificationSender) -> None:
        while store.outbox.state(at=NOON).waiting:
            sender.run_once()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, senders))
    other.close()

    sent = Counter(each for channel in channels for each in channel.ids)
    assert sent == Counter((each, 1) for each in ids)


def _other_tokens() -> Callable[[], bytes]:
    numbers = iter(range(10**9, 2 * 10**9))
    return lambda: next(numbers).to_bytes(32, "big")


def test_a_late_sender_begins_nothing(store: Store) -> None:
    """Who cannot end an attempt before the claim ends leaves it to the next claim."""
    record_release(store)
    clock, channel = Times(), RecordingChannel()
    sender = a_sender(store.outbox, channel, clock)

    def wait(_: Notification) -> None:
        clock.pass_by(LEASE)

    record_release(store)
    channel.answer = wait
    sender.run_once()

    assert len(channel.sent) == 1
    drain(sender)
    assert Counter(attempt for _, attempt in channel.ids) == {1: 2}


def test_expired_links_are_deleted(store: Store, place: DatabaseLocation) -> None:
    """An expired link is then as unknown as any other."""
    record_release(store)
    clock = Times()
    sender = a_sender(store.outbox, RecordingChannel(), clock)
    drain(sender)
    clock.pass_by(timedelta(days=31))

    sender.run_once()

    assert raw_rows(place, "SELECT digest FROM notification_link") == []

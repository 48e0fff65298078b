"""Readiness: which dependency is down, asked as often as anybody likes."""

import threading

import pytest

from makul.app.ports.health import Readiness, State
from makul.observability import readiness as health
from makul.observability.readiness import Kept, Watch


class Clock:
    """A monotonic clock that stands until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(health.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Counted:
    """A check that counts how often it was looked at."""

    def __init__(self, state: State = State.OK) -> None:
        self.state = state
        self.looks = 0

    def __call__(self) -> State:
        self.looks += 1
        return self.state


@pytest.mark.parametrize(
    ("states", "worst", "ready"),
    [
        ((State.OK, State.OK), State.OK, True),
        ((State.OK, State.DEGRADED), State.DEGRADED, True),
        ((State.DOWN, State.DEGRADED), State.DOWN, False),
        ((), State.DOWN, False),
    ],
)
def test_the_worst_counts(states: tuple[State, ...], worst: State, ready: bool) -> None:
    """Degraded still answers; nothing looked at is nothing that stands."""
    found = Readiness({str(number): state for number, state in enumerate(states)})

    assert (found.state, found.ready) == (worst, ready)


def test_a_thousand_probes_are_one_look(clock: Clock) -> None:
    """Whoever asks faster gets what was seen: a probe is no lever on the store."""
    check = Counted()
    watch = Watch({"store": check})
    for _ in range(1000):
        assert watch().ready
    assert check.looks == 1

    clock.now += health.KEPT_SECONDS
    check.state = State.DOWN
    assert not watch().ready
    assert check.looks == 2


def test_a_check_that_raises_is_down(caplog: pytest.LogCaptureFixture) -> None:
    """Fail closed; the log tells the kind of error and not its message."""

    def broken() -> State:
        raise OSError("/srv/makul/makul.db")

    found = Watch({"store": broken, "signer": Counted()})()

    assert found.checks == {"store": State.DOWN, "signer": State.OK}
    assert "check store broke: OSError" in caplog.text
    assert "/srv" not in caplog.text


def test_a_look_that_is_stuck_is_down(clock: Clock) -> None:
    """While one thread waits for a dependency, the others tell the last answer; not for ever."""
    entered, released = threading.Event(), threading.Event()
    answers = [State.OK]

    def sticking() -> State:
        if not answers:
            entered.set()
            released.wait(120)
            return State.OK
        return answers.pop()

    watch = Watch({"store": sticking})
    assert watch().ready
    clock.now += health.KEPT_SECONDS
    thread = threading.Thread(target=watch)
    thread.start()
    assert entered.wait(120)

    soon = watch()
    clock.now += health.STUCK_SECONDS
    late = watch()
    released.set()
    thread.join()

    assert soon.ready
    assert late.checks == {"store": State.DOWN}
    assert watch().ready


def test_a_costly_check_is_kept_while_it_is_good(clock: Clock) -> None:
    """What is mended is seen at once; what breaks, within the time that is kept."""
    check = Counted(State.DOWN)
    kept = Kept(check, 30.0)
    assert (kept(), kept()) == (State.DOWN, State.DOWN)
    check.state = State.OK
    assert kept() is State.OK
    check.state = State.DOWN
    assert kept() is State.OK

    clock.now += 30.0
    assert kept() is State.DOWN
    assert check.looks == 4


def test_a_change_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Ten minutes of a store that is down are two lines."""
    check = Counted()
    watch = Watch({"store": check})
    for state in (State.OK, State.DOWN, State.DOWN, State.OK):
        check.state = state
        watch()
        clock.now += health.KEPT_SECONDS

    assert [record.getMessage() for record in caplog.records] == [
        "check store is down",
        "check store is ok",
    ]

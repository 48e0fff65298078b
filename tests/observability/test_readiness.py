"""Readiness reports which dependency is down, for any rate of requests."""

import threading

import pytest

from makul.app.ports.health import Readiness, ReadinessState
from makul.observability import readiness as health
from makul.observability.readiness import CachedCheck, ReadinessProbe


class Clock:
    """A monotonic clock that stands until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(health.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Counted:
    """A check that counts its runs."""

    def __init__(self, state: ReadinessState = ReadinessState.OK) -> None:
        self.state = state
        self.looks = 0

    def __call__(self) -> ReadinessState:
        self.looks += 1
        return self.state


@pytest.mark.parametrize(
    ("states", "worst", "ready"),
    [
        ((ReadinessState.OK, ReadinessState.OK), ReadinessState.OK, True),
        ((ReadinessState.OK, ReadinessState.DEGRADED), ReadinessState.DEGRADED, True),
        ((ReadinessState.DOWN, ReadinessState.DEGRADED), ReadinessState.DOWN, False),
        ((), ReadinessState.DOWN, False),
    ],
)
def test_the_worst_check_counts(
    states: tuple[ReadinessState, ...], worst: ReadinessState, ready: bool
) -> None:
    """A degraded service still answers, and a check that has not run is down."""
    found = Readiness({str(number): state for number, state in enumerate(states)})

    assert (found.state, found.ready) == (worst, ready)


def test_a_thousand_probes_are_one_check(clock: Clock) -> None:
    """A faster caller gets the last result, so a probe puts no load on the store."""
    check = Counted()
    watch = ReadinessProbe({"store": check})
    for _ in range(1000):
        assert watch().ready
    assert check.looks == 1

    clock.now += health.KEPT_SECONDS
    check.state = ReadinessState.DOWN
    assert not watch().ready
    assert check.looks == 2


def test_a_check_that_raises_is_down(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the kind of error and not its message."""

    def broken() -> ReadinessState:
        raise OSError("/srv/makul/makul.db")

    found = ReadinessProbe({"store": broken, "signer": Counted()})()

    assert found.checks == {"store": ReadinessState.DOWN, "signer": ReadinessState.OK}
    assert "check store broke: OSError" in caplog.text
    assert "/srv" not in caplog.text


def test_a_stuck_check_is_down(clock: Clock) -> None:
    """While one thread waits for a dependency, others report the last result, but not
    permanently.
    """
    entered, released = threading.Event(), threading.Event()
    answers = [ReadinessState.OK]

    def sticking() -> ReadinessState:
        if not answers:
            entered.set()
            released.wait(120)
            return ReadinessState.OK
        return answers.pop()

    watch = ReadinessProbe({"store": sticking})
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
    assert late.checks == {"store": ReadinessState.DOWN}
    assert watch().ready


def test_a_costly_check_is_cached_while_it_is_good(clock: Clock) -> None:
    """A repair is seen at once, and a failure within the cached time."""
    check = Counted(ReadinessState.DOWN)
    cached = CachedCheck(check, 30.0)
    assert (cached(), cached()) == (ReadinessState.DOWN, ReadinessState.DOWN)
    check.state = ReadinessState.OK
    assert cached() is ReadinessState.OK
    check.state = ReadinessState.DOWN
    assert cached() is ReadinessState.OK

    clock.now += 30.0
    assert cached() is ReadinessState.DOWN
    assert check.looks == 4


def test_a_change_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Ten minutes of a store that is down are two lines."""
    check = Counted()
    watch = ReadinessProbe({"store": check})
    for state in (ReadinessState.OK, ReadinessState.DOWN, ReadinessState.DOWN, ReadinessState.OK):
        check.state = state
        watch()
        clock.now += health.KEPT_SECONDS

    assert [record.getMessage() for record in caplog.records] == [
        "check store is down",
        "check store is ok",
    ]

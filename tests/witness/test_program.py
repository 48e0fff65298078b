"""A witness over a log in a directory: what it cosigns, what it keeps, what it never does."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

import pytest

from makul.ledger.checkpoints import parse_checkpoint_unsafe
from makul.ledger.notes import (
    COSIGNATURE_V1,
    MAX_NOTE,
    SignatureLine,
    format_note,
    parse_note,
    with_line,
)
from makul.trust import fetching
from makul.trust.notes import Cosigner, new_key_file
from makul.witness import source as sources
from makul.witness.program import Result, Round, WitnessProgram
from makul.witness.source import open_note, open_source
from makul.witness.state import MAX_EVIDENCE, State, StateError
from support.published_log import ORIGIN, PublishedLog, leaf, leaves
from support.publishing import Published, publishing

AT = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
FORK = get_context("fork")


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "published", tmp_path / "log.key")


@pytest.fixture
def cosigner(tmp_path: Path) -> Cosigner:
    new_key_file(tmp_path / "witness.key", "witness.example/w1", COSIGNATURE_V1)
    return Cosigner.load(tmp_path / "witness.key")


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state")
    with state.held():
        return state


@pytest.fixture
def witness(log: PublishedLog, cosigner: Cosigner, state: State) -> WitnessProgram:
    return a_witness(log, cosigner, state)


def a_witness(
    log: PublishedLog,
    cosigner: Cosigner,
    state: State,
    *,
    place: str | None = None,
    from_start: bool = False,
) -> WitnessProgram:
    return WitnessProgram(
        source=open_source(place if place is not None else str(log.directory)),
        log=log.verifier,
        cosigner=cosigner,
        state=state,
        clock=lambda: AT,
        from_start=from_start,
    )


def cosigned_size(state: State) -> int:
    shown = state.shown()
    assert shown is not None
    return parse_checkpoint_unsafe(parse_note(shown).text).size


def assert_not_cosigned(witness: WitnessProgram, before: bytes | None) -> None:
    """What is shown and what is remembered are as they were."""
    assert witness.state.shown() == before
    head = witness.state.head(witness.log, witness.cosigner.verifier)
    assert (head.note if head is not None else None) == before


def test_what_grows_is_cosigned_each_time(log: PublishedLog, witness: WitnessProgram) -> None:
    """With the log's signature and its own, at the time of the round."""
    for size in (0, 1, 2, 255, 256, 257, 600):
        log.publish(leaves(size))

        done = witness.round()

        assert (done.result, done.size) == (Result.COSIGNED, size), done
        shown = witness.state.shown()
        assert shown is not None
        assert witness.cosigner.verifier.verify(shown) == AT
        assert parse_checkpoint_unsafe(log.verifier.verify(shown)).size == size


def test_what_did_not_grow_stays_as_it_was_cosigned(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """No second cosignature of another time."""
    log.publish(leaves(3))
    witness.round()
    before = witness.state.shown()

    assert witness.round().result is Result.UNCHANGED
    assert_not_cosigned(witness, before)


def test_lines_of_others_are_not_repeated(log: PublishedLog, witness: WitnessProgram) -> None:
    """What is shown is the log's word and the witness's, and nobody else's."""
    document = log.publish(leaves(3))
    stranger = SignatureLine("stranger.example", b"1234", bytes(64))
    log.show(format_note(with_line(parse_note(document), stranger)))

    witness.round()

    shown = witness.state.shown()
    assert shown is not None
    names = [line.name for line in parse_note(shown).signatures]
    assert names == [ORIGIN, "witness.example/w1"]


def fork_of_same_size(log: PublishedLog) -> None:
    log.publish(leaves(300, "another "))


def rewritten_old_leaf(log: PublishedLog) -> None:
    log.publish([leaf(0, "another "), *leaves(400)[1:]])


def rewritten_last_leaf(log: PublishedLog) -> None:
    log.publish([*leaves(299), leaf(299, "another "), *leaves(400)[300:]])


def grown_on_another_branch(log: PublishedLog) -> None:
    log.publish(leaves(1000, "another "))


def shrunk_and_gone(log: PublishedLog) -> None:
    for tile in sorted(log.directory.glob("tile/0/001*"), reverse=True):
        for path in [*tile.glob("*"), tile] if tile.is_dir() else [tile]:
            path.rmdir() if path.is_dir() else path.unlink()
    log.publish(leaves(257))


def shrunk_on_another_branch(log: PublishedLog) -> None:
    log.publish(leaves(10, "another "))


@pytest.mark.parametrize(
    "misbehave",
    [
        fork_of_same_size,
        rewritten_old_leaf,
        rewritten_last_leaf,
        grown_on_another_branch,
        shrunk_and_gone,
        shrunk_on_another_branch,
    ],
)
def test_a_log_that_is_not_itself_is_found(
    log: PublishedLog, witness: WitnessProgram, misbehave: Callable[[PublishedLog], None]
) -> None:
    """Not cosigned; both signed checkpoints are kept, and each round says so again."""
    log.publish(leaves(300))
    witness.round()
    before = witness.state.shown()
    assert before is not None
    misbehave(log)

    found = witness.round()

    assert found.result is Result.INCONSISTENT
    assert found.evidence is not None
    ours = (found.evidence / "seen.note").read_bytes()
    theirs = (found.evidence / "shown.note").read_bytes()
    assert ours == before
    assert theirs == (log.directory / "checkpoint").read_bytes()
    assert log.verifier.verify(ours) != log.verifier.verify(theirs)
    assert_not_cosigned(witness, before)
    assert witness.round().evidence == found.evidence
    assert witness.state.evidence() == 1


def test_a_split_view_is_found_by_whoever_sees_the_other(
    log: PublishedLog, cosigner: Cosigner, state: State, tmp_path: Path
) -> None:
    """The same signed log shown to two: a witness of one view does not cosign the other."""
    log.publish(leaves(5))
    a_witness(log, cosigner, state).round()
    other = PublishedLog(tmp_path / "other-view", log.key_file)
    other.publish(leaves(9, "another "))

    found = a_witness(other, cosigner, state).round()

    assert found.result is Result.INCONSISTENT


@pytest.mark.parametrize("elsewhere", [False, True])
def test_evidence_that_cannot_be_kept_hides_no_alarm(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path, elsewhere: bool
) -> None:
    """A full disk must not turn a fork into a state that cannot be written."""
    log.publish(leaves(300))
    witness.round()
    (witness.state.directory / "evidence").write_text("no directory")
    if elsewhere:
        (tmp_path / "other").write_bytes(log.note(leaves(300, "b ")))
        witness = comparing(witness, tmp_path / "other")
    else:
        log.publish(leaves(400, "b "))

    found = witness.round()

    assert (found.result, found.evidence) == (Result.INCONSISTENT, None)
    assert "evidence could not be kept" in found.why


def comparing(witness: WitnessProgram, *places: Path | str) -> WitnessProgram:
    return replace(witness, also=tuple(open_note(str(place)) for place in places))


def test_a_split_view_is_found_by_what_is_shown_elsewhere(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path
) -> None:
    """By another witness, or in a receipt's proof: of the same size, a smaller or a larger one."""
    log.publish(leaves(300))
    elsewhere = tmp_path / "elsewhere"
    compared = comparing(witness, elsewhere)
    for number, other in enumerate((leaves(300, "b "), leaves(40, "b ")), start=1):
        elsewhere.write_bytes(log.note(other))
        found = compared.round()
        assert (found.result, found.size) == (Result.INCONSISTENT, None)
        assert found.shown == len(other)
        assert_not_cosigned(witness, None)
        assert found.why.startswith("elsewhere ")
        assert witness.state.evidence() == number


def test_what_is_shown_elsewhere_may_lag_or_be_away(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path
) -> None:
    """Or run ahead, or be none of the log's: only a contradiction is an alarm."""
    log.publish(leaves(300))
    places = [tmp_path / name for name in ("older", "same", "ahead", "foreign", "garbage", "none")]
    stranger = PublishedLog(tmp_path / "stranger", tmp_path / "stranger.key")
    for place, note in zip(
        places,
        (
            log.note(leaves(12)),
            log.note(leaves(300)),
            log.note(leaves(900)),
            stranger.note(leaves(300, "b ")),
            b"garbage",
        ),
        strict=False,
    ):
        place.write_bytes(note)
    compared = comparing(witness, *places, "http://127.0.0.1:9/checkpoint")

    for result in (Result.COSIGNED, Result.UNCHANGED):
        done = compared.round()
        assert done.result is result
        # Whoever keeps the witness from looking elsewhere does not do so unseen.
        assert done.why.startswith("5 of 7 places elsewhere could not be compared: ")
    assert witness.state.evidence() == 0


def test_an_old_checkpoint_shown_again_is_not_cosigned(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """Nor taken for a fork while the log still shows all leaves."""
    old = log.publish(leaves(40))
    witness.round()
    log.publish(leaves(300))
    witness.round()
    before = witness.state.shown()
    log.show(old)

    found = witness.round()

    assert (found.result, found.size, found.shown) == (Result.OLDER, 300, 40)
    assert_not_cosigned(witness, before)
    assert witness.state.evidence() == 0


def test_a_leaf_changed_in_its_published_tile_is_found_from_the_start(
    log: PublishedLog, cosigner: Cosigner, state: State
) -> None:
    """By whoever reads all leaves again, as a daily run should."""
    log.publish(leaves(700))
    a_witness(log, cosigner, state).round()
    tile = log.directory / "tile/0/001"
    tile.write_bytes(b"\x00" * 32 + tile.read_bytes()[32:])

    found = a_witness(log, cosigner, state, from_start=True).round()

    assert found.result is Result.UNPROVEN


def another_key(log: PublishedLog, tmp_path: Path) -> bytes:
    stranger = PublishedLog(tmp_path / "stranger", tmp_path / "stranger.key")
    return stranger.note(leaves(9))


def garbage(log: PublishedLog, tmp_path: Path) -> bytes:
    return os.urandom(500)


def empty(log: PublishedLog, tmp_path: Path) -> bytes:
    return b""


def unsigned(log: PublishedLog, tmp_path: Path) -> bytes:
    return log.verifier.verify(log.note(leaves(9)))


def another_text(log: PublishedLog, tmp_path: Path) -> bytes:
    return log.signer.sign(b"not a checkpoint\n")


def another_origin(log: PublishedLog, tmp_path: Path) -> bytes:
    body = log.verifier.verify(log.note(leaves(9)))
    return log.signer.sign(body.replace(ORIGIN.encode(), b"other.example/log"))


@pytest.mark.parametrize(
    "shown", [another_key, garbage, empty, unsigned, another_text, another_origin]
)
def test_what_the_log_did_not_sign_says_nothing_about_it(
    log: PublishedLog,
    witness: WitnessProgram,
    tmp_path: Path,
    shown: Callable[[PublishedLog, Path], bytes],
) -> None:
    """Told, and neither cosigned nor kept as evidence."""
    log.publish(leaves(3))
    witness.round()
    before = witness.state.shown()
    log.publish_tiles(leaves(9))
    log.show(shown(log, tmp_path))

    assert witness.round().result is Result.UNVERIFIED
    assert_not_cosigned(witness, before)
    assert witness.state.evidence() == 0


def test_a_root_that_is_not_shown_is_not_cosigned(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """At first as later."""
    log.publish_tiles(leaves(9))
    log.show(log.note(leaves(9, "another ")))

    assert witness.round().result is Result.UNPROVEN
    assert_not_cosigned(witness, None)


def test_a_checkpoint_longer_than_any_is_not_read(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """Nor a tile, whatever its length."""
    log.show(b"x" * (MAX_NOTE + 1))
    assert witness.round().result is Result.UNAVAILABLE

    log.publish(leaves(3))
    (log.directory / "tile/0/000.p/3").write_bytes(b"x" * 1_000_000)
    found = witness.round()
    assert (found.result, found.shown) == (Result.UNAVAILABLE, 3)
    assert_not_cosigned(witness, None)


def test_a_partial_tile_may_be_gone_once_it_is_full(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """C2SP tlog-tiles, Partial Tiles: the full tile begins with it."""
    old = log.note(leaves(255))
    log.publish(leaves(256))
    log.show(old)
    assert not (log.directory / "tile/0/000.p/255").exists()

    assert witness.round().result is Result.COSIGNED


@pytest.fixture
def web(log: PublishedLog) -> Iterator[Published]:
    """The log's directory over HTTP, as it is at this moment."""
    with publishing() as published:
        log.publish(leaves(300))
        for path in log.directory.rglob("*"):
            if path.is_file():
                published.at[f"/log/{path.relative_to(log.directory)}"] = path.read_bytes()
        yield published


def test_a_log_is_followed_over_http(
    log: PublishedLog, cosigner: Cosigner, state: State, web: Published
) -> None:
    """By the paths of C2SP tlog-tiles."""
    witness = a_witness(log, cosigner, state, place=f"{web.url}/log/")

    assert witness.round().result is Result.COSIGNED
    assert cosigned_size(state) == 300
    assert web.asked[0] == "/log/checkpoint"


def test_a_server_that_sends_too_much_or_fails_says_nothing(
    log: PublishedLog, cosigner: Cosigner, state: State, web: Published
) -> None:
    """Bounded, and tried again in the next round."""
    witness = a_witness(log, cosigner, state, place=f"{web.url}/log")
    good = web.at["/log/checkpoint"]
    web.at["/log/checkpoint"] = b"x" * 10_000_000
    assert witness.round().result is Result.UNAVAILABLE

    web.at["/log/checkpoint"] = good
    web.status = 500
    assert witness.round().result is Result.UNAVAILABLE

    web.status = 302
    web.headers = {"Location": "http://127.0.0.1:9/"}
    assert witness.round().result is Result.UNAVAILABLE


def test_a_server_that_drips_is_left(
    log: PublishedLog, cosigner: Cosigner, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded time for each object."""
    monkeypatch.setattr(sources, "OBJECT_SECONDS", 0.3)
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert a_witness(log, cosigner, state, place=place).round().result is Result.UNAVAILABLE


def test_a_server_that_drips_its_headers_is_left(
    log: PublishedLog, cosigner: Cosigner, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Octet by octet, each in time: the round ends all the same, and no other is begun."""
    monkeypatch.setattr(sources, "OBJECT_SECONDS", 0.2)
    stopped = Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not stopped.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Thread(target=drip, args=(listening,))
        server.start()
        place = f"http://127.0.0.1:{listening.getsockname()[1]}"
        witness = a_witness(log, cosigner, state, place=place)
        rounds = [witness.round() for _ in range(3)]
        stopped.set()
        server.join()

    assert {each.result for each in rounds} == {Result.UNAVAILABLE}
    assert "not done within" in rounds[0].why
    assert "still under way" in rounds[1].why


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_says_nothing(
    make: Callable[[Path], None], log: PublishedLog, witness: WitnessProgram
) -> None:
    """In another's directory: a pipe into which nobody writes would hold the witness for good."""
    log.publish(leaves(3))
    (log.directory / "checkpoint").unlink()
    make(log.directory / "checkpoint")
    rounds: list[Round] = []

    thread = Thread(target=lambda: rounds.append(witness.round()), daemon=True)
    thread.start()
    thread.join(10)

    assert [(each.result, each.why) for each in rounds] == [
        (Result.UNAVAILABLE, "checkpoint: not a file")
    ]


@pytest.mark.parametrize(
    "place",
    [
        "ftp://log.example/",
        "file:///etc",
        "http://",
        "https://user@log.example/",
        "https://log.example/?size=1",
        "/does/not/exist",
    ],
)
def test_places_that_are_none(place: str) -> None:
    """Web addresses and directories alone."""
    with pytest.raises(ValueError, match="address"):
        open_source(place)


def test_a_state_that_cannot_be_read_stops_the_witness(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """Otherwise it would begin anew, and cosign whatever comes."""
    log.publish(leaves(5))
    witness.round()
    head = witness.state.directory / "head.json"
    good = json.loads(head.read_text())
    lines = good["note"].splitlines()
    spoilt = [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        head.read_bytes()[:-5],
        json.dumps(good | {"note": "nothing"}).encode(),
        json.dumps(good | {"note": 7}).encode(),
        json.dumps(good | {"note": "\n".join(lines[:-1]) + "\n"}).encode(),
        json.dumps(good | {"note": good["note"].replace("\n5\n", "\n4\n")}).encode(),
    ]
    for octets in spoilt:
        head.write_bytes(octets)
        with pytest.raises(StateError, match="Never go on without it"):
            witness.round()


def test_a_state_is_of_one_log_and_one_key(
    log: PublishedLog, witness: WitnessProgram, tmp_path: Path
) -> None:
    """Another log's tree is not this one's, and another key has shown nothing yet."""
    log.publish(leaves(5))
    witness.round()
    stranger = PublishedLog(tmp_path / "stranger", tmp_path / "stranger.key")
    stranger.publish(leaves(9))
    new_key_file(tmp_path / "other.key", "witness.example/w1", COSIGNATURE_V1)
    other = Cosigner.load(tmp_path / "other.key")

    for changed in (
        a_witness(stranger, witness.cosigner, witness.state),
        a_witness(log, other, witness.state),
    ):
        with pytest.raises(StateError, match="another log or of another key"):
            changed.round()


def test_one_witness_at_a_time(state: State) -> None:
    """Two on one state could cosign past one another."""
    with state.held(), pytest.raises(StateError, match="another witness"), state.held():
        pass


def test_evidence_does_not_fill_the_disk(
    log: PublishedLog, witness: WitnessProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log may sign as many trees as it likes; some of them prove enough."""
    monkeypatch.setattr("makul.witness.state.MAX_EVIDENCE", 3)
    assert MAX_EVIDENCE > 3
    log.publish(leaves(5))
    witness.round()
    rounds: list[Round] = []
    for number in range(5):
        log.publish(leaves(6, f"{number} "))
        rounds.append(witness.round())

    assert {each.result for each in rounds} == {Result.INCONSISTENT}
    assert [each.evidence is not None for each in rounds] == [True, True, True, False, False]


def _round_until(witness: WitnessProgram, steps: int) -> None:
    """In a child: one round, killed at the given step towards the disk."""
    taken = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            nonlocal taken
            if taken == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            taken += 1
            return real(*given, **named)

        return call

    for name in ("open", "fsync", "replace", "rename", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    witness.round()
    os._exit(0)


def _killed_at(witness: WitnessProgram, steps: int) -> bool:
    """Was the child killed, or had it done?"""
    child = FORK.Process(target=_round_until, args=(witness, steps))
    child.start()
    child.join(30)
    return child.exitcode == -signal.SIGKILL


def test_killed_at_any_step_it_never_shows_two_trees_of_one_size(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path
) -> None:
    """Kill -9 between any two steps, then a log that shows another branch of the same size."""
    steps, killed = 0, True
    while killed:
        state = State(tmp_path / f"state-{steps}")
        with state.held():
            witness = a_witness(log, cosigner, state)
            log.publish(leaves(5))
            witness.round()
            log.publish(leaves(7))
            killed = _killed_at(witness, steps)
            shown = [state.shown()]
            log.publish([*leaves(5), leaf(5, "another "), leaf(6, "another ")])
            after = witness.round()
            shown.append(state.shown())
            trees = [
                parse_checkpoint_unsafe(cosigner_verified(witness, note)) for note in shown if note
            ]
            roots = {(each.size, each.root) for each in trees}
            assert len({size for size, _ in roots}) == len(roots), f"killed at step {steps}"
            assert after.result in (Result.COSIGNED, Result.INCONSISTENT)
        steps += 1
    assert steps >= 6


def cosigner_verified(witness: WitnessProgram, note: bytes) -> bytes:
    """The text, once both have signed it."""
    witness.cosigner.verifier.verify(note)
    return witness.log.verify(note)


def test_killed_while_evidence_is_kept_it_is_kept_later(
    log: PublishedLog, cosigner: Cosigner, tmp_path: Path
) -> None:
    """Never by half: the pair is there with both notes, or it is not."""
    steps, killed = 0, True
    while killed:
        state = State(tmp_path / f"state-{steps}")
        with state.held():
            witness = a_witness(log, cosigner, state)
            log.publish(leaves(5))
            witness.round()
            log.publish(leaves(5, "another "))
            killed = _killed_at(witness, steps)
            found = witness.round()
            assert found.evidence is not None
            assert {path.name for path in found.evidence.iterdir()} == {
                "seen.note",
                "shown.note",
                "why.txt",
            }
            assert state.evidence() == 1
        steps += 1
    assert steps >= 6


def test_the_clock_does_not_matter_to_what_is_cosigned(
    log: PublishedLog, witness: WitnessProgram
) -> None:
    """A clock that stepped back dates a cosignature wrongly, and forks nothing."""
    log.publish(leaves(5))
    witness.round()
    log.publish(leaves(7))
    earlier = WitnessProgram(
        source=witness.source,
        log=witness.log,
        cosigner=witness.cosigner,
        state=witness.state,
        clock=lambda: AT - timedelta(days=400),
    )

    assert earlier.round().result is Result.COSIGNED
    assert cosigned_size(witness.state) == 7

"""`makul ledger witness` needs a ledger's public key and a directory, and no installation."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import requests

from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import parse_note
from makul.trust.tlog.note_keys import CosignatureVerifier
from makul_testing.cli_runner import CommandLine, CommandResult
from makul_testing.processes.program import Program
from makul_testing.tlog.published import PublishedLog, leaves

PATIENCE = 60.0


@pytest.fixture
def makul(tmp_path: Path) -> CommandLine:
    """Return the command line without settings and store."""
    return CommandLine(tmp_path / "nothing")


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "published", tmp_path / "log.key")


@pytest.fixture
def vkey(makul: CommandLine, tmp_path: Path) -> str:
    key = makul.run_json(
        *("ledger", "witness", "--new-key", tmp_path / "witness.key"),
        *("--name", "witness.example/w1"),
    )
    return str(key["vkey"])


def once(makul: CommandLine, log: PublishedLog, *more: str) -> CommandResult:
    return makul("ledger", "witness", *options(log), "--once", "--json", *more)


def options(log: PublishedLog) -> list[str]:
    at = log.directory.parent
    return [
        *("--log", str(log.directory), "--log-key", log.signer.vkey),
        *("--key", str(at / "witness.key"), "--state", str(at / "state")),
    ]


def test_a_round_reports_its_result(
    makul: CommandLine, log: PublishedLog, vkey: str, tmp_path: Path
) -> None:
    """Exit code 0 while the ledger only grows, 1 with an alarm, 3 if undetermined."""
    empty = once(makul, log)
    assert (empty.code, empty.json["result"]) == (3, "unavailable")

    log.publish(leaves(3))
    first = once(makul, log)
    assert (first.code, first.json["result"], first.json["size"]) == (0, "cosigned", 3)
    note = (tmp_path / "state" / "checkpoint").read_bytes()
    CosignatureVerifier.parse(vkey).verify(note)
    assert once(makul, log).json["result"] == "unchanged"
    assert once(makul, log, "--from-start").json["result"] == "unchanged"

    log.publish(leaves(7, "another "))
    forked = once(makul, log)
    assert (forked.code, forked.json["result"]) == (1, "inconsistent")
    assert (forked.json["size"], forked.json["shown"], forked.json["evidence_kept"]) == (3, 7, 1)
    assert "ALARM" in forked.err
    assert Path(forked.json["evidence"]).is_dir()
    assert (tmp_path / "state" / "checkpoint").read_bytes() == note


def test_another_tree_elsewhere_is_an_alarm(
    makul: CommandLine, log: PublishedLog, vkey: str, tmp_path: Path
) -> None:
    """Another witness shows a split view."""
    assert vkey
    log.publish(leaves(9))
    (tmp_path / "other").write_bytes(log.note(leaves(9)))
    assert once(makul, log, "--also", str(tmp_path / "other")).code == 0
    (tmp_path / "other").write_bytes(log.note(leaves(9, "another ")))

    result = once(makul, log, "--also", str(tmp_path / "other"))

    assert (result.code, result.json["result"]) == (1, "inconsistent")


def test_old_and_foreign_checkpoints_are_reported(
    makul: CommandLine, log: PublishedLog, vkey: str
) -> None:
    """An old one says nothing new (3); one that the ledger did not sign is an alarm (1)."""
    assert vkey
    old = log.publish(leaves(3))
    log.publish(leaves(9))
    once(makul, log)
    log.show(old)
    assert (once(makul, log).code, once(makul, log).json["result"]) == (3, "older")

    log.show(b"nothing\n")
    result = once(makul, log)
    assert (result.code, result.json["result"]) == (1, "unverified")
    assert "ALARM" in result.err


def test_the_ledger_key_may_be_in_a_file(
    makul: CommandLine, log: PublishedLog, vkey: str, tmp_path: Path
) -> None:
    """The file is the one that the operator gave."""
    assert vkey
    log.publish(leaves(3))
    (tmp_path / "log.vkey").write_text(log.signer.vkey + "\n")
    arguments = [*options(log), "--once", "--json"]
    arguments[arguments.index(log.signer.vkey)] = str(tmp_path / "log.vkey")

    assert makul("ledger", "witness", *arguments).code == 0


def test_output_for_people_is_one_line(makul: CommandLine, log: PublishedLog, vkey: str) -> None:
    """The line has the time, the result and the size."""
    assert vkey
    log.publish(leaves(3))

    result = makul("ledger", "witness", *options(log), "--once")

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d cosigned +3 leaves\n", result.out
    )


@pytest.mark.parametrize(
    ("change", "complaint", "code"),
    [
        ({"--log": "ftp://log.example/"}, "neither an http", 1),
        ({"--log": None}, "say --log", 1),
        ({"--log-key": "nonsense"}, "verifier key", 1),
        ({"--key": "nowhere"}, "nowhere", 3),
        ({"--bind": "everywhere"}, "HOST:PORT", 1),
        ({"--bind": "127.0.0.1:99999"}, "HOST:PORT", 1),
        ({"--bind": "192.0.2.1:0"}, "--bind", 3),
    ],
)
def test_unusable_options_are_reported(
    makul: CommandLine,
    log: PublishedLog,
    vkey: str,
    *,
    change: dict[str, str | None],
    complaint: str,
    code: int,
) -> None:
    """One line reports it before the witness begins."""
    assert vkey
    log.publish(leaves(3))
    arguments = options(log)
    named: dict[str, str | None] = dict(zip(arguments[::2], arguments[1::2], strict=True)) | change
    words = [word for name, value in named.items() if value is not None for word in (name, value)]

    result = makul("ledger", "witness", *words, "--once")

    assert result.code == code
    assert complaint in result.err
    assert result.err.count("\n") == 1


def test_a_key_is_made_once_and_named(makul: CommandLine, vkey: str, tmp_path: Path) -> None:
    """A key is never overwritten, and always needs a name."""
    assert vkey.startswith("witness.example/w1+")
    again = makul(
        "ledger", "witness", "--new-key", tmp_path / "witness.key", "--name", "witness.example/w1"
    )
    assert (again.code, "overwritten" in again.err) == (1, True)
    unnamed = makul("ledger", "witness", "--new-key", tmp_path / "other.key")
    assert (unnamed.code, "--name" in unnamed.err) == (1, True)
    spaced = makul("ledger", "witness", "--new-key", tmp_path / "other.key", "--name", "a b")
    assert (spaced.code, (tmp_path / "other.key").exists()) == (1, False)


def start_witness(log: PublishedLog, *more: str) -> subprocess.Popen[str]:
    """Run the program itself, in a separate process, in an empty directory."""
    place = log.directory.parent / "elsewhere"
    place.mkdir(exist_ok=True)
    return Program(
        *("ledger", "witness", *options(log), "--json", *more),
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rounds_until(process: subprocess.Popen[str], result: str) -> dict[str, object]:
    """Return the first round with this result."""
    until = time.monotonic() + PATIENCE
    assert process.stdout is not None
    while time.monotonic() < until:
        round_ = json.loads(process.stdout.readline())
        if round_["result"] == result:
            return dict(round_)
    raise AssertionError(result)


def test_witness_follows_serves_survives_and_stops(
    log: PublishedLog, vkey: str, tmp_path: Path
) -> None:
    """Kill -9 and a new start; an alarm does not end it; SIGTERM does, with 0."""
    log.publish(leaves(3))
    killed = start_witness(log, "--interval", "1")
    rounds_until(killed, "cosigned")
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()

    process = start_witness(log, "--interval", "1", "--bind", "127.0.0.1:0")
    try:
        assert process.stderr is not None
        port = int(process.stderr.readline().split()[-1])
        assert rounds_until(process, "unchanged")["size"] == 3
        log.publish(leaves(300))
        assert rounds_until(process, "cosigned")["size"] == 300
        url = f"http://127.0.0.1:{port}"
        note = requests.get(f"{url}/checkpoint", timeout=PATIENCE).content
        CosignatureVerifier.parse(vkey).verify(note)
        assert parse_checkpoint_unsafe(parse_note(note).text).size == 300
        assert note == (tmp_path / "state" / "checkpoint").read_bytes()
        for hidden in ("/", "/head.json", "/../state/head.json", "/checkpoint/", "/lock"):
            assert requests.get(url + hidden, timeout=PATIENCE).status_code == 404
        log.publish(leaves(400, "another "))
        rounds_until(process, "inconsistent")
        log.publish(leaves(401))
        assert rounds_until(process, "cosigned")["size"] == 401
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "ALARM" in err

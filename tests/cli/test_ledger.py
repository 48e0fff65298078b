"""`makul ledger`: a separate process sequences it, and commands show, check and export it."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError

import pytest

from makul.composition.adapters import utc_now
from makul.config.settings import SettingsError, load_settings
from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.tile_proofs import TileTree
from makul.store import Store, StoreKeys, open_store
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteVerifier
from makul_testing.builders.full_store import TAKEN_BACK, a_revocation_draft
from makul_testing.cli_runner import CommandLine, install_anew
from makul_testing.paths import ROOT
from makul_testing.processes.sequencer import PATIENCE, sequencer, until_published
from makul_testing.raw_sql import raw, without_guards
from makul_testing.tlog.builder import a_refused_draft, build_recording

# Every ledger begins with the leaf of the baseline, which `makul init` records, so sizes are one
# more than the decisions.


@pytest.fixture
def makul(tmp_path: Path) -> CommandLine:
    """Return a new installation, none of whose leaves has waited long."""
    return install_anew(tmp_path / "installation")


def record(store: Store, number: int) -> None:
    for _ in range(number):
        build_recording(store).record_and_render(a_refused_draft(at=utc_now()))


def setting(makul: CommandLine, line: str) -> None:
    """Add a line to [ledger]."""
    config = makul.directory / "makul.toml"
    config.write_text(config.read_text().replace("[ledger]", f"[ledger]\n{line}\n#", 1))


def test_verification_needs_no_signing_key(makul: CommandLine, store: Store) -> None:
    """The public key is enough to show, check and export; only the sequencer has the other."""
    key = makul.directory / "keys" / "ledger.key"
    record(store, 2)
    with sequencer(makul):
        until_published(makul, 3)
    key.unlink()

    assert makul.run_json("ledger", "status")["size"] == 3
    assert makul.run_json("ledger", "verify")["checked"] == 3
    assert makul.run_json("ledger", "export", makul.directory / "out")["size"] == 3
    refused = makul("ledger", "run")
    assert (refused.code, str(key) in refused.err) == (3, True)


def test_the_sequencer_needs_no_decryption_key(makul: CommandLine, store: Store) -> None:
    """It sees only hashes; `verify` decrypts records, and reports that it cannot."""
    record(store, 2)
    (makul.directory / "keys" / "store.json").rename(makul.directory / "away.json")

    with sequencer(makul):
        until_published(makul, 3)

    assert makul.run_json("ledger", "status")["size"] == 3
    refused = makul("ledger", "verify")
    assert (refused.code, "store.json" in refused.err) == (3, True)


def test_decisions_become_a_verified_ledger(makul: CommandLine, store: Store) -> None:
    """Leaves are sequenced, published, shown, verified and exported; SIGTERM ends it with 0."""
    record(store, 5)
    before = makul.run_json("ledger", "status")
    assert (before["size"], before["waiting"], before["published"]) == (0, 6, None)
    with sequencer(makul) as process:
        until_published(makul, 6)
        record(store, 2)
        until_published(makul, 8)
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in output.splitlines()] == ["sequencing"]

    after = makul.run_json("ledger", "status")
    assert (after["size"], after["waiting"], after["published"], after["lag_seconds"]) == (
        8,
        0,
        8,
        0,
    )
    assert after["sequencer"] is None
    report = makul.run_json("ledger", "verify")
    assert (report["fits"], report["checked"], report["size"]) == (True, 8, 8)
    _exported_as_signed(makul, after["key"])


def _exported_as_signed(makul: CommandLine, vkey: str) -> None:
    directory, bundle = makul.directory / "export", makul.directory / "log.zip"
    assert makul.run_json("ledger", "export", directory)["size"] == 8
    makul.run_json("ledger", "export", "--bundle", bundle)
    note = (directory / "checkpoint").read_bytes()
    body = NoteVerifier.parse(vkey).verify(note)
    assert body.startswith(b"makul/GOV/70000001\n8\n")
    with zipfile.ZipFile(bundle) as archive:
        assert archive.read("checkpoint") == note
        assert archive.read("tile/0/000.p/8") == (directory / "tile/0/000.p/8").read_bytes()
    assert makul("ledger", "export", directory).code == 1
    assert makul("ledger", "export", "--bundle", bundle).code == 1
    assert makul("ledger", "export").code == 1


def test_a_changed_record_is_named_with_exit_code_1(makul: CommandLine, store: Store) -> None:
    """The first inconsistent record is named: in JSON for programs, in one line for people."""
    record(store, 3)
    with sequencer(makul):
        until_published(makul, 4)
    with raw(makul.directory / "makul.db") as connection:
        (disclosure_id,) = connection.execute(
            "SELECT disclosure_id FROM disclosure LIMIT 1"
        ).fetchone()
        trigger = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'disclosure_no_update'"
        ).fetchone()[0]
        connection.execute("DROP TRIGGER disclosure_no_update")
        connection.execute(
            "UPDATE disclosure SET outcome = 'RELEASED' WHERE disclosure_id = ?", (disclosure_id,)
        )
        connection.execute(trigger)

    result = makul("ledger", "verify", "--json")

    assert result.code == 1
    assert not result.json["fits"]
    assert result.json["where"] == "disclosure"
    assert result.json["record"].replace("-", "") == disclosure_id.hex()
    assert re.search(r"makul: disclosure \S+: outcome is not what the leaf commits to", result.err)


def test_a_deleted_revocation_is_named_with_exit_code_1(makul: CommandLine, store: Store) -> None:
    """The consent would permit disclosures again; the ledger knows that it was revoked."""
    build_recording(store).record_and_render(a_revocation_draft(TAKEN_BACK, at=utc_now()))
    with sequencer(makul):
        until_published(makul, 2)
    store.close()
    assert makul("ledger", "verify").code == 0
    with without_guards(makul.directory / "makul.db", "revocation") as connection:
        assert connection.execute("DELETE FROM revocation").rowcount == 1

    result = makul("ledger", "verify", "--json")

    assert result.code == 1
    assert (result.json["where"], result.json["what"]) == ("revocation", "the row is not there")
    assert str(TAKEN_BACK.id) in result.json["record"]


def test_a_recipient_released_by_hand_is_named_with_exit_code_1(with_bank: CommandLine) -> None:
    """There is no act for it."""
    makul = with_bank
    makul.run_json("recipient", "hold", "COM/60000001", "--reason", "test", "--apply")
    with sequencer(makul):
        until_published(makul, 3)
    assert makul("ledger", "verify").code == 0
    with without_guards(makul.directory / "makul.db", "recipient") as connection:
        connection.execute("UPDATE recipient SET state = 'ACTIVE'")

    result = makul("ledger", "verify")

    assert result.code == 1
    assert "recipient COM/60000001: state is not what acts and decisions say" in result.err


def test_the_change_of_the_auditors_guide_is_found(makul: CommandLine, store: Store) -> None:
    """The test runs the very program of docs/auditors.md, Try it."""
    record(store, 3)
    with sequencer(makul):
        until_published(makul, 4)
    store.close()
    guide = (ROOT / "docs" / "auditors.md").read_text(encoding="utf-8")
    (program,) = re.findall(r'```python\n("""tamper\.py.*?)```', guide, re.DOTALL)
    assert makul("ledger", "verify").code == 0

    subprocess.run([sys.executable, "-c", program, makul.directory / "makul.db"], check=True)

    result = makul("ledger", "verify")
    assert result.code == 1
    assert "recipient is not what the leaf commits to" in result.err


def test_an_older_copy_is_noticed(makul: CommandLine, store: Store) -> None:
    """`verify` finds it, and the sequencer sequences nothing and ends with 1."""
    record(store, 2)
    store.close()
    database = makul.directory / "makul.db"
    backup = database.read_bytes()
    with sequencer(makul):
        until_published(makul, 3)
    database.with_suffix(".db-wal").unlink(missing_ok=True)
    database.with_suffix(".db-shm").unlink(missing_ok=True)
    database.write_bytes(backup)

    result = makul("ledger", "verify", "--json")
    assert result.code == 1
    assert result.json["where"] == "published"
    assert "restored from an older copy" in result.json["what"]
    with sequencer(makul) as process:
        _, output = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "restored from an older copy" in output
    # not `run_json`: on a slow machine the leaves wait longer than was promised by now
    assert makul("ledger", "status", "--json").json["size"] == 0


def test_the_ledger_continues_after_a_restored_copy(makul: CommandLine, store: Store) -> None:
    """Published leaves stay: those that the copy holds get their indexes, others are noted."""
    record(store, 2)
    store.close()
    database = makul.directory / "makul.db"
    backup = database.read_bytes()
    record(store, 1)
    with sequencer(makul):
        until_published(makul, 4)
    store.close()
    published = (makul.directory / "published/checkpoint").read_bytes()
    database.write_bytes(backup)

    recovery = makul.run_json("ledger", "recover")
    assert (recovery["applied"], recovery["size"], recovery["published"], recovery["missing"]) == (
        False,
        0,
        4,
        4,
    )
    makul.run_json("ledger", "recover", "--apply")

    result = makul("ledger", "verify", "--json")
    assert result.code == 1
    assert (result.json["where"], result.json["lost"]) == ("ledger_lost", 1)
    known = makul.run_json("ledger", "verify", "--lost", "1")
    assert (known["size"], known["checked"]) == (4, 3)
    assert makul("ledger", "verify", "--lost", "2").code == 1
    assert makul("ledger", "recover").code == 1
    reopened = open_store(database, StoreKeys.load(makul.directory / "keys/store.json"), who="test")
    record(reopened, 1)
    reopened.close()
    with sequencer(makul):
        until_published(makul, 5)
    assert makul.run_json("ledger", "verify", "--lost", "1")["size"] == 5
    body = published.partition(b"\n\n")[0] + b"\n"
    known_tree = parse_checkpoint_unsafe(body)
    tree = TileTree(4, LogDirectory(makul.directory / "published").tile)
    assert tree.root() == known_tree.root


def test_a_killed_sequencer_is_followed_by_another(makul: CommandLine, store: Store) -> None:
    """The standby takes over after kill -9, when the lease has expired."""
    setting(makul, "interval = 0.2")
    with sequencer(makul) as first:
        until_published(makul, 1)
        with sequencer(makul) as second:
            assert second.stderr is not None
            assert json.loads(second.stderr.readline())["event"] == "standing by"
            record(store, 1)
            until_published(makul, 2)
            holder = makul.run_json("ledger", "status")["sequencer"]
            first.kill()
            first.wait()
            record(store, 1)
            until_published(makul, 3)
            assert makul.run_json("ledger", "status")["sequencer"] != holder
            second.send_signal(signal.SIGTERM)
            _, output = second.communicate(timeout=PATIENCE)
    assert [json.loads(line)["event"] for line in output.splitlines()] == ["sequencing"]


def test_a_sequencer_that_cannot_publish_gives_up_its_lease(
    makul: CommandLine, store: Store
) -> None:
    """If the disk of one host is full, the standby on another must not wait permanently."""
    record(store, 1)
    (makul.directory / "published").mkdir(exist_ok=True)
    (makul.directory / "published/tile").write_text("no directory")
    with sequencer(makul):
        deadline = time.monotonic() + PATIENCE
        while store.ledger.state().size < 2 or store.ledger.state().holder is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (makul.directory / "published/tile").unlink()
        until_published(makul, 2)


def test_a_ledger_without_its_head_is_reported_in_one_line(
    makul: CommandLine, store: Store
) -> None:
    """There is no internal error."""
    record(store, 1)
    with raw(makul.directory / "makul.db") as connection:
        connection.execute("DELETE FROM ledger_head")

    result = makul("ledger", "status")

    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "the log has no head" in result.err


def test_the_sequencer_survives_an_outage_of_the_store(makul: CommandLine, store: Store) -> None:
    """The sequencer logs it once, and continues where it stopped."""
    setting(makul, "interval = 0.2")
    record(store, 1)
    store.close()
    database = makul.directory / "makul.db"
    with sequencer(makul) as process:
        until_published(makul, 2)
        away = database.rename(database.with_suffix(".away"))
        first_lines = [
            process.stderr.readline() for _ in range(2)
        ]  # one that continues logs it once
        away.rename(database)
        record(store, 1)
        until_published(makul, 3)
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=PATIENCE)
    events = [json.loads(line)["event"] for line in (*first_lines, *output.splitlines())]
    assert events == ["sequencing", "the store is unavailable", "sequencing"]


def test_witnesses_fetch_by_http(makul: CommandLine, store: Store) -> None:
    """The server returns the checkpoint and tiles, and no other file of the machine."""
    record(store, 2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    setting(makul, f'bind = "127.0.0.1:{port}"')
    with sequencer(makul):
        until_published(makul, 3)
        base = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{base}/checkpoint", timeout=PATIENCE) as answer:  # noqa: S310
            assert answer.read() == (makul.directory / "published/checkpoint").read_bytes()
            assert answer.headers["Cache-Control"] == "no-cache"
        with urllib.request.urlopen(f"{base}/tile/0/000.p/3", timeout=PATIENCE) as answer:  # noqa: S310
            assert len(answer.read()) == 96
            assert "immutable" in answer.headers["Cache-Control"]
        for path in ("", "tile/0/000", "tile/0/000.p/4", ".lock", "../keys/ledger.key", "%2e%2e/x"):
            with pytest.raises(HTTPError) as refused:
                urllib.request.urlopen(f"{base}/{path}", timeout=PATIENCE)  # noqa: S310
            with refused.value as answer:
                assert answer.code == 404


def test_a_delay_beyond_the_promise_is_reported(makul: CommandLine, store: Store) -> None:
    """Exit code 1 is for monitoring."""
    build_recording(store).record_and_render(a_refused_draft(at=utc_now() - timedelta(seconds=90)))

    result = makul("ledger", "status", "--json")

    assert result.code == 1
    assert result.json["lag_seconds"] >= 90
    assert "max_merge_delay" in result.err


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('origin = "a b"', "without spaces"),
        ("interval = 0.1", "must be at least 0.2"),
        ("interval = 61", "must be at most 60"),
        ("interval = 20", "max_merge_delay is at least"),
        ("max_merge_delay = 5", "max_merge_delay is at least"),
        ('bind = "0.0.0.0:80"', "must look like"),
        ("batch = 0", "must be at least 1"),
    ],
)
def test_unusable_settings_are_refused(makul: CommandLine, line: str, why: str) -> None:
    """The message names the key and says what to do."""
    config = makul.directory / "makul.toml"
    key = line.partition(" ")[0]
    text = re.sub(rf"(?m)^{key} = .*$", "", config.read_text())
    config.write_text(text.replace("[ledger]", f"[ledger]\n{line}\n#", 1))

    with pytest.raises(SettingsError, match=why):
        load_settings(config)


def test_missing_ledger_settings_are_reported_in_one_line(makul: CommandLine) -> None:
    """Exit code 3: the same command works when the settings have it."""
    config = makul.directory / "makul.toml"
    text = config.read_text()
    start, end = text.index("[ledger]"), text.index("[trust]")
    config.write_text(text[:start] + text[end:])

    result = makul("ledger", "status")

    assert result.code == 3
    assert result.err.count("\n") == 1
    assert "[ledger] is not set" in result.err


def test_a_key_for_another_ledger_is_refused(makul: CommandLine) -> None:
    """The origin is the permanent name of the ledger; another one would be another ledger."""
    config = makul.directory / "makul.toml"
    config.write_text(config.read_text().replace('"makul/GOV/70000001"', '"makul/another"'))

    result = makul("ledger", "status")

    assert result.code == 3
    assert "makul/another" in result.err


def test_an_inconsistent_ledger_is_an_alarm(
    makul: CommandLine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MKL-501 comes from the check, and from the sequencer that refuses to sign."""
    security = makul.directory / "security.log"
    monkeypatch.setenv("MAKUL_LOGS__SECURITY", str(security))
    record(store, 3)
    with sequencer(makul):
        until_published(makul, 4)
    assert makul("ledger", "verify").code == 0
    assert security.read_text() == ""

    (makul.directory / "published" / "checkpoint").write_bytes(b"another log\n")
    assert makul("ledger", "verify").code == 1
    with sequencer(makul) as process:
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 1

    events = [json.loads(line) for line in security.read_text().splitlines()]
    assert [event["event.code"] for event in events] == ["MKL-501", "MKL-501"]

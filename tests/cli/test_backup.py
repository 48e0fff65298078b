"""`makul backup` and `makul restore`: what a copy contains, and what proves or refuses one."""

import errno
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from makul.admin import backup
from makul.composition.adapters import utc_now
from makul.store import Store, StoreKeys
from makul.store.backup.directory import BackupDirectory, describe_file
from makul.store.backup.postgres_dump import connection_of
from makul.store.db.location import PostgresLocation
from makul.store.schema import version
from makul_testing.builders.full_store import BY_OPERATOR, TAKEN_BACK, a_revocation_draft
from makul_testing.cli_runner import CommandLine, install, install_anew
from makul_testing.external.postgres import Cluster, client_programs, cluster
from makul_testing.older_stores import downgrade_to_0017
from makul_testing.paths import ROOT
from makul_testing.processes.sequencer import sequencer, until_published
from makul_testing.tlog.builder import build_recording

BANK = ("--kind", "BANK", "--name", "Bank", "--apply")


@pytest.fixture
def makul(tmp_path: Path) -> CommandLine:
    """Return a new installation, none of whose leaves has waited long."""
    return install_anew(tmp_path / "installation")


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    return tmp_path / "copies"


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture
def on_server(tmp_path: Path, server: Cluster, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return an installation on a server, with the client programs of the server's version."""
    monkeypatch.setenv("PATH", f"{client_programs()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MAKUL_DATABASE_URL", owned_database(server))
    return install_anew(tmp_path / "installation")


def owned_database(server: Cluster) -> str:
    """Return the address of a new database whose owner is no superuser."""
    if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = 'owner'"):
        server.execute("CREATE ROLE owner LOGIN CREATEDB")
    name = server.create()
    server.execute(f"ALTER DATABASE {name} OWNER TO owner")
    return server.url(name, "owner")


def back_up(makul: CommandLine, copies: Path) -> Path:
    return Path(makul.run_json("backup", copies)["copy"])


def test_a_copy_names_its_keys_and_contains_none(makul: CommandLine, copies: Path) -> None:
    """Only the owner reads it, and the manifest says nothing about people."""
    made = makul.run_json("backup", copies)
    copy = Path(made["copy"])

    keys = json.loads((makul.directory / "keys" / "store.json").read_bytes())
    assert made["key_ids"] == [keys["current"]]
    for file in copy.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0
        content = file.read_bytes() if file.is_file() else b""
        assert keys["index"].encode() not in content
        assert keys["masters"][keys["current"]].encode() not in content
        assert b"PRIVATE KEY" not in content
    manifest = json.loads((copy / "manifest.json").read_bytes())
    assert manifest["tables"]["act"] == 1
    assert {each["path"] for each in manifest["files"]} == {
        "makul.db",
        "settings/makul.toml",
        "settings/receipts.certificate/receipts.cert.pem",
    }


def test_keys_among_certificates_are_not_copied(makul: CommandLine, copies: Path) -> None:
    """A key that somebody put into a directory of certificates stays out, and is reported."""
    keys, anchors = makul.directory / "keys", makul.directory / "anchors"
    for name in ("store.json", "receipts.key.pem"):
        shutil.copy(keys / name, anchors / name)
    shutil.copy(keys / "receipts.cert.pem", anchors / "root.pem")

    made = makul("backup", copies, "--json")

    assert made.json["omitted"] == ["trust.anchors"]
    assert "trust.anchors" in made.err
    names = {each.name for each in Path(made.json["copy"]).rglob("*")}
    assert "root.pem" in names
    assert not {"store.json", "receipts.key.pem"} & names


def test_settings_with_a_password_are_not_copied(
    makul: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = makul.directory / "makul.toml"
    config.write_text(f'database_url = "postgresql://u:s3cret@h/d"\n{config.read_text()}')
    monkeypatch.setenv("MAKUL_DATABASE_URL", f"sqlite:///{makul.directory}/makul.db")

    made = makul("backup", tmp_path / "copies", "--json")

    assert made.json["omitted"] == ["database_url"]
    for file in Path(made.json["copy"]).rglob("*"):
        assert file.is_dir() or b"s3cret" not in file.read_bytes()


def test_the_archive_of_evidence_is_copied_once_and_verified(
    makul: CommandLine, copies: Path
) -> None:
    """Its files never change, so each copy adds the new ones; a damaged or missing one is found."""
    archive = makul.directory / "archive"
    for content in (b"first", b"second"):
        name = sha256(content).hexdigest()
        (archive / name[:2]).mkdir(parents=True, exist_ok=True)
        (archive / name[:2] / f"{name}.crl").write_bytes(content)
    (archive / "index").mkdir()
    (archive / "index" / "20261201T000000Z-00").touch()
    assert makul.run_json("backup", copies)["archive"] == 3
    assert makul.run_json("restore", copies, "--check")["archive"] == 3

    kept = copies / "archive" / name[:2] / f"{name}.crl"
    before = kept.stat().st_ino
    makul.run_json("backup", copies)
    assert kept.stat().st_ino == before
    kept.write_bytes(b"third")
    refused = makul("restore", copies, "--check")
    assert (refused.code, "was altered" in refused.err) == (1, True)
    kept.unlink()
    refused = makul("restore", copies, "--check")
    assert (refused.code, "has 2 of 3 files" in refused.err) == (1, True)


def test_a_check_proves_a_copy_and_names_what_it_lacks(makul: CommandLine, copies: Path) -> None:
    """The published log says how many records are missing, and the live store which acts."""
    with sequencer(makul):
        until_published(makul, 1)
        back_up(makul, copies)
        makul.run_json("recipient", "add", "COM/60000001", *BANK)
        until_published(makul, 2)

    checked = makul.run_json("restore", copies, "--check")

    assert checked["fits"] is True
    assert (checked["size"], checked["published"]) == (1, 2)
    assert (checked["missing_leaves"], checked["missing_records"]) == (1, 1)
    assert checked["missing_live_records"] == 1
    (act,) = checked["missing_acts"]
    assert (act["number"], act["kind"], act["target"]) == (2, "recipient.add", "COM/60000001")


def test_consents_that_a_restore_would_put_in_force_again_are_named(
    makul: CommandLine, store: Store, copies: Path
) -> None:
    build_recording(store).record_and_render(a_revocation_draft(BY_OPERATOR, at=utc_now()))
    back_up(makul, copies)
    build_recording(store).record_and_render(a_revocation_draft(TAKEN_BACK, at=utc_now()))

    checked = makul.run_json("restore", copies, "--check")

    assert checked["missing_revocation_count"] == 1
    assert [each["consent"] for each in checked["missing_revocations"]] == [str(TAKEN_BACK.id)]
    assert str(TAKEN_BACK.id) in makul("restore", copies, "--check").out


def test_a_check_without_a_live_store_says_what_it_cannot_know(
    makul: CommandLine, copies: Path
) -> None:
    back_up(makul, copies)
    (makul.directory / "makul.db").unlink()

    checked = makul("restore", copies, "--check", "--json")

    assert checked.code == 0
    assert checked.json["missing_act_count"] is None
    assert "is not known" in checked.err
    assert not (makul.directory / "makul.db").exists()


def test_an_old_copy_is_refused_to_monitoring(makul: CommandLine, copies: Path) -> None:
    copy = back_up(makul, copies)
    rewrite(copy, lambda it: it.update(made_at="2026-01-01T00:00:00Z"))

    assert makul("restore", copies, "--check", "--max-age", "15").code == 1


def rewrite(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((copy / "manifest.json").read_bytes())
    change(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))


def _cut(copy: Path) -> None:
    with (copy / "makul.db").open("r+b") as file:
        file.truncate(100_000)


def _altered(copy: Path) -> None:
    with (copy / "makul.db").open("r+b") as file:
        file.seek(50_000)
        file.write(b"\xff")


def _alter_consistently(copy: Path, table: str, change: str) -> None:
    """Do what an attacker does who also writes the manifest: change a row and each digest."""
    with closing(sqlite3.connect(copy / "makul.db")) as store:
        (sql,) = store.execute(
            "SELECT group_concat(sql, ';') FROM sqlite_master"
            " WHERE type = 'trigger' AND tbl_name = ?",
            (table,),
        ).fetchone()
        names = store.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
        ).fetchall()
        for (name,) in names:
            store.execute(f'DROP TRIGGER "{name}"')
        store.execute(f"UPDATE {table} SET {change}")  # noqa: S608 -- a statement of this test
        store.commit()
        store.executescript(sql)
    found = describe_file(copy, "makul.db").model_dump()
    rewrite(copy, lambda it: it.update(files=[found, *it["files"][1:]]))


SPOILS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (_cut, "shorter than it was"),
    "altered": (_altered, "was altered"),
    "altered with its manifest": (
        lambda copy: _alter_consistently(copy, "act", "who = 'nobody'"),
        "does not fit its ledger",
    ),
    "a field that no leaf covers": (
        lambda copy: _alter_consistently(
            copy, "desk_log", "sealed = CAST(sealed || x'00' AS BLOB)"
        ),
        "fields of desk_log.sealed do not decrypt",
    ),
    "without the store": (lambda copy: (copy / "makul.db").unlink(), "not whole"),
    "with another file": (lambda copy: (copy / "more").touch(), "does not name more"),
    "no manifest": (lambda copy: (copy / "manifest.json").unlink(), "contains no copy"),
    "manifest cut": (
        lambda copy: (copy / "manifest.json").write_bytes(b'{"format": "makul-b'),
        "manifest cannot be read",
    ),
    "file outside": (
        lambda copy: rewrite(copy, lambda it: it["files"][0].update(path="../../makul.db")),
        "manifest cannot be read",
    ),
    "newer schema": (
        lambda copy: rewrite(copy, lambda it: it.update(schema_version="9999")),
        "does not know",
    ),
    "newer format": (
        lambda copy: rewrite(copy, lambda it: it.update(format="makul-backup/2")),
        "newer program",
    ),
    "fewer rows": (lambda copy: rewrite(copy, lambda it: it["tables"].update(act=9)), "rows"),
    "another key": (
        lambda copy: rewrite(copy, lambda it: it.update(keys=["00000000"])),
        "00000000",
    ),
}


@pytest.mark.parametrize("what", SPOILS)
def test_a_spoilt_copy_is_named_and_refused(what: str, makul: CommandLine, copies: Path) -> None:
    makul.run_json("recipient", "add", "COM/60000001", *BANK)
    copy = back_up(makul, copies)
    spoil, expected = SPOILS[what]
    spoil(copy)

    refused = makul("restore", copy, "--check")

    assert (refused.code, refused.out) == (1, "")
    assert len(refused.err.splitlines()) == 1
    assert expected in refused.err


def test_other_keys_and_other_stores_are_named(
    makul: CommandLine, copies: Path, tmp_path: Path
) -> None:
    copy = back_up(makul, copies)
    other = install_anew(tmp_path / "other")
    refused = other("restore", copy, "--check")
    assert (refused.code, "of another store" in refused.err) == (1, True)

    (other.directory / "makul.db").unlink()
    refused = other("restore", copy, "--check")
    assert (refused.code, "needs the keys" in refused.err) == (1, True)

    right = StoreKeys.load(makul.directory / "keys" / "store.json")
    (other.directory / "keys" / "store.json").unlink()
    wrong = StoreKeys(
        current_id=right.current_id, masters={right.current_id: bytes(32)}, index=right.index
    )
    wrong.save(other.directory / "keys" / "store.json")
    refused = other("restore", copy, "--check")
    assert (refused.code, "with these keys" in refused.err) == (1, True)


def test_a_copy_of_an_older_schema_is_upgraded_to_prove_it(
    makul: CommandLine, copies: Path
) -> None:
    """A copy is made before an upgrade, by the new program."""
    database = makul.directory / "makul.db"
    downgrade_to_0017(database)

    copy = back_up(makul, copies)
    checked = makul.run_json("restore", copies, "--check")

    assert (checked["fits"], checked["version"], checked["to_upgrade"]) == (True, "0017", True)
    database.unlink()
    makul.run_json("restore", copy, "--apply")
    makul.run_json("store", "upgrade", "--apply")
    assert makul.run_json("store", "status")[0]["version"] == version.VERSION


def test_a_witness_shows_that_a_copy_is_not_the_newest(
    makul: CommandLine, copies: Path, tmp_path: Path
) -> None:
    """The published files are lost with the machine; the witness still has the larger tree."""
    vkey = makul.run_json(
        *("ledger", "witness", "--new-key", tmp_path / "w.key", "--name", "witness.example/w1")
    )["vkey"]
    config = makul.directory / "makul.toml"
    witness = f'[[ledger.witnesses]]\nkey = "{vkey}"\nfile = "../witness-state/checkpoint"\n'
    config.write_text(f"{config.read_text()}\n{witness}")
    with sequencer(makul):
        until_published(makul, 1)
        back_up(makul, copies)
        makul.run_json("recipient", "add", "COM/60000001", *BANK)
        until_published(makul, 2)
    makul(
        *("ledger", "witness", "--log", makul.directory / "published"),
        *("--log-key", makul.directory / "keys" / "ledger.key.pub", "--key", tmp_path / "w.key"),
        *("--state", tmp_path / "witness-state", "--once"),
    )
    shutil.rmtree(makul.directory / "published")
    (makul.directory / "makul.db").unlink()

    result = makul("restore", copies, "--check", "--json")

    checked = result.json
    assert (checked["published"], checked["witnessed"], checked["size"]) == (None, 2, 1)
    assert "a witness shows 2 leaves" in result.err


def test_a_copy_of_another_log_is_refused(makul: CommandLine, copies: Path) -> None:
    """An attacker who presents an own history beside a published log is refused."""
    back_up(makul, copies)
    with sequencer(makul):
        until_published(makul, 1)
    for path in (makul.directory / "published").rglob("*"):
        if path.is_file() and path.name != "checkpoint":
            path.write_bytes(bytes(len(path.read_bytes())))

    refused = makul("restore", copies, "--check")

    assert (refused.code, "another log" in refused.err) == (1, True)


def test_the_newest_copies_of_one_store_stay(
    makul: CommandLine, copies: Path, tmp_path: Path
) -> None:
    """Copies of another store stay, and what no copy is; the remains of a killed copy go."""
    first = back_up(makul, copies)
    names = [f"makul-202501{day + 1:02}T000000Z" for day in range(4)]
    for name in names:
        shutil.copytree(first, copies / name)
    other = back_up(install(tmp_path / "other"), tmp_path / "copies of another")
    shutil.copytree(other, copies / "makul-20240101T000000Z")
    (copies / "makul-20230101T000000Z").mkdir()
    (copies / "before-upgrade").mkdir()
    (copies / ".unfinished-0123").mkdir()
    (copies / ".unfinished-0123" / "makul.db").touch()
    shutil.rmtree(first)

    made = makul.run_json("backup", copies, "--keep", "3")

    assert made["removed"] == names[:2]
    assert sorted(each.name for each in copies.iterdir()) == [
        ".lock",
        "before-upgrade",
        "makul-20230101T000000Z",
        "makul-20240101T000000Z",
        *names[2:],
        Path(made["copy"]).name,
    ]


def test_one_process_at_a_time_adds_copies(makul: CommandLine, copies: Path) -> None:
    """A second one would remove the unfinished copy of the first."""
    with BackupDirectory(copies).lock():
        refused = makul("backup", copies)

    assert (refused.code, "another process" in refused.err) == (3, True)


def test_a_full_disk_leaves_no_copy(
    makul: CommandLine, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names no file; it is one line, and the next command may succeed."""

    def fail(_: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(backup, "sync_file", fail)
        refused = makul("backup", copies)

    assert (refused.code, "No space left" in refused.err) == (3, True)
    assert [each.name for each in copies.iterdir()] == [".lock"]
    assert makul("backup", copies).code == 0


@pytest.mark.parametrize("what", ["missing", "damaged"])
def test_a_copy_that_fails_gets_no_name(what: str, makul: CommandLine, copies: Path) -> None:
    database = makul.directory / "makul.db"
    if what == "missing":
        database.unlink()
    else:
        copy = back_up(makul, copies.with_name("good"))
        shutil.copy(copy / "makul.db", database)
        with database.open("r+b") as file:
            for page in range(2, database.stat().st_size // 8192):
                file.seek(page * 8192)
                file.write(b"\xff" * 512)

    refused = makul("backup", copies)

    assert refused.code in {1, 3}
    assert len(refused.err.splitlines()) == 1
    assert {each.name for each in copies.iterdir()} <= {".lock", "archive"}


def test_a_copy_is_restored_into_an_empty_place_alone(makul: CommandLine, copies: Path) -> None:
    """An existing store or its write-ahead log is never replaced; the restore is logged."""
    makul.run_json("recipient", "add", "COM/60000001", *BANK)
    copy = back_up(makul, copies)
    database = makul.directory / "makul.db"
    assert "exists" in makul("restore", copy, "--apply").err
    database.unlink()
    left = database.with_name("makul.db-wal")
    left.touch()
    assert "makul.db-wal exists" in makul("restore", copy, "--apply").err
    left.unlink()

    preview = makul("restore", copy)
    assert (preview.code, database.exists()) == (0, False)
    assert makul.run_json("restore", copy, "--apply")["applied"] is True

    assert [each["code"] for each in makul.run_json("recipient", "list")] == ["COM/60000001"]
    assert database.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(database)) as store:
        logged = store.execute("SELECT action FROM desk_log ORDER BY at").fetchall()
    assert logged[-1] == ("store.restore",)


def test_a_store_on_a_server_is_copied_proved_and_restored(
    on_server: CommandLine, server: Cluster, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that only reads makes the copy; a database that the check created is dropped."""
    server.execute("CREATE ROLE copier LOGIN; GRANT pg_read_all_data TO copier")
    url = os.environ["MAKUL_DATABASE_URL"]
    monkeypatch.setenv("MAKUL_DATABASE_URL", url.replace("user=owner", "user=copier"))
    made = on_server.run_json("backup", copies)
    monkeypatch.setenv("MAKUL_DATABASE_URL", url)
    on_server.run_json("recipient", "add", "COM/60000001", *BANK)

    assert "--into" in on_server("restore", copies, "--check").err
    as_superuser = on_server("restore", copies, "--check", "--into", server.url("scratch"))
    assert (as_superuser.code, "no superuser" in as_superuser.err) == (3, True)
    scratch = server.url("scratch", "owner")
    checked = on_server.run_json("restore", copies, "--check", "--into", scratch)
    assert (checked["fits"], checked["store"]) == (True, made["store"])
    assert checked["missing_acts"][0]["target"] == "COM/60000001"
    assert server.execute("SELECT 1 FROM pg_database WHERE datname = 'scratch'") == []
    live = on_server("restore", copies, "--check", "--into", url)
    assert (live.code, "is not empty" in live.err) == (1, True)
    assert "is not empty" in on_server("restore", copies, "--apply").err

    monkeypatch.setenv("MAKUL_DATABASE_URL", owned_database(server))
    assert on_server.run_json("restore", copies, "--apply")["applied"] is True
    assert on_server.run_json("recipient", "list") == []


def test_a_password_is_not_in_the_arguments_of_a_program() -> None:
    """Other users of a machine can read the arguments of a process."""
    target, variables = connection_of(PostgresLocation(url="postgresql://u:s3cret@h:5433/d"))

    assert "s3cret" not in target
    assert variables == {"PGPASSWORD": "s3cret"}
    assert re.search(r"\bport='?5433", target)


def test_the_programs_of_an_older_server_are_refused(
    on_server: CommandLine, copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent))

    refused = on_server("backup", copies)
    assert (refused.code, "has version 9" in refused.err) == (3, True)
    old.unlink()
    assert "is not on the PATH" in on_server("backup", copies).err


def test_the_unit_makes_the_copies() -> None:
    unit = (ROOT / "docs" / "operating" / "systemd" / "makul-backup.service").read_text()

    assert "makul backup /var/backups/makul" in unit

"""`makul store`: an installation on SQLite, and one on PostgreSQL."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from makul.admin.errors import OperatorError
from makul.admin.preflight import require_fit_settings
from makul.config.settings import Environment, load_settings
from makul.domain.attributes import Attribute
from makul.domain.persons import Person
from makul.store import StoreKeys
from makul.store.db.location import DatabaseLocation
from makul.store.encryption.fields import FieldCipher
from makul_sandbox.data.citizens import citizens
from makul_testing.builders.whole_records import put_whole
from makul_testing.cli_runner import CommandLine, install, install_anew
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.raw_sql import raw


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster(durable=True) as running:
        yield running


@pytest.fixture
def on_file(tmp_path: Path) -> CommandLine:
    return install(tmp_path / "service")


@pytest.fixture
def on_server(tmp_path: Path, server: Cluster, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Select a server by `MAKUL_DATABASE_URL`; the settings still name a file, which is
    not made.
    """
    monkeypatch.setenv("MAKUL_DATABASE_URL", server.url(server.create()))
    makul = install_anew(tmp_path / "service")
    assert not (makul.directory / "makul.db").exists()
    return makul


def test_a_store_in_a_file_is_managed(on_file: CommandLine) -> None:
    assert on_file.run_json("store", "status")[0]["database"] == "SQLite"
    refused = on_file("store", "grant", "service", "--for", "serving", "--apply")
    assert (refused.code, "no roles" in refused.err) == (1, True)


def test_a_store_on_a_server_is_managed(
    on_server: CommandLine, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is made with its months, and a role with the privileges of serving can serve it."""
    server.execute("CREATE ROLE teller LOGIN")
    before = on_server("store", "status", "--json")
    assert before.code == 1
    assert "superuser" in before.json[0]["weaknesses"]
    assert before.json[0]["months_missing"] is None

    assert "--for" in on_server("store", "grant", "teller", "--apply").err
    would = on_server.run_json("store", "grant", "teller", "--for", "serving")
    assert (would["role"], would["duty"]) == ("teller", "serving")
    assert on_server("store", "status").code == 1
    assert on_server("store", "grant", "teller", "--for", "serving", "--apply").code == 0
    url = os.environ["MAKUL_DATABASE_URL"].replace("user=postgres", "user=teller")
    monkeypatch.setenv("MAKUL_DATABASE_URL", url)

    (row,) = on_server.run_json("store", "status")
    assert (row["database"], row["weaknesses"]) == ("PostgreSQL", None)
    assert on_server.run_json("recipient", "list") == []
    for other in ("desk", "sequencing"):
        result = on_server("store", "status", "--for", other, "--json")
        assert result.code == 1
        assert f"makul store grant teller --for {other} --apply" in result.json[0]["weaknesses"]


def test_a_role_without_privileges_is_reported(
    on_server: CommandLine, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message lists the missing privileges, and does not say that there is no store."""
    server.execute("CREATE ROLE nobody_yet LOGIN")
    url = os.environ["MAKUL_DATABASE_URL"].replace("user=postgres", "user=nobody_yet")
    monkeypatch.setenv("MAKUL_DATABASE_URL", url)

    result = on_server("recipient", "list")

    assert result.code == 3
    assert "makul store grant" in result.err


# --- samples that lie in their records --------------------------------------------------------


def with_whole_records(makul: CommandLine) -> Person:
    """Write a record like the program before migration 0010."""
    person = citizens(1)[0]
    face = {**person.values, Attribute.FACE_IMAGE: b"\xff\xd8\xff a face"}
    keys = StoreKeys.load(makul.directory / "keys" / "store.json")
    person = replace(person, values=face)
    put_whole(place_of(makul), FieldCipher(keys), person)
    return person


def place_of(makul: CommandLine) -> DatabaseLocation:
    return load_settings(makul.directory / "makul.toml").place


@pytest.mark.parametrize("kind", ["on_file", "on_server"])
def test_an_upgrade_moves_samples(kind: str, request: pytest.FixtureRequest) -> None:
    """`status` shows what is left, `upgrade` moves it, and a preview moves nothing."""
    makul: CommandLine = request.getfixturevalue(kind)
    person = with_whole_records(makul)
    before = makul("store", "status", "--json")
    assert makul.run_json("store", "upgrade")["applied"] is False
    still = makul("store", "status", "--json")
    makul.run_json("store", "upgrade", "--apply")
    after = makul("store", "status", "--json")

    assert (before.code, before.json[0]["samples_to_move"]) == (1, 1)
    assert "makul store upgrade --apply" in before.err
    assert still.json[0]["samples_to_move"] == 1
    assert after.json[0]["samples_to_move"] == 0
    output = makul.run_json("person", "show", person.pin.digits, "--reason", "test")
    assert output["faceImage"] == "(10 bytes)"


def test_an_upgrade_without_the_keys_names_what_is_missing(on_file: CommandLine) -> None:
    """It needs the store's keys; nothing is half done without them, and it can be repeated."""
    with_whole_records(on_file)
    keys = on_file.directory / "keys" / "store.json"
    content = keys.read_bytes()
    keys.unlink()
    result = on_file("store", "upgrade", "--apply")
    keys.write_bytes(content)
    keys.chmod(0o600)

    assert result.code == 3
    assert "store.json" in result.err
    on_file.run_json("store", "upgrade", "--apply")


def test_an_undecryptable_record_is_reported(on_file: CommandLine) -> None:
    """It stays unchanged, and the exit code says that not all was done."""
    with_whole_records(on_file)
    with raw(place_of(on_file)) as connection:
        connection.execute("UPDATE person SET sealed = x'0100'")
    result = on_file("store", "upgrade", "--apply")

    assert result.code == 1
    assert "1 records do not open" in result.err


def test_production_does_not_serve_with_samples_in_records(on_file: CommandLine) -> None:
    """The time of a comparison would reveal who is registered (invariant 6); a sandbox
    may serve.
    """
    settings = load_settings(on_file.directory / "makul.toml")
    with_whole_records(on_file)
    trust = settings.trust.model_copy(update={"pin_policies": ("1.2.3",)})
    fit = {
        environment: settings.model_copy(update={"environment": environment, "trust": trust})
        for environment in Environment
    }

    require_fit_settings(fit[Environment.SANDBOX])
    with pytest.raises(OperatorError, match="makul store upgrade --apply"):
        require_fit_settings(fit[Environment.PRODUCTION])
    on_file.run_json("store", "upgrade", "--apply")
    require_fit_settings(fit[Environment.PRODUCTION])

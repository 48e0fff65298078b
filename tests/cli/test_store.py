"""`makul store`: over an installation, and one whose record lies in PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import Makul, installed
from support.postgres import Cluster, cluster


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster(durable=True) as running:
        yield running


@pytest.fixture
def on_file(tmp_path: Path) -> Makul:
    return installed(tmp_path / "service")


@pytest.fixture
def on_server(tmp_path: Path, server: Cluster, monkeypatch: pytest.MonkeyPatch) -> Makul:
    """`MAKUL_DATABASE_URL` selects; the settings still name a file, which is not made."""
    monkeypatch.setenv("MAKUL_DATABASE_URL", server.url(server.create()))
    made = installed(tmp_path / "service")
    assert not (made.directory / "makul.db").exists()
    return made


def test_a_file(on_file: Makul) -> None:
    assert on_file.done("store", "status")[0]["database"] == "SQLite"
    refused = on_file("store", "grant", "service", "--for", "serving", "--apply")
    assert (refused.code, "no roles" in refused.err) == (1, True)


def test_a_server(on_server: Makul, server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made with its months; fit to serve by a role that was granted what serving takes."""
    server.execute("CREATE ROLE teller LOGIN")
    before = on_server("store", "status", "--json")
    assert before.code == 1
    assert "superuser" in before.json[0]["weaknesses"]
    assert before.json[0]["months_missing"] is None

    assert "--for" in on_server("store", "grant", "teller", "--apply").err
    would = on_server.done("store", "grant", "teller", "--for", "serving")
    assert (would["role"], would["duty"]) == ("teller", "serving")
    assert on_server("store", "status").code == 1
    assert on_server("store", "grant", "teller", "--for", "serving", "--apply").code == 0
    url = os.environ["MAKUL_DATABASE_URL"].replace("user=postgres", "user=teller")
    monkeypatch.setenv("MAKUL_DATABASE_URL", url)

    (row,) = on_server.done("store", "status")
    assert (row["database"], row["weaknesses"]) == ("PostgreSQL", None)
    assert on_server.done("recipient", "list") == []
    for other in ("desk", "sequencing"):
        said = on_server("store", "status", "--for", other, "--json")
        assert said.code == 1
        assert f"makul store grant teller --for {other} --apply" in said.json[0]["weaknesses"]


def test_a_role_that_was_granted_nothing(
    on_server: Makul, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told what it lacks, and not that there is no store."""
    server.execute("CREATE ROLE nobody_yet LOGIN")
    url = os.environ["MAKUL_DATABASE_URL"].replace("user=postgres", "user=nobody_yet")
    monkeypatch.setenv("MAKUL_DATABASE_URL", url)

    said = on_server("recipient", "list")

    assert said.code == 3
    assert "makul store grant" in said.err

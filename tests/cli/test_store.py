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
    refused = on_file("store", "grant", "service", "--apply")
    assert (refused.code, "no roles" in refused.err) == (1, True)


def test_a_server(on_server: Makul, server: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made with its months; fit to serve by a role that was granted what serving needs."""
    server.execute("CREATE ROLE teller LOGIN")
    before = on_server("store", "status", "--json")
    assert before.code == 1
    assert "superuser" in before.json[0]["weaknesses"]
    assert before.json[0]["months_missing"] is None

    assert on_server("store", "grant", "teller").code == 0
    assert on_server("store", "grant", "teller", "--apply").code == 0
    url = os.environ["MAKUL_DATABASE_URL"].replace("user=postgres", "user=teller")
    monkeypatch.setenv("MAKUL_DATABASE_URL", url)

    (row,) = on_server.done("store", "status")
    assert (row["database"], row["weaknesses"]) == ("PostgreSQL", None)
    assert on_server.done("recipient", "list") == []

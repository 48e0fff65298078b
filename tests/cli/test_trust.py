"""`makul trust`: over an installation in a directory, and a CA that publishes over HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.commands import Makul, installed
from support.crls import crl_of
from support.pki import Authority, StoreFiles
from support.publishing import Published, publishing

HOUR = timedelta(hours=1)


@pytest.fixture
def web() -> Iterator[Published]:
    with publishing() as published:
        yield published


@pytest.fixture
def makul(tmp_path: Path, web: Published) -> Makul:
    """An installation that trusts one root, whose CRL is published."""
    made = installed(tmp_path / "service")
    root = Authority.root("A Root")
    StoreFiles(made.directory).write(anchors=[root])
    now = datetime.now(UTC)
    web.at["/root.crl"] = crl_of(root, this_update=now - HOUR, next_update=now + HOUR)
    config = made.directory / "makul.toml"
    source = f'crls = [{{ url = "{web.url}/root.crl", file = "root.crl" }}]\n'
    config.write_text(config.read_text() + "\n[trust.refresh]\n" + source)
    return made


def test_missing_fetched_current(makul: Makul, web: Published) -> None:
    """Exit code 1 while the CRL is missing; one round mends it; what fails is told."""
    before = makul("trust", "status", "--json")
    assert before.code == 1
    assert "signatures that rest on it are not accepted" in before.err
    assert [(row["kind"], row["state"]) for row in before.json] == [
        ("anchor", "CURRENT"),
        ("CRL", "MISSING"),
    ]

    first = makul("trust", "refresh", "--once", "--json")
    assert first.code == 0
    assert json.loads(first.out)["result"] == "new"
    after = makul.done("trust", "status")
    assert [(row["name"], row["state"], row["entries"]) for row in after] == [
        ("0.crt", "CURRENT", None),
        ("root.crl", "CURRENT", 0),
    ]

    web.status = 500
    again = makul("trust", "refresh", "--once")
    assert again.code == 1
    assert again.out.endswith("root.crl: HTTP status 500\n")


def test_stale_and_nobodys(makul: Makul) -> None:
    """What has run out, and what nobody known here signed, need somebody's hand."""
    makul("trust", "refresh", "--once")
    now = datetime.now(UTC)
    root = Authority.root("A Stranger")
    (makul.directory / "crls" / "other.crl").write_bytes(
        crl_of(root, this_update=now - HOUR, next_update=now + HOUR)
    )

    said = makul("trust", "status", "--json")

    assert said.code == 1
    assert {row["name"]: row["state"] for row in said.json}["other.crl"] == "UNCLEAR"


@pytest.mark.parametrize(
    "line",
    [
        'crls = [{ url = "file:///etc/passwd", file = "root.crl" }]',
        'crls = [{ url = "http://user:word@ca.example/a.crl", file = "root.crl" }]',
        'crls = [{ url = "http://ca.example/a.crl", file = "../root.crl" }]',
        'crls = [{ url = "http://ca.example/a.crl", file = "root.exe" }]',
        "interval = 0",
    ],
)
def test_settings_that_are_refused(tmp_path: Path, line: str) -> None:
    """Web addresses alone, plain file names, an interval that leaves the CA in peace."""
    makul = installed(tmp_path / "service")
    config = makul.directory / "makul.toml"
    config.write_text(config.read_text() + f"\n[trust.refresh]\n{line}\n")

    said = makul("trust", "refresh", "--once")

    assert said.code == 3
    assert "trust.refresh" in said.err

"""`makul trust`: an installation in a directory, and a CA that publishes over HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from makul.composition import adapters as parts
from makul.net.fetcher import Fetcher
from makul_testing.cli_runner import CommandLine, install
from makul_testing.in_process_service import build_installation
from makul_testing.pki.authorities import Authority, Profile, StoreFiles, key_usage, name_of
from makul_testing.pki.crls import crl_of
from makul_testing.servers.crl_ocsp import PublishedPaths, run_publisher
from makul_testing.servers.slow_http import run_slow_server

HOUR = timedelta(hours=1)


@pytest.fixture
def web() -> Iterator[PublishedPaths]:
    with run_publisher() as published:
        yield published


@pytest.fixture
def makul(tmp_path: Path, web: PublishedPaths) -> CommandLine:
    """Return an installation that trusts one root, whose CRL is published."""
    makul = install(tmp_path / "service")
    root = Authority.root("A Root")
    StoreFiles(makul.directory).write(anchors=[root])
    now = datetime.now(UTC)
    web.at["/root.crl"] = crl_of(root, this_update=now - HOUR, next_update=now + HOUR)
    config = makul.directory / "makul.toml"
    source = f'crls = [{{ url = "{web.url}/root.crl", file = "root.crl" }}]\n'
    config.write_text(config.read_text() + "\n[trust.refresh]\n" + source)
    return makul


def test_a_missing_crl_is_fetched(makul: CommandLine, web: PublishedPaths) -> None:
    """Exit code 1 while the CRL is missing; one run fetches it; a failure is reported."""
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
    after = makul.run_json("trust", "status")
    assert [(row["name"], row["state"], row["entries"]) for row in after] == [
        ("0.crt", "CURRENT", None),
        ("root.crl", "CURRENT", 0),
    ]

    web.status = 500
    again = makul("trust", "refresh", "--once")
    assert again.code == 1
    assert again.out.endswith("root.crl: HTTP status 500\n")


def test_a_slow_source_does_not_delay_others(
    makul: CommandLine, web: PublishedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its headers come octet by octet: it is reported, and the others are stored."""
    monkeypatch.setattr(parts, "Fetcher", partial(Fetcher, 0.3))
    config = makul.directory / "makul.toml"
    with run_slow_server() as server:
        bad = f'\ncrls = [{{ url = "{server.url}/bad.crl", file = "bad.crl" }}, '
        config.write_text(config.read_text().replace("\ncrls = [", bad, 1))
        result = makul("trust", "refresh", "--once", "--json")

    first, second = map(json.loads, result.out.splitlines())
    assert result.code == 1
    assert (first["source"], first["result"]) == (f"{server.url}/bad.crl", "failed")
    assert first["why"] == "not done within 0.3 seconds"
    assert (second["source"], second["result"]) == (f"{web.url}/root.crl", "new")


def with_stamping(makul: CommandLine, web: PublishedPaths, *, own_crls: bool) -> None:
    """Publish the CRL of a time-stamping authority's root, and fetch it into its directory."""
    root, now = Authority.root("A Stamping Root"), datetime.now(UTC)
    (makul.directory / "tsa").mkdir()
    (makul.directory / "tsa" / "root.crt").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    web.at["/tsa.crl"] = crl_of(root, this_update=now - HOUR, next_update=now + HOUR)
    into, places = "", 'tsa_anchors = "tsa"\n'
    if own_crls:
        (makul.directory / "tsa-crls").mkdir()
        into, places = ', into = "tsa_crls"', places + 'tsa_crls = "tsa-crls"\n'
    config = makul.directory / "makul.toml"
    text = config.read_text().replace("\nanchors = ", f"\n{places}anchors = ", 1)
    source = f'{{ url = "{web.url}/tsa.crl", file = "tsa.crl"{into} }}'
    config.write_text(text.replace('file = "root.crl" }]', f'file = "root.crl" }}, {source}]'))


@pytest.mark.parametrize("own_crls", [True, False])
def test_crls_of_time_stamping_authorities_are_shown(
    makul: CommandLine, web: PublishedPaths, caplog: pytest.LogCaptureFixture, *, own_crls: bool
) -> None:
    """They lie in a separate directory, or beside the others without a complaint."""
    with_stamping(makul, web, own_crls=own_crls)

    result = makul("trust", "refresh", "--once")
    status = makul("trust", "status", "--json")

    assert result.code == 0, result.out
    place = makul.directory / ("tsa-crls" if own_crls else "crls")
    assert (place / "tsa.crl").exists()
    assert status.code == 0, status.out
    assert {row["state"] for row in status.json} == {"CURRENT"}
    assert "states nothing" not in caplog.text


def test_tsa_directory_must_be_set_first(makul: CommandLine, web: PublishedPaths) -> None:
    """`into` without `trust.tsa_crls` is reported as a mistake."""
    config = makul.directory / "makul.toml"
    config.write_text(
        config.read_text().replace('file = "root.crl"', 'file = "root.crl", into = "tsa_crls"')
    )

    result = makul("trust", "refresh", "--once")

    assert result.code == 3
    assert "needs the directory trust.tsa_crls" in result.err
    assert web.requested_paths == []


def test_stale_and_unknown_lists_are_reported(makul: CommandLine) -> None:
    """A list that has expired, or that no known authority signed, needs an action."""
    makul("trust", "refresh", "--once")
    now = datetime.now(UTC)
    root = Authority.root("A Stranger")
    (makul.directory / "crls" / "other.crl").write_bytes(
        crl_of(root, this_update=now - HOUR, next_update=now + HOUR)
    )

    result = makul("trust", "status", "--json")

    assert result.code == 1
    assert {row["name"]: row["state"] for row in result.json}["other.crl"] == "UNCLEAR"


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
def test_wrong_settings_are_refused(tmp_path: Path, line: str) -> None:
    """Only web addresses, plain file names, and a moderate interval are accepted."""
    makul = install(tmp_path / "service")
    config = makul.directory / "makul.toml"
    config.write_text(config.read_text() + f"\n[trust.refresh]\n{line}\n")

    result = makul("trust", "refresh", "--once")

    assert result.code == 3
    assert "trust.refresh" in result.err


def _status(makul: CommandLine) -> tuple[int, dict[str, str], str]:
    result = makul("trust", "status", "--json")
    return (
        result.code,
        {f"{row['kind']} {row['name']}": row["state"] for row in result.json},
        result.err,
    )


def test_a_healthy_installation_raises_no_alarm(tmp_path: Path) -> None:
    """Timestamps have their own root, which need not state anything about the citizens' CAs."""
    installation = build_installation(tmp_path)
    installation.close()

    code, states, errors = _status(CommandLine(tmp_path))

    assert (code, errors) == (0, "")
    assert set(states.values()) == {"CURRENT"}


def _valid(since: datetime, until: datetime) -> Profile:
    return Profile(
        subject=name_of("A CA"),
        not_before=since,
        not_after=until,
        usage=key_usage("key_cert_sign", "crl_sign"),
        ca=True,
    )


def _installed_with_ca(directory: Path, *terms: tuple[timedelta, timedelta]) -> CommandLine:
    """Return a root with a CA that has certificates for these terms; the first of them
    has a CRL.
    """
    makul, now = install(directory / "service"), datetime.now(UTC)
    root = Authority.root("A Root")
    certified = [root.issue(_valid(now + since, now + until)) for since, until in terms]
    files = StoreFiles(makul.directory)
    files.write(anchors=[root])
    for number, holder in enumerate(certified):
        path = makul.directory / "intermediates" / f"ca-{number}.pem"
        path.write_bytes(holder.certificate.public_bytes(Encoding.PEM))
    made_at = {"this_update": now - HOUR, "next_update": now + HOUR}
    (makul.directory / "crls" / "root.crl").write_bytes(crl_of(root, **made_at))
    (makul.directory / "crls" / "ca.crl").write_bytes(crl_of(Authority(certified[0]), **made_at))
    return makul


YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("other", "state"), [((-2 * YEAR, -HOUR), "FORMER"), ((HOUR, YEAR), "NEXT")]
)
def test_a_renewed_authority_raises_no_alarm(
    other: tuple[timedelta, timedelta], state: str, tmp_path: Path
) -> None:
    """The former certificate is kept for old documents, and the next one is installed early."""
    makul = _installed_with_ca(tmp_path, (-HOUR, YEAR), other)

    code, states, result = _status(makul)

    assert (code, result) == (0, "")
    assert states["intermediate ca-0.pem"] == "CURRENT"
    assert states["intermediate ca-1.pem"] == state


def test_an_authority_that_expired_without_a_successor_is_an_alarm(tmp_path: Path) -> None:
    makul = _installed_with_ca(tmp_path, (-2 * YEAR, -HOUR))

    code, states, _ = _status(makul)

    assert code == 1
    assert states["intermediate ca-0.pem"] == "OUT_OF_TERM"


def test_a_missing_list_is_an_alarm_for_its_purpose(tmp_path: Path) -> None:
    """It concerns the citizens' CA under the citizens' root, and not the timestamps' root."""
    build_installation(tmp_path).close()
    (tmp_path / "crls" / "citizens.crl.pem").unlink()

    code, states, _ = _status(CommandLine(tmp_path))

    assert code == 1
    assert states["CRL of cas.pem"] == "MISSING"


def test_an_authority_may_publish_for_another_purpose(tmp_path: Path) -> None:
    """The list of a timestamp CA lies with those for timestamps, under one root for both."""
    installation = build_installation(tmp_path)
    installation.close()
    (tmp_path / "tsa/anchors/root.pem").write_bytes(installation.world.hierarchy.anchors())
    crls = installation.world.crls
    for name in ("root.crl.pem", "organisations.crl.pem"):
        (tmp_path / "tsa/crls" / name).write_bytes(crls[name])
    (tmp_path / "tsa/crls/root.pem").unlink()
    (tmp_path / "crls" / "organisations.crl.pem").unlink()

    code, _, result = _status(CommandLine(tmp_path))

    assert (code, result) == (0, "")

"""Listeners are served only if nobody can forge their channel's proof of the caller."""

import os
from pathlib import Path

import pytest

from makul.config.settings import ClientCertificate, ListenerSettings, SettingsError, load_settings

_TOML = """
environment = "{environment}"
operator = "GOV/70000001"
[store]
database = "makul.db"
keys = "store.json"
[receipts]
key = "receipts.key.pem"
certificate = "receipts.cert.pem"
[trust]
anchors = "anchors"
intermediates = "intermediates"
crls = "crls"
[listeners.front]
public_url = "https://makul.example"
{listener}
"""
TLS = """
[listeners.front.tls]
certificate = "a.pem"
key = "b.pem"
client_ca = "c.pem"
"""
PORT, SOCKET = 'bind = "127.0.0.1:8443"', 'bind = "unix:/run/makul/front.sock"'
HEADER, BY_TLS = 'client_certificate = "header"', 'client_certificate = "tls"'
PROXY = 'proxy_certificates = "proxy.pem"'
SECRET = 'front_secret = "front.secret"'


def settings(tmp_path: Path, environment: str, *lines: str):
    file = tmp_path / "makul.toml"
    file.write_text(_TOML.format(environment=environment, listener="\n".join(lines)))
    return load_settings(file).listeners["front"]


WSSE = 'channel = "wsse"'
MTLS = 'channel = "mtls"'
XROAD = 'channel = "xroad"\nxroad_instance = "KG"'


@pytest.mark.parametrize(
    ("environment", "lines"),
    [
        ("PRODUCTION", (MTLS, SOCKET, HEADER)),
        ("PRODUCTION", (MTLS, PORT, HEADER, SECRET)),
        ("SANDBOX", (MTLS, SOCKET, HEADER)),
        ("SANDBOX", (MTLS, PORT, HEADER, SECRET)),
        ("SANDBOX", (MTLS, PORT, BY_TLS, TLS)),
        ("SANDBOX", (MTLS, PORT, HEADER, PROXY, TLS)),
    ],
)
def test_mtls_is_served(tmp_path: Path, environment: str, lines: tuple[str, ...]) -> None:
    """The header comes from a known proxy, or, in the sandbox, the connection has the
    certificate.
    """
    listener = settings(tmp_path, environment, *lines)

    assert isinstance(listener.client_certificate, ClientCertificate)
    if PROXY in lines:
        assert listener.proxy_certificates == tmp_path / "proxy.pem"
    if SECRET in lines:
        assert listener.front_secret == tmp_path / "front.secret"


@pytest.mark.parametrize(
    "lines",
    [
        (WSSE, PORT, TLS),
        (WSSE, SOCKET, TLS),
        (MTLS, PORT, BY_TLS, TLS),
        (MTLS, PORT, HEADER, PROXY, TLS),
        (XROAD, PORT, TLS),
        (XROAD, SOCKET, TLS),
        (XROAD, PORT, SECRET, TLS),
    ],
)
def test_in_production_no_listener_ends_tls(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """Any client of `client_ca` could otherwise speak as the security server."""
    with pytest.raises(SettingsError, match=r"listeners\.front\.tls: .* sandbox .* nginx"):
        settings(tmp_path, "PRODUCTION", *lines)


LOOPBACK = ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "unix:/run/a.sock", "unix:///run/a.sock"]
ELSEWHERE = [
    "0.0.0.0:8080",
    "[::]:8080",
    ":8080",
    "8080",
    "192.0.2.1:8080",
    "[2001:db8::1]:8080",
    "localhost:8080",
    "makul.example:8080",
    "[::ffff:127.0.0.1]:8080",
    "[::ffff:192.0.2.1]:8080",
    "[::1%lo]:8080",
    "[127.0.0.1]:8080",
    "::1:8080",
    "127.1:8080",
    "127.0.0.1.example:8080",
    "0177.0.0.1:8080",
    "2130706433:8080",
    "0x7f.0.0.1:8080",
    "tcp://127.0.0.1:8080",
    "127.0.0.1:8080,0.0.0.0:8080",
    "127.0.0.1",
    "127.0.0.1:8080:0.0.0.0",
    "",
]


@pytest.mark.parametrize("bind", LOOPBACK)
def test_in_production_a_listener_is_reached_from_this_machine(tmp_path: Path, bind: str) -> None:
    """Plain HTTP is behind nginx: a Unix socket, or a loopback address in numbers."""
    assert settings(tmp_path, "PRODUCTION", WSSE, f'bind = "{bind}"').bind == bind


@pytest.mark.parametrize("bind", ELSEWHERE)
@pytest.mark.parametrize("channel", ["wsse", "mtls", "xroad"])
def test_in_production_no_other_machine_reaches_a_listener(
    tmp_path: Path, channel: str, bind: str
) -> None:
    """No other machine is accepted, and no name or spelling that may mean one."""
    lines = {"wsse": (WSSE,), "mtls": (MTLS, HEADER, SECRET), "xroad": (XROAD, SECRET)}[channel]
    with pytest.raises(SettingsError, match=r"listeners\.front\.bind: .* nginx"):
        settings(tmp_path, "PRODUCTION", f'bind = "{bind}"', *lines)


@pytest.mark.parametrize(
    "bind",
    ["unix:@makul", "unix:\\u0000makul", "unix:run/a.sock", "unix:", "unix://run/a.sock", "fd://3"],
)
@pytest.mark.parametrize("environment", ["PRODUCTION", "SANDBOX"])
def test_a_socket_has_a_file_and_its_permissions(
    tmp_path: Path, environment: str, bind: str
) -> None:
    """An abstract or inherited socket has no known permissions."""
    with pytest.raises(SettingsError, match="bind"):
        settings(tmp_path, environment, f'bind = "{bind}"', MTLS, HEADER)


@pytest.mark.parametrize("lines", [(WSSE, PORT, SECRET), (MTLS, PORT, BY_TLS, TLS, SECRET)])
def test_a_secret_is_only_for_a_trusted_front(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """If no front identifies the caller, a secret would promise what it does not give."""
    with pytest.raises(SettingsError, match="front_secret"):
        settings(tmp_path, "SANDBOX", *lines)


@pytest.mark.parametrize("environment", ["PRODUCTION", "SANDBOX"])
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((MTLS, SOCKET), "client_certificate is missing"),
        ((MTLS, PORT, TLS), "client_certificate is missing"),
        ((MTLS, PORT, HEADER), "on a bare port"),
        ((MTLS, PORT, BY_TLS), "on a bare port"),
        ((MTLS, SOCKET, BY_TLS), "on a bare port"),
        ((MTLS, PORT, HEADER, PROXY), "on a bare port"),
        ((MTLS, PORT, HEADER, TLS), "proxy_certificates names the proxy"),
        ((MTLS, SOCKET, HEADER, PROXY), "proxy_certificates names the proxy"),
        ((MTLS, PORT, BY_TLS, PROXY, TLS), "proxy_certificates names the proxy"),
        (('channel = "wsse"', PORT, HEADER), "are for mtls"),
        ((XROAD, SOCKET, PROXY), "are for mtls"),
    ],
)
def test_mtls_is_refused(
    tmp_path: Path, environment: str, lines: tuple[str, ...], message: str
) -> None:
    """The sandbox refuses it as well: anyone can write a header."""
    with pytest.raises(SettingsError, match=message):
        settings(tmp_path, environment, *lines)


def test_a_bare_xroad_port_is_only_for_the_sandbox(tmp_path: Path) -> None:
    """An X-Road front is identified by its socket or certificate; a bare port is only for the
    sandbox.
    """
    with pytest.raises(SettingsError, match="a bare port would let anyone speak"):
        settings(tmp_path, "PRODUCTION", XROAD, PORT)
    for environment, lines in (
        ("SANDBOX", (XROAD, PORT)),
        ("SANDBOX", (XROAD, PORT, TLS)),
        ("PRODUCTION", (XROAD, SOCKET)),
        ("PRODUCTION", (XROAD, PORT, SECRET)),
    ):
        settings(tmp_path, environment, *lines)


@pytest.mark.parametrize(
    ("settings", "is_on_sqlite", "sizes"),
    [
        ({}, True, (6, 1)),
        ({"workers": 2}, True, (2, 1)),
        ({"threads": 4}, True, (6, 4)),
        ({}, False, (2, 4)),
        ({"workers": 3, "threads": 5}, False, (3, 5)),
    ],
)
def test_workers_and_threads_suit_the_store(
    settings: dict[str, int], is_on_sqlite: bool, sizes: tuple[int, int]
) -> None:
    """SQLite has one thread in a worker and a worker for each core; the operator's values count."""
    listener = ListenerSettings(
        channel="wsse", bind="127.0.0.1:1", public_url="http://a", **settings
    )
    sized = listener.with_sizes(is_on_sqlite=is_on_sqlite, cores=6)

    assert (sized.workers, sized.threads) == sizes


def test_the_store_decides_the_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings' own database and the available cores decide."""
    on_sqlite = settings(tmp_path, "PRODUCTION", WSSE, PORT)
    monkeypatch.setenv("MAKUL_DATABASE_URL", "postgresql://makul@db.example/makul")
    on_postgresql = settings(tmp_path, "PRODUCTION", WSSE, PORT)

    cores = len(os.sched_getaffinity(0))
    assert (on_sqlite.workers, on_sqlite.threads) == (min(cores, 64), 1)
    assert (on_postgresql.workers, on_postgresql.threads) == (2, 4)

"""Listeners are served only where their channel's proof of who calls cannot be made up."""

from pathlib import Path

import pytest

from makul.settings import ClientCertificate, SettingsError, load_settings

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


def settings(tmp_path: Path, environment: str, *lines: str):
    file = tmp_path / "makul.toml"
    file.write_text(_TOML.format(environment=environment, listener="\n".join(lines)))
    return load_settings(file).listeners["front"]


MTLS = 'channel = "mtls"'
XROAD = 'channel = "xroad"\nxroad_instance = "KG"'


@pytest.mark.parametrize("environment", ["PRODUCTION", "SANDBOX"])
@pytest.mark.parametrize(
    "lines",
    [(MTLS, SOCKET, HEADER), (MTLS, PORT, BY_TLS, TLS), (MTLS, PORT, HEADER, PROXY, TLS)],
    ids=["proxy by socket", "client by TLS", "proxy by TLS"],
)
def test_mtls_is_served(tmp_path: Path, environment: str, lines: tuple[str, ...]) -> None:
    """The header from a proxy that is known, or the connection's own certificate."""
    listener = settings(tmp_path, environment, *lines)

    assert isinstance(listener.client_certificate, ClientCertificate)
    if PROXY in lines:
        assert listener.proxy_certificates == tmp_path / "proxy.pem"


@pytest.mark.parametrize("environment", ["PRODUCTION", "SANDBOX"])
@pytest.mark.parametrize(
    ("lines", "told"),
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
    tmp_path: Path, environment: str, lines: tuple[str, ...], told: str
) -> None:
    """In the sandbox as well: a header that anyone can write tells nobody."""
    with pytest.raises(SettingsError, match=told):
        settings(tmp_path, environment, *lines)


def test_a_bare_xroad_port(tmp_path: Path) -> None:
    """An X-Road front is known by its socket or certificate; a bare port is the sandbox's alone."""
    with pytest.raises(SettingsError, match="a bare port would let anyone speak"):
        settings(tmp_path, "PRODUCTION", XROAD, PORT)
    for environment, lines in (
        ("SANDBOX", (XROAD, PORT)),
        ("PRODUCTION", (XROAD, SOCKET)),
        ("PRODUCTION", (XROAD, PORT, TLS)),
    ):
        settings(tmp_path, environment, *lines)

"""Settings of a listener, and the rules that prevent a forged identity of the caller."""

import re
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, field_validator

from makul.config.base import Section
from makul.domain.agreements import Channel
from makul.language.translation import translate

MAX_WORKERS: Final = 64
POSTGRES_WORKERS, POSTGRES_THREADS = 2, 4
"""Sizes on PostgreSQL, where a thread waits for the server for half of a request.

On SQLite a thread computes all the time.
"""
_UNIX: Final = "unix:"
_ABSOLUTE: Final = re.compile(r"/(?:[^/]|//)")
"""`unix:/path` or `unix:///path`. gunicorn makes a relative path of `unix://path`."""
_ADDRESS: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})", re.ASCII
)


class TlsSettings(Section):
    """TLS that ends in the listener. Only client certificates of `client_ca` are accepted."""

    certificate: Path
    key: Path
    client_ca: Path


class ClientCertificate(StrEnum):
    """The source of the client certificate for an `mtls` listener."""

    TLS = "tls"
    """The client's own connection, which ends in this listener; for the sandbox."""
    HEADER = "header"
    """A reverse proxy, identified by its Unix socket, its secret or its own certificate."""


class Port(StrEnum):
    """What a listener serves."""

    RECIPIENT = "recipient"
    """The operations of recipients (recipient.wsdl)."""
    OVERSIGHT = "oversight"
    """The operations of the supervising bodies (oversight.wsdl)."""
    SUBJECT = "subject"
    """The operations of portals on behalf of citizens (subject.wsdl)."""


class ListenerSettings(Section):
    """One address with one channel, which authenticates every message on that address."""

    port: Port = Port.RECIPIENT
    """The operations that are served here. A listener serves one port alone."""
    channel: Channel
    bind: str
    """`127.0.0.1:8080`, or `unix:/run/makul/xroad.sock`."""
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] | None = None
    """Processes. None, until `with_sizes`: one for each core on SQLite, two on PostgreSQL."""
    threads: Annotated[int, Field(ge=1, le=64)] | None = None
    """Messages that a worker computes at once. None: one on SQLite, four on PostgreSQL."""
    public_url: str
    """The address that clients use, without a path. The served WSDL states it."""
    tls: TlsSettings | None = None
    xroad_instance: str | None = None
    """The X-Road instance whose members may call; required by channel `xroad`."""
    client_certificate: ClientCertificate | None = None
    """The source of the client's certificate; required by channel `mtls`."""
    proxy_certificates: Path | None = None
    """The certificates, in PEM, that identify a proxy which connects by TLS."""
    front_secret: Path | None = None
    """A file whose first line the proxy sends in `X-Makul-Front`; only its owner may read it."""
    handshake_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Limit for a whole TLS handshake, if TLS ends in this listener."""
    message_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Limit for the head and body of a message together, from its first octet."""
    answer_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Limit for the peer to receive the whole answer."""

    @property
    def socket_path(self) -> Path | None:
        """The path of the Unix socket, whose permissions control access; None without a socket."""
        if not self.bind.startswith(_UNIX):
            return None
        path = self.bind.removeprefix(_UNIX)
        return Path(path.removeprefix("//") if path.startswith("///") else path)

    @property
    def is_on_socket(self) -> bool:
        """True if the operating system controls who may connect."""
        return self.socket_path is not None

    @property
    def is_on_loopback(self) -> bool:
        """True for a numeric loopback address with a port.

        A name may later resolve to another address. An IPv4 address within IPv6, or an address with
        a scope, is not needed and depends on the system.
        """
        match = _ADDRESS.fullmatch(self.bind)
        if match is None:
            return False
        try:
            address = ip_address(match["v6"] or match["v4"])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) is not bool(match["v6"]):
            return False
        mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
        return address.is_loopback and not mapped

    def with_sizes(self, *, is_on_sqlite: bool, cores: int) -> Self:
        """Return these settings with every number of workers and threads.

        Threads of one process pass Python's lock to one another. On SQLite, one thread in each
        worker switches half as often as four: 8 times a request and not 18 (docs/performance.md).
        """
        sizes = (min(cores, MAX_WORKERS), 1)
        workers, threads = sizes if is_on_sqlite else (POSTGRES_WORKERS, POSTGRES_THREADS)
        return self.model_copy(
            update={"workers": self.workers or workers, "threads": self.threads or threads}
        )

    @field_validator("bind")
    @classmethod
    def _names_a_file(cls, bind: str) -> str:
        """Refuse abstract sockets, which have no permissions, and passed-on sockets.

        Nothing is known of a socket that another process passes on.
        """
        path = bind.removeprefix(_UNIX)
        if bind.startswith(_UNIX) and ("\0" in path or not _ABSOLUTE.match(path)):
            raise ValueError(
                translate("name a Unix socket by its absolute path: unix:/run/makul/NAME.sock")
            )
        if bind.startswith("fd:"):
            raise ValueError(translate("give an address and port, or unix: and an absolute path"))
        return bind

    @field_validator("public_url")
    @classmethod
    def _without_path(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError(translate("must begin with http:// or https://"))
        return url.rstrip("/")


def check_listener(name: str, listener: ListenerSettings, *, is_production: bool) -> None:
    """Raise `ValueError` if the caller could be determined without the channel's own proof."""
    if listener.channel is Channel.MTLS:
        _check_mtls(name, listener)
    elif listener.client_certificate or listener.proxy_certificates:
        raise ValueError(
            translate("listeners.{name}: client and proxy certificates are for mtls", name=name)
        )
    if listener.channel is Channel.XROAD:
        _check_xroad(name, listener, is_production=is_production)
    if listener.front_secret is not None and not _believes_a_front(listener):
        raise ValueError(
            translate(
                "listeners.{name}.front_secret: a front's secret is for xroad, and for mtls with"
                " client_certificate header. Remove it.",
                name=name,
            )
        )
    if is_production:
        _check_stands_behind_a_front(name, listener)


def _believes_a_front(listener: ListenerSettings) -> bool:
    """Return whether a statement of the front determines the caller."""
    is_header_trusted = listener.client_certificate is ClientCertificate.HEADER
    return listener.channel is Channel.XROAD or is_header_trusted


def _check_stands_behind_a_front(name: str, listener: ListenerSettings) -> None:
    """Require a front in production. TLS ends in nginx, which limits connections, rates and times.

    A connection with a certificate of `client_ca` proves nothing, because that CA may certify
    others too.
    """
    if listener.tls is not None:
        raise ValueError(
            translate(
                "listeners.{name}.tls: a listener that ends TLS itself is for the sandbox alone. In"
                " production bind it to unix:/run/makul/{name}.sock behind nginx"
                " (docs/operating/nginx) and remove [listeners.{name}.tls].",
                name=name,
            )
        )
    if not listener.is_on_socket and not listener.is_on_loopback:
        raise ValueError(
            translate(
                "listeners.{name}.bind: not a Unix socket, and not a loopback address in numbers"
                " such as 127.0.0.1:8080 or [::1]:8080. In production bind it to"
                " unix:/run/makul/{name}.sock behind nginx (docs/operating/nginx).",
                name=name,
            )
        )


def _check_xroad(name: str, listener: ListenerSettings, *, is_production: bool) -> None:
    """Require that an X-Road front is identified by its socket or secret, never by its address."""
    if not listener.xroad_instance:
        raise ValueError(translate("listeners.{name}: xroad_instance is missing", name=name))
    known = listener.tls or listener.is_on_socket or listener.front_secret
    if not known and is_production:
        raise ValueError(
            translate(
                "listeners.{name}: bind the xroad channel to a unix: socket behind nginx, or give"
                " it"
                " front_secret on a loopback address; a bare port would let anyone speak for any"
                " member",
                name=name,
            )
        )


def _check_mtls(name: str, listener: ListenerSettings) -> None:
    """Require that a client certificate comes from the connection or from an identified proxy.

    The rule applies in the sandbox as well. Nobody should become accustomed to a header that anyone
    can forge.
    """
    proxied = listener.client_certificate is ClientCertificate.HEADER
    if listener.client_certificate is None:
        raise ValueError(
            translate("listeners.{name}: client_certificate is missing: tls or header", name=name)
        )
    known = listener.is_on_socket or listener.front_secret is not None
    if listener.tls is None and not (proxied and known):
        raise ValueError(
            translate(
                "listeners.{name}: bind the mtls channel to a unix: socket behind a proxy, or give"
                " it front_secret, or in the sandbox [tls] with client_ca; on a bare port anyone"
                " could write the proxy's header",
                name=name,
            )
        )
    if (proxied and listener.tls is not None) is not (listener.proxy_certificates is not None):
        raise ValueError(
            translate(
                "listeners.{name}: proxy_certificates names the proxy where it comes by [tls] and"
                " client_certificate is header, and only there",
                name=name,
            )
        )

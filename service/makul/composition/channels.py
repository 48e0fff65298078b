"""Wiring of the channel of a listener, which authenticates each message that arrives there."""

from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256

from makul.app.ports import CertificateRegister
from makul.composition.adapters import Adapters
from makul.config.settings import ClientCertificate, ListenerSettings, Port, SettingsError
from makul.domain.agreements import Channel as ChannelName
from makul.language.translation import translate
from makul.soap.channels import RequestChannel, WsseChannel, XRoadChannel
from makul.soap.front_secret import FrontedChannel
from makul.soap.mtls import CertificateSource, FromConnection, FromProxy, MtlsChannel
from makul.trust.keys.files import load_certificates, load_secret

MIN_FRONT_SECRET_BYTES = 32


def build_channel(listener: ListenerSettings, parts: Adapters) -> RequestChannel:
    """Return the channel of a listener. Raises `KeyFileError` for an unusable front's secret."""
    channel = _build_channel(listener, parts)
    if listener.front_secret is None:
        return channel
    secret = load_secret(listener.front_secret)
    if len(secret) < MIN_FRONT_SECRET_BYTES:
        raise SettingsError(
            translate(
                "{path}: the secret is too short. Write 64 hexadecimal digits into its first"
                " line, as by `openssl rand -hex 32`.",
                path=listener.front_secret,
            )
        )
    return FrontedChannel(channel, secret)


def _build_channel(listener: ListenerSettings, parts: Adapters) -> RequestChannel:
    if listener.channel is ChannelName.XROAD and listener.xroad_instance is not None:
        return XRoadChannel(listener.xroad_instance)
    if listener.channel is ChannelName.WSSE:
        return WsseChannel(parts.messages, _callers(listener, parts))
    if listener.channel is ChannelName.MTLS:
        source = _certificate_source(listener)
        return MtlsChannel(source, parts.tls_clients, _callers(listener, parts))
    raise SettingsError(translate("channel {name} cannot be served", name=listener.channel))


def _callers(listener: ListenerSettings, parts: Adapters) -> CertificateRegister:
    """Return the register of the certificates that may call a listener's port."""
    if listener.port is Port.SUBJECT:
        return parts.portals
    return parts.oversight if listener.port is Port.OVERSIGHT else parts.register


def _certificate_source(listener: ListenerSettings) -> CertificateSource:
    """Return the source of the client certificate of an mtls listener."""
    if listener.client_certificate is ClientCertificate.TLS:
        return FromConnection()
    known_by = listener.proxy_certificates
    return FromProxy(proxies_in(known_by) if known_by is not None else None)


def proxies_in(path: Path) -> frozenset[bytes]:
    """Return the fingerprints that identify a proxy. Raises `KeyFileError`."""
    return frozenset(each.fingerprint(SHA256()) for each in load_certificates(path))

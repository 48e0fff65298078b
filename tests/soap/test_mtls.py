"""The channel `mtls`: which peer may report the client's certificate, and in which form."""

from base64 import encodebytes
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from makul.app.ports import RegisteredCertificate, RejectedError, StoreUnavailableError
from makul.domain.agreements import Channel as ChannelName
from makul.domain.reasons import Code, Reason
from makul.soap.mtls import MAX_CERTIFICATE_HEADER, FromConnection, FromProxy, MtlsChannel
from makul.soap.transport_metadata import Arrival
from makul_testing.soap_client import (
    GET_STATUS,
    MEMBER,
    FakePort,
    assert_typed_fault,
    build,
    enveloped,
    send,
)

DER = b"certificate"
FINGERPRINT = b"f" * 32
PROXY = b"the proxy's certificate"


class _Judge:
    """A judge that finds every certificate good, or none."""

    def __init__(self, code: Code | None = None) -> None:
        self.code = code
        self.judged: list[bytes] = []

    def judge(self, certificate: bytes, *, at: datetime) -> bytes:
        self.judged.append(certificate)
        if self.code is not None:
            raise RejectedError(Reason(code=self.code))
        return FINGERPRINT


class _Register:
    def __init__(self, *, knows: bool = True, down: bool = False) -> None:
        self._knows = knows
        self._down = down

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        if self._down:
            raise StoreUnavailableError("down")
        if not self._knows:
            return None
        return RegisteredCertificate(recipient=MEMBER, fingerprint=fingerprint)


def channel(judge: Any = None, register: Any = None, source: Any = None) -> MtlsChannel:
    return MtlsChannel(source or FromProxy(None), judge or _Judge(), register or _Register())


def pem(der: bytes = DER) -> str:
    lines = encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"


def headers_of_nginx() -> dict[str, str]:
    """Return the headers that nginx sends for a client with that certificate."""
    return {
        "HTTP_X_SSL_CLIENT_CERT": quote(pem(), safe=""),
        "HTTP_X_SSL_CLIENT_VERIFY": "SUCCESS",
    }


def test_certificate_identifies_the_caller() -> None:
    """The registered certificate identifies the caller, and no part of the message does."""
    fake, judge = FakePort(), _Judge()

    response = send(build(fake, channel(judge)), enveloped(GET_STATUS), **headers_of_nginx())

    ((_, caller),) = fake.requests
    assert response.status == 200
    assert judge.judged == [DER]
    assert (caller.recipient, caller.channel) == (MEMBER, ChannelName.MTLS)
    assert caller.certificate == FINGERPRINT
    assert caller.mark is None, "TLS lets no message in twice"
    assert (caller.employee, caller.request_id, caller.case_number) == (None, None, None)


@pytest.mark.parametrize(
    ("mtls_channel", "code"),
    [
        (channel(_Judge(Code.SIG_06)), "SIG-06"),
        (channel(_Judge(Code.SIG_07)), "SIG-07"),
        (channel(register=_Register(knows=False)), "RCP-04"),
        (channel(register=_Register(down=True)), "OPS-03"),
    ],
)
def test_an_unusable_certificate_is_a_fault(mtls_channel: MtlsChannel, code: str) -> None:
    """The message is a fault, and reaches no use case."""
    fake = FakePort()

    response = send(build(fake, mtls_channel), enveloped(GET_STATUS), **headers_of_nginx())

    assert_typed_fault(response)
    assert (response.codes, fake.requests) == ([code], [])


GOOD = quote(pem(), safe="")


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        pem(),
        GOOD + " ",
        "\t" + GOOD,
        f"{GOOD},{GOOD}",
        f"{GOOD}, {GOOD}",
        f"{GOOD}%2C{GOOD}",
        GOOD + GOOD,
        GOOD + "%00",
        "%0A" + GOOD,
        GOOD.replace("CERTIFICATE", "PUBLIC%20KEY"),
        GOOD.replace("%0A", "%0D%0A"),
        GOOD.replace("%0A", "", 1),
        GOOD[:-30],
        quote(pem().replace("Y2", "Y="), safe=""),
        quote("Subject: CN=bank\n" + pem(), safe=""),
        "%",
        "%ZZ",
        "%D0%B0",
        "а",
        "A" * (MAX_CERTIFICATE_HEADER + 1),
        quote(pem(bytes(MAX_CERTIFICATE_HEADER)), safe=""),
    ],
)
def test_a_malformed_header_is_refused(header: str) -> None:
    """RCP-04: there must be exactly one certificate, as nginx escapes it; nothing is guessed."""
    judge = _Judge()
    environ = headers_of_nginx() | {"HTTP_X_SSL_CLIENT_CERT": header}

    response = send(build(channel=channel(judge)), enveloped(GET_STATUS), **environ)

    assert (response.codes, judge.judged) == (["RCP-04"], [])
    assert_typed_fault(response)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (None, "RCP-04"),
        ("NONE", "RCP-04"),
        ("", "SIG-09"),
        ("success", "SIG-09"),
        ("SUCCESS,SUCCESS", "SIG-09"),
        ("FAILED:certificate has expired", "SIG-09"),
    ],
)
def test_the_proxys_verdict_must_be_success(verdict: str | None, code: str) -> None:
    """`$ssl_client_verify` must be one SUCCESS and nothing else."""
    judge = _Judge()
    environ: dict[str, Any] = headers_of_nginx() | {"HTTP_X_SSL_CLIENT_VERIFY": verdict}

    response = send(build(channel=channel(judge)), enveloped(GET_STATUS), **environ)

    assert (response.codes, judge.judged) == ([code], [])


@pytest.mark.parametrize(("peer", "believed"), [(PROXY, True), (DER, False), (None, False)])
def test_only_the_pinned_proxy_is_trusted(peer: bytes | None, believed: bool) -> None:
    """Over TLS only the pinned proxy is trusted to report a header; other peers are clients."""
    source = FromProxy(frozenset({sha256(PROXY).digest()}))
    arrival = Arrival(
        peer_certificate=peer, forwarded_certificate=GOOD, forwarded_verdict="SUCCESS"
    )

    if believed:
        assert source.certificate(arrival) == DER
    else:
        with pytest.raises(RejectedError, match="RCP-04"):
            source.certificate(arrival)


def test_an_empty_list_trusts_no_proxy() -> None:
    """An empty list trusts no proxy, rather than every one."""
    arrival = Arrival(
        peer_certificate=PROXY, forwarded_certificate=GOOD, forwarded_verdict="SUCCESS"
    )
    with pytest.raises(RejectedError):
        FromProxy(frozenset()).certificate(arrival)


def test_a_direct_connection_ignores_headers() -> None:
    """The peer's own certificate counts, for any headers about another's."""
    source = FromConnection()
    both = Arrival(
        peer_certificate=b"mine", forwarded_certificate=GOOD, forwarded_verdict="SUCCESS"
    )

    assert source.certificate(both) == b"mine"
    with pytest.raises(RejectedError, match="RCP-04"):
        source.certificate(Arrival(forwarded_certificate=GOOD, forwarded_verdict="SUCCESS"))


def test_a_large_certificate_fits() -> None:
    """MAX_CERTIFICATE_HEADER: RSA-4096, signed by RSA-4096, with the extensions of a real one,
    fits.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    name = x509.Name(
        [x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ж" * 30)]
        + [x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "Ы" * 30)] * 3
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(f"{n}.{'a' * 50}.kg") for n in range(4)]),
            critical=False,
        )
    )
    whole = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    escaped = quote(whole, safe="")

    assert len(escaped) < MAX_CERTIFICATE_HEADER * 0.75
    arrival = Arrival(forwarded_certificate=escaped, forwarded_verdict="SUCCESS")
    assert x509.load_der_x509_certificate(FromProxy(None).certificate(arrival)).subject == name

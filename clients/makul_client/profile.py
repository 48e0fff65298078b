"""A recipient's profile: identity, channel, keys and trusted certificates, as a TOML file.

    language = "ru"
    sandbox = false

    [recipient]
    code = "COM/60000001"
    name = "Example Bank"

    [agreement]
    number = "2026/001"
    purpose = "ACCOUNT_OPENING"

    [service]
    url = "https://makul.example/v1/recipient"
    channel = "wsse"

    [signing]
    key = "seal.key.pem"
    certificate = "seal.crt.pem"

    [sealing]                       # if the agreement's delivery is SEALED
    key = "unseal.key.pem"
    certificate = "unseal.crt.pem"

    [operator]
    code = "GOV/70000001"
    name = "The operator"
    certificates = ["operator.crt.pem"]
    anchors = ["root.crt.pem"]

    [nonce]                         # with channel "xroad"
    key = "nonce.key"

    [ledger]                        # to verify proofs: all values are from the operator
    key = "log.example/makul+0123abcd+…"
    witnesses = ["witness.example/w1+4567cdef+…"]
    state = "checkpoints.json"

Paths are relative to the profile. The profile contains no secrets: it only names the environment
variable that contains the password of a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from makul_client.errors import ProfileError
from makul_client.models.reasons import Language
from makul_client.toml_table import Table, digest_of_file, read_tables
from makul_client.transparency.settings import Ledger, ledger_from

MEMBER_CODE: Final = r"[A-Z]{2,10}/[0-9A-Za-z]{1,20}"
AGREEMENT_NUMBER: Final = r"[0-9A-Za-z][0-9A-Za-z._/\-]{0,63}"
PURPOSE: Final = r"[A-Z][A-Z0-9_]{1,63}"
METHOD: Final = r"[a-z][a-z0-9]{1,31}"
TERM: Final = r"P([0-9]{1,3}Y([0-9]{1,3}M)?([0-9]{1,4}D)?|[0-9]{1,3}M([0-9]{1,4}D)?|[0-9]{1,4}D)"
_XROAD: Final = r"[^/\s]+/[A-Z]{2,10}/[0-9A-Za-z]{1,20}/[^/\s]+"
_VARIABLE: Final = r"[A-Z_][A-Z0-9_]*"
_LINE: Final = r"\S(.*\S)?"

CONNECT_TIMEOUT: Final = 5.0
ANSWER_TIMEOUT: Final = 60.0
"""The timeouts, in seconds. An X-Road security server gives up after 60."""

ATTEMPTS: Final = 4
PATIENCE: Final = 60.0
"""The maximum number of attempts of a request, and the total wait between them, in seconds."""


class Channel(StrEnum):
    """The channels that authenticate the caller. The agreement names which of them may be used."""

    WSSE = "wsse"
    XROAD = "xroad"
    MTLS = "mtls"


class _Expect(StrEnum):
    """The forms of delivery that the client accepts if it has a key for decryption."""

    SEALED = "SEALED"
    EITHER = "EITHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation, with its X-Road member code and its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The endpoint of the service, or of the recipient's own security server."""

    url: str
    channel: Channel
    connect_timeout: float = CONNECT_TIMEOUT
    answer_timeout: float = ANSWER_TIMEOUT
    tls_ca: Path | None = None
    """The authorities trusted for the server's certificate; None: those of Python's `certifi`."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    """The key of the TLS certificate for a server that asks the caller for one.

    Security servers may ask for it. On the channel `mtls` the certificate identifies the caller.
    The key must have no password.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The key and the certificate that sign messages on the channel `wsse`."""

    key: Path
    certificate: Path
    key_password_env: str | None = None
    """The environment variable that contains the password of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """The key that decrypts delivered data.

    With this table, the client refuses unencrypted data.
    """

    key: Path
    certificate: Path
    """The certificate that the operator registered for encryption."""
    key_password_env: str | None = None
    or_typed: bool = False
    """True if unencrypted data are accepted too, while an agreement changes its delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The operator, which releases the data (Procedure, cl. 7), and how to verify its receipts."""

    code: str
    name: str
    certificates: tuple[Path, ...]
    """The pinned certificates of receipts. Another certificate of the same authority is refused."""
    anchors: tuple[Path, ...]
    """The authorities to which the certificate paths must lead."""
    intermediates: tuple[Path, ...] = ()
    compromised: Mapping[bytes, datetime] = field(default_factory=dict)
    """The SHA-256 of each certificate whose key may be compromised, and since when."""
    crls: tuple[Path, ...] = ()
    """The CRLs.

    If there are any, a current CRL must show that no certificate of the path is revoked.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class XRoadId:
    """A subsystem: instance, member class, member code, subsystem code."""

    instance: str
    member_class: str
    member_code: str
    subsystem: str

    @property
    def member(self) -> str:
        """The member as `CLASS/CODE`, as agreements name the organisation."""
        return f"{self.member_class}/{self.member_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class XRoad:
    """The caller's subsystem and the service's, on the channel `xroad`."""

    client: XRoadId
    service: XRoadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTerms:
    """The terms that every consent drafted for this recipient contains (Procedure, cl. 4)."""

    notice: str
    """The number of the notice that the authorised body approved."""
    notice_digest: bytes
    """The SHA-256 of the notice's text."""
    language: Language
    """The language in which the notice is shown."""
    purpose_text: str
    retention: str
    """The period for which the recipient keeps the data, such as `P5Y`."""
    withdrawal: str
    """The way to revoke the consent, in the words shown to the subject."""
    methods: tuple[str, ...] = ("demographic",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The limits of repeating a request: the number of attempts, and the total wait in seconds."""

    attempts: int = ATTEMPTS
    seconds: float = PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings that differ from one recipient to another."""

    recipient: Party
    agreement: str
    purpose: str
    service: Endpoint
    operator: Operator
    signing: Signing | None = None
    """Present with the channel `wsse`."""
    sealing: Sealing | None = None
    """Present if the agreement's delivery is SEALED."""
    ledger: Ledger | None = None
    """Needed only to verify proofs."""
    xroad: XRoad | None = None
    """Present with the channel `xroad`."""
    consent: ConsentTerms | None = None
    """Needed only to draft consents."""
    nonce_key: Path | None = None
    """The file of the secret for the nonces of requests; None: the file of the private key."""
    patience: Patience = field(default_factory=Patience)
    language: Language = Language.EN
    sandbox: bool = False
    """True for a sandbox. Only then does the client sign as a test citizen."""

    @classmethod
    def load(cls, file: Path) -> "Profile":
        """Return the profile in a file.

        Raises `ProfileError`, one line that names the file and the key.
        """
        try:
            tables = read_tables(file)
        except FileNotFoundError:
            raise ProfileError(f"{file}: there is no such file") from None
        top = Table(tables, file=file)
        profile = _profile(top)
        top.all_read()
        return profile


def _profile(top: Table) -> Profile:
    language = top.choice("language", Language, default=Language.EN)
    agreement = top.table("agreement")
    service = _endpoint(top.table("service"))
    recipient = _party(top.table("recipient"))

    def needed(channel: Channel, table: str) -> bool:
        return service.channel is channel or top.has(table)

    profile = Profile(
        recipient=recipient,
        agreement=agreement.text("number", AGREEMENT_NUMBER),
        purpose=agreement.text("purpose", PURPOSE),
        service=service,
        operator=_operator(top.table("operator")),
        signing=_signing(top.table("signing")) if needed(Channel.WSSE, "signing") else None,
        sealing=_sealing(top.table("sealing")) if top.has("sealing") else None,
        ledger=ledger_from(top.table("ledger")) if top.has("ledger") else None,
        xroad=_xroad(top.table("xroad"), recipient) if needed(Channel.XROAD, "xroad") else None,
        consent=_consent(top.table("consent"), language) if top.has("consent") else None,
        nonce_key=_nonce_key(top.table("nonce")) if top.has("nonce") else None,
        patience=_patience(top.table("retry")) if top.has("retry") else Patience(),
        language=language,
        sandbox=top.flag("sandbox", default=False),
    )
    agreement.all_read()
    return profile


def _party(table: Table) -> Party:
    party = Party(code=table.text("code", MEMBER_CODE), name=table.text("name", _LINE))
    table.all_read()
    return party


def _endpoint(table: Table) -> Endpoint:
    channel = table.choice("channel", Channel)
    endpoint = Endpoint(
        url=table.url("url", plain_http=channel is Channel.XROAD),
        channel=channel,
        connect_timeout=table.number("connect_timeout", default=CONNECT_TIMEOUT, at_most=60),
        answer_timeout=table.number("answer_timeout", default=ANSWER_TIMEOUT, at_most=600),
        tls_ca=table.optional_file("tls_ca"),
        tls_certificate=table.optional_file("tls_certificate"),
        tls_key=table.optional_file("tls_key"),
    )
    if (endpoint.tls_certificate is None) is not (endpoint.tls_key is None):
        raise table.wrong("tls_key", "goes together with tls_certificate")
    if channel is Channel.MTLS and endpoint.tls_certificate is None:
        raise table.wrong("tls_certificate", "is missing: on channel mtls it says who is calling")
    table.all_read()
    return endpoint


def _signing(table: Table) -> Signing:
    signing = Signing(
        key=table.file("key"),
        certificate=table.file("certificate"),
        key_password_env=table.optional_text("key_password_env", _VARIABLE),
    )
    table.all_read()
    return signing


def _sealing(table: Table) -> Sealing:
    sealing = Sealing(
        key=table.file("key"),
        certificate=table.file("certificate"),
        key_password_env=table.optional_text("key_password_env", _VARIABLE),
        or_typed=table.choice("expect", _Expect, default=_Expect.SEALED) is _Expect.EITHER,
    )
    table.all_read()
    return sealing


def _operator(table: Table) -> Operator:
    operator = Operator(
        code=table.text("code", MEMBER_CODE),
        name=table.text("name", _LINE),
        certificates=table.files("certificates", at_least=1),
        anchors=table.files("anchors", at_least=1),
        intermediates=table.files("intermediates"),
        crls=table.files("crls"),
        compromised=table.instants("compromised"),
    )
    table.all_read()
    return operator


def _xroad(table: Table, recipient: Party) -> XRoad:
    xroad = XRoad(client=_xroad_id(table, "client"), service=_xroad_id(table, "service"))
    if xroad.client.member != recipient.code:
        raise table.wrong("client", "is another organisation than recipient.code")
    table.all_read()
    return xroad


def _xroad_id(table: Table, key: str) -> XRoadId:
    instance, member_class, member_code, subsystem = table.text(key, _XROAD).split("/")
    return XRoadId(
        instance=instance,
        member_class=member_class,
        member_code=member_code,
        subsystem=subsystem,
    )


def _consent(table: Table, language: Language) -> ConsentTerms:
    if table.has("notice_file"):
        digest = digest_of_file(table.file("notice_file"))
    else:
        digest = table.sha256("notice_digest")
    terms = ConsentTerms(
        notice=table.text("notice", _LINE),
        notice_digest=digest,
        language=table.choice("language", Language, default=language),
        purpose_text=table.text("purpose_text", _LINE),
        retention=table.text("retention", TERM),
        withdrawal=table.text("withdrawal", _LINE),
        methods=table.texts("methods", METHOD, default=("demographic",)),
    )
    table.all_read()
    return terms


def _nonce_key(table: Table) -> Path:
    key = table.file("key")
    table.all_read()
    return key


def _patience(table: Table) -> Patience:
    patience = Patience(
        attempts=int(table.number("attempts", default=ATTEMPTS, at_most=20)),
        seconds=table.number("patience", default=PATIENCE, at_most=3600),
    )
    table.all_read()
    return patience

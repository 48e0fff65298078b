"""A recipient's profile: identity, channel, keys and trusted certificates, as a TOML file.

    language = "ru"

    [recipient]
    code = "COM/60000001"
    name = "Example Bank"
    receipts = "receipts"           # every receipt is kept here

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
    key = "decryption.key.pem"
    certificate = "encryption.crt.pem"

    [operator]
    code = "GOV/70000001"
    name = "The operator"
    certificates = ["operator.crt.pem"]
    anchors = ["root.crt.pem"]

    [ledger]                        # to verify proofs: all values are from the operator
    key = "log.example/makul+0123abcd+…"
    witnesses = ["witness.example/w1+4567cdef+…"]
    state = "checkpoints.json"

Paths are relative to the profile. The profile contains no secrets: it only names the environment
variable that contains the password of a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Protocol

from pydantic import (
    AfterValidator,
    AliasPath,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
)

from makul_client.models.reasons import Language
from makul_client.toml_table import (
    Count,
    Digest,
    ExistingFile,
    Flag,
    Line,
    Location,
    Number,
    check_address,
    convert_value,
    digest_of_file,
    match_pattern,
    parse_tables,
    read_tables,
)
from makul_client.translation import mark, translate
from makul_client.transparency.settings import LedgerTable

MemberCode = Annotated[str, match_pattern(r"[A-Z]{2,10}/[0-9A-Za-z]{1,20}")]
_Method = Annotated[str, match_pattern(r"[a-z][a-z0-9]{1,31}")]
_Variable = Annotated[str, match_pattern(r"[A-Z_][A-Z0-9_]*")]
_Period = Annotated[
    str,
    match_pattern(
        r"P([0-9]{1,3}Y([0-9]{1,3}M)?([0-9]{1,4}D)?|[0-9]{1,3}M([0-9]{1,4}D)?|[0-9]{1,4}D)"
    ),
]
_Fingerprint = Annotated[
    bytes,
    convert_value(
        Annotated[
            str,
            match_pattern(
                "[0-9A-Fa-f]{64}", mark("is a table of instants by SHA-256 in hexadecimal")
            ),
        ],
        bytes.fromhex,
    ),
]

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

    code: MemberCode
    name: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientParty(Party):
    """The recipient itself, and the directory in which it keeps every receipt, if it keeps any."""

    receipts: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The endpoint of the service, or of the recipient's own security server."""

    url: str
    channel: Channel
    connect_timeout: Annotated[Number, Field(gt=0, le=60)] = CONNECT_TIMEOUT
    answer_timeout: Annotated[Number, Field(gt=0, le=600)] = ANSWER_TIMEOUT
    tls_ca: ExistingFile | None = None
    """The authorities trusted for the server's certificate; None: those of Python's `certifi`."""
    tls_certificate: ExistingFile | None = None
    tls_key: ExistingFile | None = None
    """The key of the TLS certificate for a server that asks the caller for one.

    Security servers may ask for it. On the channel `mtls` the certificate identifies the caller.
    The key must have no password.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The key and the certificate that sign messages on the channel `wsse`."""

    key: ExistingFile
    certificate: ExistingFile
    key_password_env: _Variable | None = None
    """The environment variable that contains the password of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionSettings:
    """The key that decrypts delivered data.

    With this table, the client refuses unencrypted data.
    """

    key: ExistingFile
    certificate: ExistingFile
    """The certificate that the operator registered for encryption."""
    key_password_env: _Variable | None = None
    or_typed: Annotated[
        bool,
        Field(validation_alias="expect"),
        convert_value(_Expect, lambda expected: expected is _Expect.EITHER),
    ] = False
    """True if unencrypted data are accepted too, while an agreement changes its delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The operator, which releases the data (Procedure, cl. 7), and how to verify its receipts."""

    code: MemberCode
    name: Line
    certificates: Annotated[tuple[ExistingFile, ...], Field(min_length=1)]
    """The pinned certificates of receipts. Another certificate of the same authority is refused."""
    anchors: Annotated[tuple[ExistingFile, ...], Field(min_length=1)]
    """The authorities to which the certificate paths must lead."""
    intermediates: tuple[ExistingFile, ...] = ()
    compromised: Mapping[_Fingerprint, Annotated[AwareDatetime, Strict()]] = field(
        default_factory=dict
    )
    """The SHA-256 of each certificate whose key may be compromised, and since when."""
    crls: tuple[ExistingFile, ...] = ()
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


def _split_xroad_id(text: str) -> XRoadId:
    names = "instance", "member_class", "member_code", "subsystem"
    return XRoadId(**dict(zip(names, text.split("/"), strict=True)))


_WrittenXRoadId = Annotated[
    XRoadId,
    convert_value(
        Annotated[str, match_pattern(r"[^/\s]+/[A-Z]{2,10}/[0-9A-Za-z]{1,20}/[^/\s]+")],
        _split_xroad_id,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class XRoad:
    """The caller's subsystem and the service's, on the channel `xroad`."""

    client: _WrittenXRoadId
    service: _WrittenXRoadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTerms:
    """The terms that every consent drafted for this recipient contains (Procedure, cl. 4)."""

    notice: Line
    """The number of the notice that the authorised body approved."""
    notice_digest: Digest = b""
    """The SHA-256 of the notice's text."""
    notice_file: ExistingFile | None = None
    """The notice's text, in place of its digest."""
    language: Language = Language.EN
    """The language in which the notice is shown."""
    purpose_text: Line
    retention: _Period
    """The period for which the recipient keeps the data, such as `P5Y`."""
    withdrawal: Line
    """The way to revoke the consent, in the words shown to the subject."""
    methods: Annotated[tuple[_Method, ...], Field(min_length=1)] = ("demographic",)

    def __post_init__(self) -> None:
        """Compute the digest of the file. Raises `ValueError`, which names the key."""
        digest = self.notice_digest
        if self.notice_file is not None:
            digest = digest_of_file(self.notice_file)
        if not digest:
            raise ValueError(translate("notice_file: is needed, or notice_digest instead"))
        if self.notice_digest not in {b"", digest}:
            raise ValueError(
                translate("notice_digest: leave it out: it is not the digest of notice_file")
            )
        object.__setattr__(self, "notice_digest", digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The limits of repeating a request: the number of attempts, and the total wait in seconds."""

    attempts: Annotated[Count, Field(gt=0, le=20)] = ATTEMPTS
    seconds: Annotated[Number, Field(validation_alias="patience", gt=0, le=3600)] = PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class _AgreementTable:
    number: Annotated[str, match_pattern(r"[0-9A-Za-z][0-9A-Za-z._/\-]{0,63}")]
    purpose: Annotated[str, match_pattern(r"[A-Z][A-Z0-9_]{1,63}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _NonceTable:
    key: ExistingFile


def _check_endpoint(endpoint: Endpoint) -> Endpoint:
    try:
        check_address(endpoint.url, plain_http=endpoint.channel is Channel.XROAD)
    except ValueError as error:
        raise ValueError(f"url: {error}") from None
    if (endpoint.tls_certificate is None) is not (endpoint.tls_key is None):
        raise ValueError(translate("tls_key: goes together with tls_certificate"))
    if endpoint.channel is Channel.MTLS and endpoint.tls_certificate is None:
        raise ValueError(
            translate("tls_certificate: is missing: on channel mtls it identifies the caller")
        )
    return endpoint


ServiceTable = Annotated[Endpoint, AfterValidator(_check_endpoint)]
"""The table [service] as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings that differ from one recipient to another."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    language: Language = Language.EN
    recipient: RecipientParty
    agreement: Annotated[str, convert_value(_AgreementTable, attrgetter("number"))]
    purpose: Annotated[str, Field(validation_alias=AliasPath("agreement", "purpose"))]
    service: ServiceTable
    operator: Operator
    signing: Signing | None = None
    """Present with the channel `wsse`."""
    sealing: DecryptionSettings | None = None
    """Present if the agreement's delivery is SEALED."""
    ledger: LedgerTable | None = None
    """Needed only to verify proofs."""
    xroad: XRoad | None = None
    """Present with the channel `xroad`."""
    consent: ConsentTerms | None = None
    """Needed only to draft consents."""
    nonce_key: Annotated[
        Path | None,
        Field(validation_alias="nonce"),
        convert_value(_NonceTable, attrgetter("key")),
    ] = None
    """The file of the secret for the nonces of requests; None: that of the private key."""
    patience: Annotated[Patience, Field(validation_alias="retry")] = field(default_factory=Patience)
    sandbox: Flag = False
    """True for a sandbox. Only then does the client sign as a test citizen."""

    @classmethod
    def load(cls, file: Path) -> "Profile":
        """Return the profile in a file.

        Raises `ProfileError`, one line that names the file and the key.
        """
        return parse_tables(_adapter(), read_tables(file), file)


class _WithChannel(Protocol):
    """A profile, as far as its channel requires a table."""

    @property
    def service(self) -> Endpoint: ...

    @property
    def signing(self) -> Signing | None: ...

    @property
    def xroad(self) -> XRoad | None: ...


def require_channel_table(profile: _WithChannel) -> None:
    """Raise `ValueError` without the table that the profile's channel requires."""
    tables = {Channel.WSSE: ("signing", profile.signing), Channel.XROAD: ("xroad", profile.xroad)}
    table, content = tables.get(profile.service.channel, ("", profile.service))
    if content is None:
        raise ValueError(translate("{table}: is needed, as a table [{table}]", table=table))


def _set_default_language(tables: dict[str, Any]) -> dict[str, Any]:
    """Let the consents be in the language of the profile unless they name their own."""
    consent = tables.get("consent")
    if not isinstance(consent, dict) or "language" not in tables:
        return tables
    return {**tables, "consent": {"language": tables["language"], **consent}}


def _check_profile(profile: Profile) -> Profile:
    require_channel_table(profile)
    if profile.xroad is not None and profile.xroad.client.member != profile.recipient.code:
        raise ValueError(translate("[xroad] client: is another organisation than recipient.code"))
    return profile


@cache
def _adapter() -> TypeAdapter[Profile]:
    """Return the validator of profiles. It is built on first use, which takes some 20 ms."""
    return TypeAdapter(
        Annotated[Profile, BeforeValidator(_set_default_language), AfterValidator(_check_profile)]
    )

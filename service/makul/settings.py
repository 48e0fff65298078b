"""Settings: one TOML file, overridden by environment variables, checked before anything starts.

`MAKUL_STORE__DATABASE=/srv/makul/makul.db` overrides `database` in `[store]`. Paths in the file
are relative to the file.
"""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from makul.domain.agreements import Channel
from makul.domain.identifiers import MemberCode, parse_member_code


class SettingsError(Exception):
    """The settings cannot be used. The message names the file and key, and what to do."""


class Environment(StrEnum):
    """Production, or the sandbox that is not for production."""

    PRODUCTION = "PRODUCTION"
    SANDBOX = "SANDBOX"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Section):
    """Where the record is, and the keys that its fields are sealed with."""

    database: Path
    keys: Path


class ReceiptSettings(_Section):
    """What the operator signs receipts with."""

    key: Path
    certificate: Path


def _web_address(url: str) -> str:
    if not url.startswith(("http://", "https://")) or "@" in url:
        raise ValueError("must begin with http:// or https://, and hold no password")
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]


class CrlSourceSettings(_Section):
    """Where a CA publishes its CRL, and the file in `trust.crls` that holds it here."""

    url: WebAddress
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(crl|der|pem)$")]


class OcspSourceSettings(_Section):
    """Where a CA's OCSP responder is, and the file of the CA's certificate."""

    url: WebAddress
    issuer: Path


class RefreshSettings(_Section):
    """What `makul trust refresh` fetches. No address is ever taken from a certificate."""

    crls: tuple[CrlSourceSettings, ...] = ()
    ocsp: tuple[OcspSourceSettings, ...] = ()
    interval: Annotated[int, Field(ge=5, le=86_400)] = 300
    """Seconds between two rounds."""


class TrustSettings(_Section):
    """Whose signatures count. Each is a directory of certificates or CRLs, PEM or DER."""

    anchors: Path
    intermediates: Path
    crls: Path
    ocsp: Path | None = None
    """OCSP responses: the refresher's, or the operator's own."""
    wanted: Path | None = None
    """Where workers leave certificates for which the refresher is to ask a responder."""
    archive: Path | None = None
    """Where what verdicts rested on is kept for good."""
    tsa_anchors: Path | None = None
    """CA certificates of time-stamping authorities; without them no timestamp counts."""
    tsa_crls: Path | None = None
    """Their CRLs; `crls` where it is not set."""
    tsa_policies: Annotated[frozenset[str], Field(min_length=1)] | None = None
    """The only policies of time-stamps that count; any where it is not set."""
    refresh: RefreshSettings = RefreshSettings()
    pin_pattern: str = r"PNOKG-(?P<pin>[0-9]{14})"
    """How a citizen's certificate carries the PIN in its subject's `pin_attribute`.

    ETSI EN 319 412-1, 5.1.3: a natural person's semantics identifier in `serialNumber`.
    """
    pin_attribute: str = "2.5.4.5"

    pin_policies: Annotated[frozenset[str], Field(min_length=1)] | None = None
    """Of these certificate policies a citizen's certificate states one (RFC 5280, 4.2.1.4).

    Without any, whoever is certified by whichever trusted authority under a name that bears a PIN
    can consent for that citizen: an organisation's authority as well.
    """

    @model_validator(mode="after")
    def _ocsp_has_places(self) -> Self:
        if self.refresh.ocsp and (self.ocsp is None or self.wanted is None):
            raise ValueError("refresh.ocsp needs the directories trust.ocsp and trust.wanted")
        return self

    @field_validator("pin_pattern")
    @classmethod
    def _names_the_pin(cls, pattern: str) -> str:
        try:
            named = "pin" in re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if not named:
            raise ValueError("needs a group named pin: (?P<pin>...)")
        return pattern


class TlsSettings(_Section):
    """TLS of a listener that is its own TLS end: only client certificates of `client_ca` enter."""

    certificate: Path
    key: Path
    client_ca: Path


class ListenerSettings(_Section):
    """One address, one channel: what comes in there is authenticated by that channel alone."""

    channel: Channel
    bind: str
    """`127.0.0.1:8080`, or `unix:/run/makul/xroad.sock`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    public_url: str
    """How clients reach it, without a path: the address that the served WSDL tells."""
    tls: TlsSettings | None = None
    xroad_instance: str | None = None
    """The X-Road instance whose members may call; needed by channel `xroad`."""

    @field_validator("public_url")
    @classmethod
    def _without_path(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")


class Settings(BaseSettings):
    """Everything that an operator decides outside the code."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="MAKUL_", env_nested_delimiter="__"
    )

    environment: Environment = Environment.PRODUCTION
    operator: Annotated[str, AfterValidator(parse_member_code)]
    store: StoreSettings
    receipts: ReceiptSettings
    trust: TrustSettings
    listeners: Annotated[dict[str, ListenerSettings], Field(min_length=1)]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file; nothing else is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @model_validator(mode="after")
    def _channels_are_safe(self) -> Self:
        for name, listener in self.listeners.items():
            if listener.channel is Channel.MTLS:
                raise ValueError(f"listeners.{name}: channel mtls is not available in this release")
            if listener.channel is Channel.XROAD:
                self._check_xroad(name, listener)
        return self

    def _check_xroad(self, name: str, listener: ListenerSettings) -> None:
        """An X-Road front is known by its certificate or its socket, never by its address."""
        if not listener.xroad_instance:
            raise ValueError(f"listeners.{name}: xroad_instance is missing")
        fronted = listener.tls is not None or listener.bind.startswith("unix:")
        if not fronted and self.environment is not Environment.SANDBOX:
            raise ValueError(
                f"listeners.{name}: bind the xroad channel to a unix: socket or give it [tls] with"
                " client_ca; a bare port would let anyone speak for any member"
            )

    @property
    def operator_code(self) -> MemberCode:
        """The operator's member code, checked."""
        return MemberCode(self.operator)


def load_settings(path: Path) -> Settings:
    """Read and check a settings file; raises `SettingsError` with one line on what to do."""
    if not path.is_file():
        raise SettingsError(
            f"no settings at {path}: name a file with --config, or run `makul init`"
        )
    try:
        read = TomlConfigSettingsSource(Settings, toml_file=path)()
        settings = Settings(**read)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(f"{path}: {where}: {first['msg']}") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    return _with_absolute_paths(settings, path.resolve().parent)


def _with_absolute_paths(settings: Settings, base: Path) -> Settings:
    return settings.model_copy(
        update={
            "store": _absolute(settings.store, base),
            "receipts": _absolute(settings.receipts, base),
            "trust": _absolute(settings.trust, base).model_copy(
                update={
                    "refresh": settings.trust.refresh.model_copy(
                        update={
                            "ocsp": tuple(
                                _absolute(source, base) for source in settings.trust.refresh.ocsp
                            )
                        }
                    )
                }
            ),
            "listeners": {
                name: listener.model_copy(
                    update={"tls": _absolute(listener.tls, base) if listener.tls else None}
                )
                for name, listener in settings.listeners.items()
            },
        }
    )


SectionT = TypeVar("SectionT", bound=_Section)


def _absolute(section: SectionT, base: Path) -> SectionT:
    paths = {name: value for name, value in section if isinstance(value, Path)}
    return section.model_copy(update={name: base / path for name, path in paths.items()})

"""Settings: one TOML file, overridden by environment variables, checked before start-up.

`MAKUL_STORE__DATABASE=/srv/makul/makul.db` overrides `database` in `[store]`. Paths in the file are
relative to the file.
"""

import os
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from makul.config.base import Section
from makul.config.cases import CaseSettings
from makul.config.corrections import CorrectionSettings
from makul.config.ledger import LedgerSettings
from makul.config.listeners import (
    ClientCertificate,
    ListenerSettings,
    Port,
    TlsSettings,
    check_listener,
)
from makul.config.months import MonthSettings
from makul.config.notifications import NotificationSettings
from makul.config.observability import LogSettings, MetricsSettings
from makul.config.receipts import ReceiptSettings, TokenSettings
from makul.config.subject import PortalSettings, SubjectSettings
from makul.config.trust import TrustSettings
from makul.domain.disclosures import HIDDEN_AT_MOST
from makul.domain.identifiers import MemberCode, parse_member_code
from makul.domain.usage import BYTES_A_DAY, DOCUMENTS_A_DAY, REQUESTS_A_MINUTE, UsageLimits
from makul.language.translation import Language, translate
from makul.net.files import FileError, MissingFileError
from makul.net.toml import read_toml
from makul.net.validation_messages import describe_error, find_first_error
from makul.store.db.location import DatabaseLocation, PostgresLocation

__all__ = [
    "BasisSettings",
    "ClientCertificate",
    "Environment",
    "ListenerSettings",
    "PartySettings",
    "Port",
    "PortalSettings",
    "ReceiptSettings",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "SubjectSettings",
    "TlsSettings",
    "TokenSettings",
    "load_settings",
]

POSTGRES = ("postgresql://", "postgres://")
SQLITE = "sqlite:///"

MAX_SETTINGS_BYTES = 1024 * 1024
"""Maximum size. A settings file with every key and comment is below 10 KiB."""


class SettingsError(Exception):
    """The settings cannot be used. The message names the file and key, and what to do."""


class Environment(StrEnum):
    """The kind of installation: production, or the sandbox."""

    PRODUCTION = "PRODUCTION"
    SANDBOX = "SANDBOX"


class PartySettings(Section):
    """A party to every agreement, as the agreement's document names it (cl. 7)."""

    code: Annotated[str, AfterValidator(parse_member_code)]
    name: Annotated[str, Field(min_length=1, max_length=300)]

    @property
    def member(self) -> MemberCode:
        """The checked member code."""
        return MemberCode(self.code)


class StoreSettings(Section):
    """The location of the record, and the keys that encrypt its fields."""

    database: Path | None = None
    """An SQLite file. `database_url` takes precedence if it is set."""
    keys: Path
    prepared_statements: bool = True
    """False behind a pooler that assigns connections by transaction, such as PgBouncer."""


class BasisSettings(Section):
    """Limits of basis statements beyond data (cl. 5)."""

    max_hidden_days: Annotated[int, Field(ge=0, le=3650)] = HIDDEN_AT_MOST.days
    """Days from its issue during which a statement under 5.1 may be withheld from the subject."""

    @property
    def hidden_at_most(self) -> timedelta:
        """`max_hidden_days` as a duration."""
        return timedelta(days=self.max_hidden_days)


class LimitSettings(Section):
    """The limits of one recipient, if its agreement sets no limit of its own (REQ-06)."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = REQUESTS_A_MINUTE
    bytes_per_day: Annotated[int, Field(ge=1, le=2**50)] = BYTES_A_DAY
    """Bytes that may be recorded for a recipient in a UTC day: decisions, answers and documents."""
    documents_per_day: Annotated[int, Field(ge=1, le=2**50)] = DOCUMENTS_A_DAY
    """Bytes of documents and scans only that may be recorded for a recipient in a UTC day."""

    @property
    def usage(self) -> UsageLimits:
        """The limits that an agreement may replace."""
        return UsageLimits(
            requests_a_minute=self.requests_per_minute, bytes_a_day=self.bytes_per_day
        )


class Settings(BaseSettings):
    """All settings of an installation."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="MAKUL_", env_nested_delimiter="__"
    )

    environment: Environment = Environment.PRODUCTION
    language: Language | None = None
    """The language of the operator's messages; that of the locale if it is not set."""
    operator: Annotated[str, AfterValidator(parse_member_code)]
    operator_name: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """The name of the operator in agreements; the member code if it is not set."""
    authorised_body: PartySettings | None = None
    """Without it no agreement can be drafted and no notice approved (cl. 4, 7)."""
    store: StoreSettings
    database_url: SecretStr | None = None
    """`postgresql://...` or `sqlite:///PATH`, usually from the variable MAKUL_DATABASE_URL."""
    receipts: ReceiptSettings
    trust: TrustSettings
    basis: BasisSettings = BasisSettings()
    limits: LimitSettings = LimitSettings()
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings | None = None
    ledger: LedgerSettings | None = None
    """Without it leaves are recorded and wait, because `makul ledger run` does not start."""
    months: MonthSettings = MonthSettings()
    cases: CaseSettings = CaseSettings()
    corrections: CorrectionSettings = CorrectionSettings()
    notifications: NotificationSettings | None = None
    """Without it notifications are recorded and wait: `makul notification send` does not start."""
    subject: SubjectSettings | None = None
    """The portals and their identity provider; required by listeners of the port `subject`."""
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
        """Return the sources: first the environment, then the file, and no others."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @field_validator("language", mode="before")
    @classmethod
    def _may_be_empty(cls, name: object) -> object:
        # An empty MAKUL_LANGUAGE names none, as for the command line.
        return None if name == "" else name

    @field_validator("database_url")
    @classmethod
    def _of_a_known_kind(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith((*POSTGRES, SQLITE)):
            raise ValueError(
                translate(
                    "must begin with {postgresql} or {sqlite}",
                    postgresql=POSTGRES[0],
                    sqlite=SQLITE,
                )
            )
        if url is not None and "\0" in url.get_secret_value():
            raise ValueError(translate("no database can have such a name"))
        return url

    @model_validator(mode="after")
    def _has_a_database(self) -> Self:
        if self.database_url is None and self.store.database is None:
            raise ValueError(translate("give store.database, or MAKUL_DATABASE_URL"))
        return self

    @model_validator(mode="after")
    def _channels_are_safe(self) -> Self:
        for name, listener in self.listeners.items():
            production = self.environment is Environment.PRODUCTION
            check_listener(name, listener, is_production=production)
        return self

    @model_validator(mode="after")
    def _ports_are_apart(self) -> Self:
        """Require one port in production, because each port has its own database role."""
        ports = {listener.port for listener in self.listeners.values()}
        if self.environment is Environment.PRODUCTION and len(ports) > 1:
            raise ValueError(
                translate(
                    "listeners: each of the ports recipient, oversight and subject needs a process"
                    " and settings of its own (docs/operating/oversight.md)"
                )
            )
        return self

    @model_validator(mode="after")
    def _knows_portals(self) -> Self:
        ports = {listener.port for listener in self.listeners.values()}
        if Port.SUBJECT in ports and self.subject is None:
            raise ValueError(
                translate(
                    "listeners: a listener of the port subject needs the table [subject]"
                    " (docs/operating/subject.md)"
                )
            )
        return self

    @model_validator(mode="after")
    def _metrics_are_apart(self) -> Self:
        taken = {listener.bind for listener in self.listeners.values()}
        if self.metrics is not None and self.metrics.bind in taken:
            raise ValueError(
                translate("metrics.bind is a listener's address; give metrics one of their own")
            )
        return self

    @property
    def place(self) -> DatabaseLocation:
        """The location of the record."""
        url = self.database_url.get_secret_value() if self.database_url is not None else None
        if url is not None and url.startswith(POSTGRES):
            return PostgresLocation(url=url, prepares=self.store.prepared_statements)
        if url is not None:
            return Path(url.removeprefix(SQLITE))
        if self.store.database is None:
            raise SettingsError(translate("give store.database, or MAKUL_DATABASE_URL"))
        return self.store.database

    @property
    def operator_code(self) -> MemberCode:
        """The checked member code of the operator."""
        return MemberCode(self.operator)


def load_settings(path: Path) -> Settings:
    """Read and check a settings file. Raises `SettingsError` with one line on what to do."""
    try:
        read: dict[str, Any] = read_toml(path, MAX_SETTINGS_BYTES)
    except MissingFileError:
        raise SettingsError(
            translate(
                "no settings at {path}: name a file with --config, or run `makul init`", path=path
            )
        ) from None
    except FileError as error:
        raise SettingsError(str(error)) from None
    try:
        # A key such as `_env_file` would be an instruction to pydantic and not a setting.
        settings = Settings(
            **{f"settings.{key}" if key[:1] == "_" else key: read[key] for key in read}
        )
    except ValidationError as error:
        first = find_first_error(error)
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(f"{path}: {where}: {describe_error(first)}") from None
    except ValueError as error:  # a variable MAKUL_... that should be JSON
        raise SettingsError(
            translate("settings from the environment: {problem}", problem=error)
        ) from None
    return _with_sizes(_with_absolute_paths(settings, path.resolve().parent))


def _with_sizes(settings: Settings) -> Settings:
    """Set the workers and threads of each listener for its store and this machine."""
    is_on_sqlite = not isinstance(settings.place, PostgresLocation)
    cores = len(os.sched_getaffinity(0))
    sized = {
        name: listener.with_sizes(is_on_sqlite=is_on_sqlite, cores=cores)
        for name, listener in settings.listeners.items()
    }
    return settings.model_copy(update={"listeners": sized})


def _with_absolute_paths(settings: Settings, base: Path) -> Settings:
    return settings.model_copy(
        update={
            "store": _absolute(settings.store, base),
            "receipts": _absolute(settings.receipts, base),
            "ledger": _absolute_ledger(settings.ledger, base) if settings.ledger else None,
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
            "logs": _absolute(settings.logs, base),
            "months": _absolute(settings.months, base),
            "cases": _absolute(settings.cases, base),
            "notifications": (
                _absolute(settings.notifications, base) if settings.notifications else None
            ),
            "subject": _absolute_subject(settings.subject, base) if settings.subject else None,
            "metrics": _absolute(settings.metrics, base) if settings.metrics else None,
            "listeners": {
                name: _absolute(listener, base).model_copy(
                    update={"tls": _absolute(listener.tls, base) if listener.tls else None}
                )
                for name, listener in settings.listeners.items()
            },
        }
    )


def _absolute_ledger(settings: LedgerSettings, base: Path) -> LedgerSettings:
    witnesses = tuple(_absolute(each, base) for each in settings.witnesses)
    return _absolute(settings, base).model_copy(update={"witnesses": witnesses})


def _absolute_subject(settings: SubjectSettings, base: Path) -> SubjectSettings:
    portals = tuple(_absolute(each, base) for each in settings.portals)
    return _absolute(settings, base).model_copy(update={"portals": portals})


SectionT = TypeVar("SectionT", bound=Section)


def _absolute(section: SectionT, base: Path) -> SectionT:
    """Return a section whose paths, and those of its inner sections, start from `base`."""
    changed: dict[str, object] = {}
    for name, value in section:
        if isinstance(value, Path):
            changed[name] = base / value
        elif isinstance(value, Section):
            changed[name] = _absolute(value, base)
    return section.model_copy(update=changed)

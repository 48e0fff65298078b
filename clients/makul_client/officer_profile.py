"""An officer's profile: the body, the channel, the keys and the trusted certificates, as TOML.

    language = "ru"

    [officer]
    body = "GOV/70000009"           # the member code of the supervising body
    identifier = "I-1"              # needed with channel "xroad"
    receipts = "receipts"           # the directory of the receipts of your acts

    [service]
    url = "https://makul.example/v1/oversight"
    channel = "wsse"

    [signing]
    key = "inspector.key.pem"
    certificate = "inspector.crt.pem"

    [operator]
    code = "GOV/70000001"
    name = "The operator"
    certificates = ["operator.crt.pem"]
    anchors = ["root.crt.pem"]

The tables [service], [signing], [operator], [xroad], [ledger] and [retry] are those of a
recipient's profile (`profile`). Paths are relative to the file, and it contains no secrets.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from makul_client.errors import ProfileError
from makul_client.models.reasons import Language
from makul_client.profile import (
    Channel,
    MemberCode,
    Operator,
    Patience,
    ServiceTable,
    Signing,
    XRoad,
    require_channel_table,
)
from makul_client.toml_table import Flag, Line, Location, parse_tables, read_tables
from makul_client.translation import translate
from makul_client.transparency.settings import LedgerTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """The officer, as the operator registered the person."""

    body: MemberCode
    """The member code of the supervising body, which receipts name."""
    identifier: Line | None = None
    """The identifier of the officer, which `xrd:userId` states over X-Road."""
    receipts: Location | None = None
    """The directory in which `makul-oversight` stores the receipt of every act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerProfile:
    """The settings that differ from one officer to another."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    language: Language = Language.EN
    officer: Officer
    service: ServiceTable
    operator: Operator
    signing: Signing | None = None
    """Present with the channel `wsse`."""
    xroad: XRoad | None = None
    """Present with the channel `xroad`."""
    ledger: LedgerTable | None = None
    """Needed only to find receipts in the log."""
    patience: Annotated[Patience, Field(validation_alias="retry")] = field(default_factory=Patience)
    sandbox: Flag = False

    @classmethod
    def load(cls, file: Path) -> "OfficerProfile":
        """Return the profile in a file.

        Raises `ProfileError`, one line that names the file and the key.
        """
        return parse_tables(_adapter(), read_tables(file), file)

    @classmethod
    def check(cls, text: str, file: Path) -> None:
        """Raise `ProfileError` unless this text can be the profile in a file."""
        try:
            tables = tomllib.loads(text)
        except ValueError:
            raise ProfileError(translate("{file}: it would not be readable", file=file)) from None
        parse_tables(_adapter(), tables, file)


def _check_officer(profile: OfficerProfile) -> OfficerProfile:
    require_channel_table(profile)
    if profile.service.channel is not Channel.XROAD or profile.xroad is None:
        return profile
    if profile.officer.identifier is None:
        raise ValueError(
            translate("[officer] identifier: is needed: on channel xroad it names the officer")
        )
    if profile.xroad.client.member != profile.officer.body:
        raise ValueError(translate("[xroad] client: is another organisation than officer.body"))
    return profile


@cache
def _adapter() -> TypeAdapter[OfficerProfile]:
    """Return the validator of profiles, built on first use."""
    return TypeAdapter(Annotated[OfficerProfile, AfterValidator(_check_officer)])

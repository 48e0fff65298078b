"""The terms of an agreement in a TOML file (Procedure, cl. 7).

Every key is checked, and an error names the key. The documentation shows the format with `EXAMPLE`
below, which the tests read.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from makul.admin.errors import OperatorError
from makul.cli.suggestion import suggest_name
from makul.domain.agreements import (
    DEFAULT_PAPER_QUOTA,
    Agreement,
    AgreementState,
    Channel,
    Delivery,
)
from makul.domain.attributes import Attribute
from makul.domain.calendar import USUAL_YEARS, is_usual_year
from makul.domain.identifiers import (
    AgreementNumber,
    MalformedIdentifierError,
    PurposeCode,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.net.toml import read_toml

MAX_BYTES = 64 * 1024

BISHKEK = timezone(timedelta(hours=6))
"""Legal time in the Kyrgyz Republic, all year round. A bare date begins at its midnight."""

EXAMPLE = """\
number = "2026/014"
recipient = "COM/60000001"
valid_from = 2026-01-01         # a date begins at midnight in Bishkek; or 2026-01-01T00:00:00Z
valid_to = 2027-01-01           # the first day on which it is in force no more

purposes = ["ACCOUNT_OPENING", "LOAN"]
attributes = ["pin", "surname", "givenName", "patronymic", "birthDate", "documentNumber"]
methods = ["demographic"]
channels = ["wsse"]             # wsse, mtls, xroad: the only ways in

# All below may be left out.
delivery = "TYPED"
scores_out = false              # may match scores be shown?
daily_quota = 1000              # disclosures a day; left out: no limit of its own
requests_per_minute = 600       # left out: as in the operator's settings, [limits]
bytes_per_day = 4294967296      # what may be recorded for the recipient a day; likewise
paper_allowed = false           # may consents be on paper, signed by an official?
paper_daily_quota = 20          # how many of them one official may hand in a day
representatives_allowed = false # parents, guardians, by power of attorney
provisions = []                 # of cl. 5: what may be invoked without consent

[powers]                        # for OFFICIAL_REQUEST (cl. 5.3): attributes by purpose
# BENEFITS = ["surname", "givenName", "address"]
"""

_REQUIRED = frozenset(
    {
        "number",
        "recipient",
        "valid_from",
        "valid_to",
        "purposes",
        "attributes",
        "methods",
        "channels",
    }
)
_OPTIONAL = frozenset({"delivery", "scores_out", "daily_quota", "provisions", "powers"}) | {
    "paper_allowed",
    "paper_daily_quota",
    "representatives_allowed",
    "requests_per_minute",
    "bytes_per_day",
}

EnumT = TypeVar("EnumT", bound=StrEnum)
IdentifierT = TypeVar("IdentifierT")
_Table = Mapping[str, object]


class _KeyError(OperatorError):
    """An error that names a key whose value cannot be used."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")


def read_agreement(path: Path) -> Agreement:
    """Return the agreement in a file.

    Raises `OperatorError` or `FileError`, which names the fault.
    """
    table = read_toml(path, MAX_BYTES)
    try:
        return parse_agreement(table)
    except OperatorError as error:
        raise OperatorError(f"{path.name}: {error}") from None


def parse_agreement(table: _Table) -> Agreement:
    """Return the agreement in a TOML table. Raises `OperatorError`, which names the key."""
    _check_keys(table)
    purposes = frozenset(_purpose("purposes", name) for name in _names(table, "purposes"))
    attributes = _set_of(Attribute, table, "attributes")
    agreement = Agreement(
        number=_number(table),
        recipient=_identified("recipient", parse_member_code, _text(table, "recipient")),
        state=AgreementState.DRAFT,
        valid_from=_instant(table, "valid_from"),
        valid_to=_instant(table, "valid_to"),
        purposes=purposes,
        attributes=attributes,
        methods=_set_of(MatchMethod, table, "methods"),
        channels=_set_of(Channel, table, "channels"),
        provisions=_set_of(Provision, table, "provisions", may_be_empty=True),
        powers=_powers(table),
        daily_quota=_quota(table, "daily_quota"),
        requests_a_minute=_quota(table, "requests_per_minute"),
        bytes_a_day=_quota(table, "bytes_per_day"),
        paper_allowed=_flag(table, "paper_allowed"),
        paper_daily_quota=_quota(table, "paper_daily_quota") or DEFAULT_PAPER_QUOTA,
        representatives_allowed=_flag(table, "representatives_allowed"),
        delivery=_one_of(Delivery, "delivery", _text(table, "delivery", Delivery.TYPED)),
        scores_out=_flag(table, "scores_out"),
    )
    _check_together(agreement)
    return agreement


def _check_keys(table: _Table) -> None:
    if "state" in table:
        raise _KeyError(
            "state",
            "take it out: three signatures bring an agreement into force, and"
            " `makul agreement terminate` ends it",
        )
    unknown = sorted(table.keys() - _REQUIRED - _OPTIONAL)
    if unknown:
        hint = suggest_name(unknown[0], _REQUIRED | _OPTIONAL)
        raise _KeyError(unknown[0], f"no such key{hint}; see: makul agreement add --help")
    missing = sorted(_REQUIRED - table.keys())
    if missing:
        raise _KeyError(missing[0], "is missing")


def _check_together(agreement: Agreement) -> None:
    """Check the rules that concern several keys together."""
    if agreement.valid_to <= agreement.valid_from:
        raise _KeyError("valid_to", "must be after valid_from")
    for purpose, covered in agreement.powers.items():
        key = f"powers.{purpose}"
        if purpose not in agreement.purposes:
            hint = suggest_name(purpose, agreement.purposes)
            raise _KeyError(key, f"is not among the purposes{hint}")
        if not covered <= agreement.attributes:
            beyond = ", ".join(sorted(covered - agreement.attributes))
            raise _KeyError(key, f"goes beyond the agreement's attributes: {beyond}")
    if agreement.powers and Provision.OFFICIAL_REQUEST not in agreement.provisions:
        raise _KeyError("powers", "say nothing without OFFICIAL_REQUEST among the provisions")
    if Provision.OFFICIAL_REQUEST in agreement.provisions and not agreement.powers:
        raise _KeyError("provisions", "OFFICIAL_REQUEST needs [powers] (cl. 5.3)")


def _number(table: _Table) -> AgreementNumber:
    return _identified("number", parse_agreement_number, _text(table, "number"))


def _identified(key: str, parse: Callable[[str], IdentifierT], text: str) -> IdentifierT:
    try:
        return parse(text)
    except MalformedIdentifierError as error:
        raise _KeyError(key, str(error)) from None


def _purpose(key: str, name: str) -> PurposeCode:
    try:
        return parse_purpose(name)
    except MalformedIdentifierError as error:
        written = re.sub("[^0-9A-Z]+", "_", name.upper()).strip("_")
        hint = f"; did you mean {written}?" if _is_purpose(written) else ""
        raise _KeyError(key, f"{error}{hint}") from None


def _is_purpose(text: str) -> bool:
    try:
        parse_purpose(text)
    except MalformedIdentifierError:
        return False
    return True


def _powers(table: _Table) -> dict[PurposeCode, frozenset[Attribute]]:
    powers = table.get("powers", {})
    if not isinstance(powers, dict):
        raise _KeyError("powers", "is a table: [powers]")
    return {
        _purpose(f"powers.{purpose}", purpose): _set_of(Attribute, powers, purpose, under="powers.")
        for purpose in powers
    }


_QUOTA_HINTS = {
    "daily_quota": "is a whole number from 1; leave it out for no limit",
    "paper_daily_quota": "is a whole number from 1; leave it out for 20",
    "requests_per_minute": "is a whole number from 1; leave it out for that of the settings",
    "bytes_per_day": "is a whole number from 1; leave it out for that of the settings",
}


def _quota(table: _Table, key: str) -> int | None:
    quota = table.get(key)
    if quota is None:
        return None
    if not isinstance(quota, int) or isinstance(quota, bool) or quota < 1:
        raise _KeyError(key, _QUOTA_HINTS[key])
    return quota


def _flag(table: _Table, key: str) -> bool:
    flag = table.get(key, False)
    if not isinstance(flag, bool):
        raise _KeyError(key, "is true or false")
    return flag


def _text(table: _Table, key: str, default: str | None = None) -> str:
    text = table.get(key, default)
    if not isinstance(text, str):
        raise _KeyError(key, "is text in quotes")
    return text


def _names(table: _Table, key: str, *, under: str = "", may_be_empty: bool = False) -> list[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _KeyError(under + key, 'is a list of names: ["…", "…"]')
    if not names and not may_be_empty:
        raise _KeyError(under + key, "is empty; name at least one")
    if len(set(names)) != len(names):
        raise _KeyError(under + key, "names something twice")
    return names


def _set_of(
    kind: type[EnumT], table: _Table, key: str, *, under: str = "", may_be_empty: bool = False
) -> frozenset[EnumT]:
    names = _names(table, key, under=under, may_be_empty=may_be_empty)
    return frozenset(_one_of(kind, under + key, name) for name in names)


def _one_of(kind: type[EnumT], key: str, name: str) -> EnumT:
    try:
        return kind(name)
    except ValueError:
        known = ", ".join(member.value for member in kind)
        hint = suggest_name(name, [member.value for member in kind])
        raise _KeyError(key, f"{name!r} is not one of: {known}{hint}") from None


def _instant(table: _Table, key: str) -> datetime:
    value = table[key]
    if not isinstance(value, date):
        raise _KeyError(key, "is a date without quotes: 2026-01-01")
    if not is_usual_year(value.year):
        raise _KeyError(key, USUAL_YEARS)
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=BISHKEK).astimezone(UTC)
    if value.tzinfo is None:
        raise _KeyError(key, "a time needs its offset: 2026-01-01T00:00:00+06:00")
    return value.astimezone(UTC)

"""The terms of an agreement in a TOML file (Procedure, cl. 7).

Every key is checked, and an error names the key. The documentation shows the format with `EXAMPLE`
below, which the tests read.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
)

from makul.admin.errors import OperatorError
from makul.cli.suggestion import describe_suggestion, suggest_name
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
    MemberCode,
    PurposeCode,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.language.translation import mark, translate
from makul.net.toml import read_toml
from makul.net.validation_messages import describe_error, find_first_error

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
undertakings_required = false   # must each employee have an undertaking of secrecy (cl. 16)?
provisions = []                 # of cl. 5: what may be invoked without consent

[competence]                    # for cl. 3 a to c and e: the act of law for each purpose
# BENEFITS = "Law on state benefits, art. 8"

[powers]                        # for OFFICIAL_REQUEST (cl. 5.3): attributes by purpose
# BENEFITS = ["surname", "givenName", "address"]
"""

_NameT = TypeVar("_NameT")


def _read_instant(value: object) -> datetime:
    if not isinstance(value, date):
        raise ValueError(translate("is a date without quotes: 2026-01-01"))  # noqa: TRY004 - for pydantic
    if not is_usual_year(value.year):
        raise ValueError(translate(USUAL_YEARS))
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=BISHKEK).astimezone(UTC)
    if value.tzinfo is None:
        raise ValueError(translate("a time needs its offset: 2026-01-01T00:00:00+06:00"))
    return value.astimezone(UTC)


def _check_names(names: object) -> object:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(translate('is a list of names: ["…", "…"]'))
    if len(set(names)) != len(names):
        raise ValueError(translate("names something twice"))
    return names


def _check_not_empty(names: frozenset[_NameT]) -> frozenset[_NameT]:
    if not names:
        raise ValueError(translate("is empty; name at least one"))
    return names


def _choose_from(kind: type[StrEnum]) -> BeforeValidator:
    """Return the annotation of a name of `kind`. The error lists the names."""
    known = [member.value for member in kind]

    def check(name: object) -> object:
        if isinstance(name, str) and name not in known:
            hint = suggest_name(name, known)
            raise ValueError(
                translate(
                    "{name!r} is not one of: {names}{suggestion}",
                    name=name,
                    names=", ".join(known),
                    suggestion=hint,
                )
            )
        return name

    return BeforeValidator(check)


def _parse_purpose(name: str) -> PurposeCode:
    try:
        return parse_purpose(name)
    except MalformedIdentifierError as error:
        problem = translate(str(error))
    with suppress(MalformedIdentifierError):
        purpose = parse_purpose(re.sub("[^0-9A-Z]+", "_", name.upper()).strip("_"))
        problem += describe_suggestion(purpose)
    raise ValueError(problem)


def _check_citation(citation: str) -> str:
    if not citation.strip() or citation != citation.strip():
        raise ValueError(translate("names an act of law, without spaces at its ends"))
    return citation


def _count_from_one(without: str) -> BeforeValidator:
    """Return the annotation of a limit. `without` states what applies if the key is left out."""

    def check(value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(
                translate(
                    "is a whole number from 1; leave it out for {default}",
                    default=translate(without),
                )
            )
        return value

    return BeforeValidator(check)


_Instant = Annotated[datetime, BeforeValidator(_read_instant)]
_Flag = Annotated[bool, Strict()]
_Purpose = Annotated[PurposeCode, AfterValidator(_parse_purpose)]
_Attribute = Annotated[Attribute, _choose_from(Attribute)]
_Set = Annotated[frozenset[_NameT], BeforeValidator(_check_names)]
_NotEmpty = Annotated[_Set[_NameT], AfterValidator(_check_not_empty)]
_Citation = Annotated[str, AfterValidator(_check_citation)]
_OfSettings = Annotated[int, _count_from_one(mark("that of the settings"))]


class _AgreementFile(BaseModel):
    """The keys of the file, under the names of `Agreement`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Annotated[AgreementNumber, AfterValidator(parse_agreement_number)]
    recipient: Annotated[MemberCode, AfterValidator(parse_member_code)]
    valid_from: _Instant
    valid_to: _Instant
    purposes: _NotEmpty[_Purpose]
    attributes: _NotEmpty[_Attribute]
    methods: _NotEmpty[Annotated[MatchMethod, _choose_from(MatchMethod)]]
    channels: _NotEmpty[Annotated[Channel, _choose_from(Channel)]]
    provisions: _Set[Annotated[Provision, _choose_from(Provision)]] = frozenset()
    powers: dict[_Purpose, _NotEmpty[_Attribute]] = {}
    competences: dict[_Purpose, _Citation] = Field({}, alias="competence")
    daily_quota: Annotated[int, _count_from_one(mark("no limit"))] | None = None
    requests_a_minute: _OfSettings | None = Field(None, alias="requests_per_minute")
    bytes_a_day: _OfSettings | None = Field(None, alias="bytes_per_day")
    paper_allowed: _Flag = False
    paper_daily_quota: Annotated[int, _count_from_one("20")] = DEFAULT_PAPER_QUOTA
    representatives_allowed: _Flag = False
    undertakings_required: _Flag = False
    delivery: Annotated[Delivery, _choose_from(Delivery)] = Delivery.TYPED
    scores_out: _Flag = False


_KEYS = frozenset(field.alias or name for name, field in _AgreementFile.model_fields.items())


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


def parse_agreement(table: Mapping[str, object]) -> Agreement:
    """Return the agreement in a TOML table. Raises `OperatorError`, which names the key."""
    if "state" in table:
        raise _KeyError(
            "state",
            translate(
                "take it out: three signatures bring an agreement into force, and `makul agreement"
                " terminate` ends it",
            ),
        )
    try:
        terms = dict(_AgreementFile.model_validate(table))
    except ValidationError as error:
        first = find_first_error(error)
        # The index of a name in a list says less than the name, which the problem repeats.
        key = ".".join(each for each in first["loc"] if isinstance(each, str) and each != "[key]")
        problem = describe_error(first)
        if first["type"] == "extra_forbidden":
            problem = translate(
                "{problem}{suggestion}; see: makul agreement add --help",
                problem=problem,
                suggestion=suggest_name(key, _KEYS),
            )
        raise _KeyError(key, problem) from None
    agreement = Agreement(state=AgreementState.DRAFT, **terms)
    _check_together(agreement)
    return agreement


def _check_together(agreement: Agreement) -> None:
    """Check the rules that concern several keys together."""
    if agreement.valid_to <= agreement.valid_from:
        raise _KeyError("valid_to", translate("must be after valid_from"))
    for purpose, covered in agreement.powers.items():
        key = f"powers.{purpose}"
        if purpose not in agreement.purposes:
            hint = suggest_name(purpose, agreement.purposes)
            raise _KeyError(
                key, translate("is not among the purposes{suggestion}", suggestion=hint)
            )
        if not covered <= agreement.attributes:
            beyond = ", ".join(sorted(covered - agreement.attributes))
            raise _KeyError(
                key, translate("goes beyond the agreement's attributes: {beyond}", beyond=beyond)
            )
    for purpose in agreement.competences:
        if purpose not in agreement.purposes:
            hint = suggest_name(purpose, agreement.purposes)
            raise _KeyError(
                f"competence.{purpose}",
                translate("is not among the purposes{suggestion}", suggestion=hint),
            )
    if agreement.powers and Provision.OFFICIAL_REQUEST not in agreement.provisions:
        raise _KeyError(
            "powers", translate("say nothing without OFFICIAL_REQUEST among the provisions")
        )
    if Provision.OFFICIAL_REQUEST in agreement.provisions and not agreement.powers:
        raise _KeyError("provisions", translate("OFFICIAL_REQUEST needs [powers] (cl. 5.3)"))

"""What the commands share: options, exit codes, and how an error becomes one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

from makul_client import consent_view
from makul_client.asking import (
    BasisDocument,
    ConsentDocument,
    ConsentId,
    Demographic,
    FaceSample,
    FingerSample,
    Ground,
    Probe,
)
from makul_client.console import print_error, read_file
from makul_client.errors import (
    FaultError,
    Language,
    LedgerError,
    MakulError,
    ReceiptError,
    RefusedError,
    Retry,
    SealError,
    TransportError,
    UndeterminedError,
)
from makul_client.profile import Profile


class ExitCode(IntEnum):
    """What a script may branch on."""

    OK = 0
    NO = 1
    USAGE = 2
    LATER = 3
    RECEIPT = 4
    REJECTED = 5


EXIT_CODES: Final = """\b
Exit codes:
  0  done: released, matched, accepted
  1  the answer is no: refused, or not matched
  2  wrong use: an option, the profile, a document; nothing was sent
  3  not now: unreachable, unavailable or undetermined; repeat later,
     the same command with --request-id
  4  the operator's receipt is not to be trusted, and the answer was withheld;
     or its proof in the log does not hold or is overdue
  5  the message was not accepted: its form, its signature, or who sent it
"""


def examples(*commands: str, more: str = "") -> str:
    """What stands below a command's options: examples, then the exit codes."""
    lines = "\n".join(f"  {command}" for command in commands)
    return f"\b\nExamples:\n{lines}\n\n{more}\n{EXIT_CODES}"


ProfileFile = Annotated[
    Path,
    typer.Option("--profile", "-p", envvar="MAKUL_PROFILE", help="The recipient's TOML profile."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors included.")]
Employee = Annotated[
    str | None,
    typer.Option(envvar="MAKUL_EMPLOYEE", help="The employee who asks (Procedure, cl. 16)."),
]
Case = Annotated[str | None, typer.Option(help="The case in your own records.")]
RequestId = Annotated[
    UUID | None, typer.Option(help="Repeat the request of this id; all else must be the same.")
]
Purpose = Annotated[str | None, typer.Option(help="Another purpose than the profile's.")]
ConsentFile = Annotated[Path | None, typer.Option("--consent", help="A signed consent (cl. 4).")]
ConsentUuid = Annotated[UUID | None, typer.Option("--consent-id", help="A registered consent.")]
BasisFile = Annotated[
    Path | None, typer.Option("--basis", help="A signed basis statement (cl. 5).")
]
Pin = Annotated[
    str | None,
    typer.Option(help="The PIN. Better left out: it is read from the consent, or asked for."),
]
DocumentNumber = Annotated[str | None, typer.Option(help="Of the identity document shown.")]
Surname = Annotated[str | None, typer.Option(help="As in the document.")]
GivenName = Annotated[str | None, typer.Option(help="As in the document.")]
Patronymic = Annotated[str | None, typer.Option(help="As in the document.")]
Face = Annotated[Path | None, typer.Option(help="A picture of the face: .jpg or .png.")]
Finger = Annotated[
    list[str] | None,
    typer.Option(help="POSITION=FILE, 1 right thumb to 10; .wsq, .png, .iso or .ansi."),
]
ReceiptOut = Annotated[Path | None, typer.Option("--receipt", help="Keep the receipt here.")]

MIN_YEAR, MAX_YEAR = 1900, 9000
"""`datetime` ends with 1 and 9999: beyond them a time cannot even be written in UTC."""

_FACE_FORMATS: Final = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
_FINGER_FORMATS: Final = {
    ".wsq": "wsq",
    ".png": "png",
    ".iso": "iso19794-2",
    ".fmr": "iso19794-2",
    ".ansi": "ansi378",
}


@contextmanager
def reporting(*, as_json: bool, profile: Path | None = None) -> Iterator[None]:
    """Turn this library's errors into a line and an exit code."""
    try:
        yield
    except MakulError as error:
        print_error(error, _language(profile), as_json=as_json)
        raise typer.Exit(exit_code(error)) from None
    except typer.Abort:  # a question that nobody answered; typer's own code would read as "no"
        raise typer.Exit(ExitCode.USAGE) from None


def exit_code(error: MakulError) -> ExitCode:
    """The exit code of an error; see `EXIT_CODES`."""
    match error:
        case ReceiptError() | SealError() | LedgerError():
            return ExitCode.RECEIPT
        case UndeterminedError() | TransportError():
            return ExitCode.LATER
        case RefusedError() | FaultError() if error.retry is Retry.LATER:
            return ExitCode.LATER
        case RefusedError():
            return ExitCode.NO
        case FaultError():
            return ExitCode.REJECTED
    return ExitCode.USAGE


def outcome_code(outcome: str) -> ExitCode:
    """The exit code of a decision that was returned rather than raised."""
    if outcome in {"REFUSED", "NOT_MATCHED"}:
        return ExitCode.NO
    return ExitCode.LATER if outcome == "UNDETERMINED" else ExitCode.OK


def _language(profile: Path | None) -> Language:
    try:
        return Profile.load(profile).language if profile is not None else Language.EN
    except MakulError:
        return Language.EN


def ground_from(consent: Path | None, consent_id: UUID | None, basis: Path | None) -> Ground | None:
    """The ground given by at most one of three options."""
    if sum(each is not None for each in (consent, consent_id, basis)) > 1:
        raise typer.BadParameter("give one of --consent, --consent-id, --basis")
    if consent is not None:
        return ConsentDocument(read_file(consent))
    if consent_id is not None:
        return ConsentId(consent_id)
    return None if basis is None else BasisDocument(read_file(basis))


def demographic_from(
    ground: Ground | None,
    *,
    pin: str | None,
    document_number: str | None,
    surname: str | None,
    given_name: str | None,
    patronymic: str | None,
) -> Demographic:
    """Who the person says they are: from the options, else from the consent, else asked for."""
    if isinstance(ground, ConsentDocument):
        subject = consent_view.read_unsafe(ground.document).subject
        pin, surname = pin or subject.pin, surname or subject.surname
        given_name = given_name or subject.given_name
        patronymic = patronymic or subject.patronymic
    return Demographic(
        pin=pin or typer.prompt("PIN", hide_input=True, err=True),
        document_number=document_number,
        surname=surname,
        given_name=given_name,
        patronymic=patronymic,
    )


def probe_from(demographic: Demographic, face: Path | None, fingers: list[str] | None) -> Probe:
    """Everything that the record is compared with."""
    return Probe(
        demographic=demographic,
        face=None
        if face is None
        else FaceSample(image=read_file(face), format=_format(face, _FACE_FORMATS)),
        fingers=tuple(_finger(each) for each in fingers or ()),
    )


def _finger(given: str) -> FingerSample:
    position, _, name = given.partition("=")
    if not position.isdecimal() or not name:
        raise typer.BadParameter("a finger is POSITION=FILE, as in 2=index.wsq")
    file = Path(name)
    return FingerSample(
        position=int(position), format=_format(file, _FINGER_FORMATS), data=read_file(file)
    )


def _format(file: Path, formats: dict[str, str]) -> str:
    known = formats.get(file.suffix.lower())
    if known is None:
        raise typer.BadParameter(f"{file}: must end in one of {', '.join(formats)}")
    return known


def instant(text: str, option: str) -> datetime:
    """An instant, ISO 8601 with an offset; a mere date is its midnight in Bishkek (UTC+6)."""
    try:
        if len(text) == len("2026-11-01"):
            text = f"{date.fromisoformat(text)}T00:00:00+06:00"
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: a date, or an instant with its offset") from None
    if at.utcoffset() is None:
        raise typer.BadParameter(f"{option}: an instant needs its offset, as +06:00")
    if not MIN_YEAR <= at.year <= MAX_YEAR:
        raise typer.BadParameter(f"{option}: the year is {MIN_YEAR} to {MAX_YEAR}")
    return at

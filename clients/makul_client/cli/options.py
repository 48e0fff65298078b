"""Options and exit codes that the commands share, and the mapping of errors to exit codes."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn
from uuid import UUID, uuid4

import typer

from makul_client.cli.late_commands import late
from makul_client.cli.output import print_error, say_aside
from makul_client.cli.output_files import (
    JSON_BYTES,
    RECEIPT_BYTES,
    TEXT_BYTES,
    ReservedFile,
    require_standard_output,
    use_utf8,
)
from makul_client.errors import (
    ConsentError,
    FaultError,
    InvalidRequestError,
    LedgerError,
    MakulError,
    ProfileError,
    ReceiptError,
    RefusedError,
    SealError,
    TransportError,
    UndeterminedError,
    UnfinishedError,
)
from makul_client.models.reasons import Retry
from makul_client.models.response import Decision
from makul_client.translation import current_language, translate

if TYPE_CHECKING:
    from makul_client._internal.exchange import Context
    from makul_client.client import Client
    from makul_client.consent import view as consent_view
    from makul_client.profile import Profile
else:
    consent_view = late("consent.view")
    Client = late("client", "Client")
    Context = late("_internal.exchange", "Context")
    Profile = late("profile", "Profile")


class ExitCode(IntEnum):
    """The exit codes, by which a script may branch."""

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
  2  wrong use: an option, the profile, a document, a place of output;
     nothing was sent
  3  not now: unreachable, unavailable, undetermined, broken off, or the
     answer could not be written; repeat the same command with --request-id
  4  the operator's receipt is not to be trusted, and the answer was withheld;
     or its proof in the log does not hold or is overdue
  5  the message was not accepted: its form, its signature, or who sent it
"""


def examples(*commands: str, more: str = "") -> str:
    """Return the text below a command's options: examples, then the exit codes."""
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
Case = Annotated[str | None, typer.Option(help="The number of the case in your own records.")]
RequestId = Annotated[
    UUID | None, typer.Option(help="Repeat the request with this id; change nothing else.")
]
Purpose = Annotated[str | None, typer.Option(help="A purpose other than the profile's.")]
ConsentFile = Annotated[Path | None, typer.Option("--consent", help="A signed consent (cl. 4).")]
ConsentUuid = Annotated[UUID | None, typer.Option("--consent-id", help="A registered consent.")]
BasisFile = Annotated[
    Path | None, typer.Option("--basis", help="A signed basis statement (cl. 5).")
]
Pin = Annotated[
    str | None,
    typer.Option(
        help=(
            "The PIN. Prefer to omit it: it is read from the consent or MAKUL_PIN, or prompted for."
        )
    ),
]
DocumentNumber = Annotated[
    str | None,
    typer.Option(help="The number of the identity document; prompted for if no name is given."),
]
Surname = Annotated[
    str | None, typer.Option(help="As in the identity document; never from the consent.")
]
GivenName = Annotated[
    str | None, typer.Option(help="As in the identity document; never from the consent.")
]
Patronymic = Annotated[str | None, typer.Option(help="As in the identity document.")]
Face = Annotated[Path | None, typer.Option(help="A picture of the face: .jpg or .png.")]
Finger = Annotated[
    list[str] | None,
    typer.Option(help="POSITION=FILE, position 1 (right thumb) to 10; .wsq, .png, .iso or .ansi."),
]
ReceiptOut = Annotated[Path | None, typer.Option("--receipt", help="The new file for the receipt.")]

MIN_YEAR, MAX_YEAR = 1900, 9000
"""The accepted years. `datetime` has years 1 to 9999, and near its ends UTC cannot be computed."""


class Run:
    """The state of one run of a command that determines what a failure means."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.request_id: UUID | None = None
        """The id of the request, set as soon as the request may have been sent."""

    def require_output(self) -> None:
        """Raise `OutputError` if the answer could not be shown."""
        require_standard_output(JSON_BYTES if self._as_json else TEXT_BYTES)

    def begin(self, *, employee: str | None, case: str | None, request_id: UUID | None) -> Context:
        """Check standard output and print the request's id. The request may be sent after this.

        The id is printed before anything is sent. So a caller can repeat even a run that was killed
        or that never ends.
        """
        self.require_output()
        self.request_id = request_id or uuid4()
        say_aside(translate("makul-client: request {request_id}", request_id=self.request_id))
        return Context(
            employee=as_typed(employee), case_number=as_typed(case), request_id=self.request_id
        )

    def inquire(self, *, employee: str | None) -> Context:
        """Check standard output for an inquiry, which decides nothing and discloses nothing."""
        self.require_output()
        return Context(employee=as_typed(employee))


@contextmanager
def receipt_in(
    path: Path | None,
) -> Iterator[Callable[[Decision], AbstractContextManager[None]]]:
    """Reserve the file of a receipt before anything is sent.

    It also stores the receipt of a refusal.

    The function that it yields stores a decision's receipt around the printing of the answer. So
    neither is lost if the other fails.
    """
    with ExitStack() as opened:
        file = (
            None
            if path is None
            else opened.enter_context(ReservedFile(path, max_bytes=RECEIPT_BYTES))
        )

        @contextmanager
        def keep(decision: Decision) -> Iterator[None]:
            try:
                yield
            finally:
                if file is not None:
                    file.keep(decision.receipt.document)

        try:
            yield keep
        except RefusedError as refused:
            if refused.decision is not None and file is not None:
                file.keep(refused.decision.receipt.document)
            raise


def open_client(profile: Path) -> Client:
    """Return a client for the profile in this file, whose reasons are in the language in use."""
    return Client(replace(Profile.load(profile), language=current_language()))


@contextmanager
def reporting(*, as_json: bool) -> Iterator[Run]:
    """Convert an error to a line of text and an exit code.

    Once a request may have been sent, every failure without an answer is "not now". The person's
    data may have been disclosed, and the same id returns the same answer.
    """
    use_utf8()
    run = Run(as_json=as_json)
    try:
        yield run
    except MakulError as error:
        code = exit_code(error)
        if run.request_id is not None and code is ExitCode.USAGE and not _was_not_sent(error):
            code, error = ExitCode.LATER, UnfinishedError(str(error), request_id=run.request_id)
        print_error(error, as_json=as_json)
        raise typer.Exit(code) from None
    except (typer.Abort, KeyboardInterrupt):  # typer's own exit code would read as "no"
        _report_broken_off(run, translate("interrupted"), as_json=as_json)
    except (typer.Exit, typer.BadParameter):
        raise
    except Exception as error:
        if run.request_id is None:
            raise
        place = _place(error)
        what = translate("internal error at {place}", place=place)
        _report_broken_off(run, what, as_json=as_json)


def _place(error: BaseException) -> str:
    """Return the file and line of this program that raised an error, without its message.

    The message of an unexpected error may contain personal data.
    """
    place, trace = translate("an unknown place"), error.__traceback__
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _report_broken_off(run: Run, what: str, *, as_json: bool) -> NoReturn:
    """End a run that has no answer, without the message of the error.

    The message may contain personal data.
    """
    if run.request_id is None:
        raise typer.Exit(ExitCode.USAGE) from None
    error = UnfinishedError(
        translate("{what}: whether the request was answered is unknown", what=what),
        request_id=run.request_id,
    )
    print_error(error, as_json=as_json)
    raise typer.Exit(ExitCode.LATER) from None


def _was_not_sent(error: MakulError) -> bool:
    return isinstance(error, InvalidRequestError | ProfileError | ConsentError)


def as_typed(text: str | None) -> str | None:
    """Return a command-line argument as text in UTF-8.

    An ASCII locale splits it into single bytes.
    """
    if text is None:
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        with suppress(UnicodeError):
            return os.fsencode(text).decode()
    return text


def exit_code(error: MakulError) -> ExitCode:
    """Return the exit code of an error; see `EXIT_CODES`."""
    match error:
        case ReceiptError() | SealError() | LedgerError():
            return ExitCode.RECEIPT
        case UndeterminedError() | TransportError() | UnfinishedError():
            return ExitCode.LATER
        case RefusedError() | FaultError() if error.retry is Retry.LATER:
            return ExitCode.LATER
        case RefusedError():
            return ExitCode.NO
        case FaultError():
            return ExitCode.REJECTED
    return ExitCode.USAGE


def outcome_code(outcome: str) -> ExitCode:
    """Return the exit code of a decision that was returned rather than raised."""
    if outcome in {"REFUSED", "NOT_MATCHED"}:
        return ExitCode.NO
    return ExitCode.LATER if outcome == "UNDETERMINED" else ExitCode.OK


def instant(text: str, option: str) -> datetime:
    """Return the instant that a text in ISO 8601 names.

    A date without a time is midnight in Bishkek (UTC+6). Raises `typer.BadParameter` if the text is
    neither a date nor an instant with an offset, or if its year is out of range.
    """
    try:
        if len(text) == len("2026-11-01"):
            text = f"{date.fromisoformat(text)}T00:00:00+06:00"
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            translate("{option}: a date, or an instant with its offset", option=option)
        ) from None
    if at.utcoffset() is None:
        raise typer.BadParameter(
            translate("{option}: an instant needs its offset, as +06:00", option=option)
        )
    if not MIN_YEAR <= at.year <= MAX_YEAR:
        raise typer.BadParameter(
            translate(
                "{option}: the year is {first} to {last}",
                option=option,
                first=MIN_YEAR,
                last=MAX_YEAR,
            )
        )
    return at

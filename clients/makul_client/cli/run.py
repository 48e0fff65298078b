"""One run of a command: its profile, its errors, its request id and its receipt file."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID, uuid4

import typer

from makul_client.cli.exit_codes import ExitCode, exit_code
from makul_client.cli.late_commands import late
from makul_client.cli.options import as_typed
from makul_client.cli.output import print_error, print_note
from makul_client.cli.output_files import (
    JSON_BYTES,
    RECEIPT_BYTES,
    TEXT_BYTES,
    ReservedFile,
    require_standard_output,
    use_utf8,
)
from makul_client.cli.program import program_name
from makul_client.errors import (
    ConsentError,
    InvalidRequestError,
    MakulError,
    ProfileError,
    RefusedError,
    UnfinishedError,
)
from makul_client.models.acts import Act
from makul_client.models.response import Decision
from makul_client.translation import current_language, translate

if TYPE_CHECKING:
    from makul_client._internal.request_sender import Context
    from makul_client.client import Client
    from makul_client.profile import Profile
else:
    Client = late("client", "Client")
    Context = late("_internal.request_sender", "Context")
    Profile = late("profile", "Profile")


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
        """Return the context of a request, which may be sent after this.

        Its id is printed before anything is sent. So a caller can repeat even a run that was killed
        or that never ends.
        """
        return Context(
            employee=as_typed(employee),
            case_number=as_typed(case),
            request_id=self.begin_request(request_id),
        )

    def begin_request(self, request_id: UUID | None) -> UUID:
        """Check standard output, then print and return the request's id: a new one if None."""
        self.require_output()
        self.request_id = request_id or uuid4()
        print_note(
            translate(
                "{program}: request {request_id}",
                program=program_name(),
                request_id=self.request_id,
            )
        )
        return self.request_id

    def inquire(self, *, employee: str | None) -> Context:
        """Check standard output for an inquiry, which decides nothing and discloses nothing."""
        self.require_output()
        return Context(employee=as_typed(employee))


@contextmanager
def receipt_in(
    path: Path | None,
) -> Iterator[Callable[[Decision | Act], AbstractContextManager[None]]]:
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
        def keep(decision: Decision | Act) -> Iterator[None]:
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
def report_errors(*, as_json: bool) -> Iterator[Run]:
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
        if run.request_id is not None and code is ExitCode.USAGE and not _is_local_error(error):
            code, error = ExitCode.LATER, UnfinishedError(str(error), request_id=run.request_id)
        print_error(error, as_json=as_json)
        raise typer.Exit(code) from None
    except (typer.Abort, KeyboardInterrupt):  # typer's own exit code would read as "no"
        _report_interruption(run, translate("interrupted"), as_json=as_json)
    except (typer.Exit, typer.BadParameter):
        raise
    except Exception as error:
        if run.request_id is None:
            raise
        place = _source_location(error)
        what = translate("internal error at {place}", place=place)
        _report_interruption(run, what, as_json=as_json)


def _source_location(error: BaseException) -> str:
    """Return the file and line of this program that raised an error, without its message.

    The message of an unexpected error may contain personal data.
    """
    place, trace = translate("an unknown location"), error.__traceback__
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _report_interruption(run: Run, what: str, *, as_json: bool) -> NoReturn:
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


def _is_local_error(error: MakulError) -> bool:
    return isinstance(error, InvalidRequestError | ProfileError | ConsentError)

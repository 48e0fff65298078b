"""`makul`: the root of the command line, and what becomes of errors."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Never

import typer
from typer.core import TyperGroup
from typer.main import get_command

from makul.app.ports import CommitUnknownError, DeskError, NotThisDutyError, StoreUnavailableError
from makul.cli import (
    agreement,
    disclosure,
    document,
    init,
    key,
    ledger,
    notice,
    person,
    recipient,
    running,
    signatory,
    store,
    trust,
)
from makul.cli.house import ExitCode, HouseError, Runtime
from makul.cli.output import complain
from makul.cli.session import Session
from makul.net.files import FileError

_ABOUT = (
    "Gives data from the national biometric database to those entitled to them, and to nobody"
    " else.\n\nA command that changes something only says what it would do, until it is given"
    " --apply."
)

_EXIT_CODES = (
    "Exit codes: 0 done · 1 refused or failed · 2 not understood · 3 store, keys or settings"
    " unavailable"
)


class _Root(TyperGroup):
    """Turns what can be mended into one line on stderr and an exit code; never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except HouseError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except FileError as error:
            complain(str(error))
            raise typer.Exit(ExitCode.REFUSED) from None
        except OSError as error:
            if error.filename is None:
                raise  # of our own making; a broken pipe is typer's
            complain(f"{error.filename}: {error.strerror}. Check the path and who may use it.")
            raise typer.Exit(ExitCode.REFUSED) from None
        except DeskError as error:
            complain(f"{error}; nothing was changed")
            raise typer.Exit(ExitCode.REFUSED) from None
        except NotThisDutyError as error:
            complain(f"{error}; nothing was changed")
            raise typer.Exit(ExitCode.REFUSED) from None
        except CommitUnknownError:
            complain(
                "the record store was lost while it committed: look whether it was done before you"
                " give the command again"
            )
            raise typer.Exit(ExitCode.UNAVAILABLE) from None
        except StoreUnavailableError:
            complain("the record store cannot be reached; nothing was changed. Try again later")
            raise typer.Exit(ExitCode.UNAVAILABLE) from None


def build(runtime: Runtime) -> typer.Typer:
    """The command line, over a house that `runtime` opens."""
    app = typer.Typer(
        cls=_Root,
        help=_ABOUT,
        epilog=_EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root(
        ctx: typer.Context,
        config: Annotated[
            Path,
            typer.Option(
                envvar="MAKUL_CONFIG", help="The settings of the installation.", dir_okay=False
            ),
        ] = Path("makul.toml"),
    ) -> None:
        ctx.obj = Session(runtime=runtime, config=config)

    nouns = (
        recipient,
        signatory,
        agreement,
        notice,
        person,
        disclosure,
        document,
        key,
        trust,
        store,
        ledger,
    )
    for noun in nouns:
        app.add_typer(noun.app, name=noun.__name__.rpartition(".")[2])
    init.add_to(app)
    running.add_to(app)
    return app


def run(runtime: Runtime, arguments: Sequence[str] | None = None) -> Never:
    """Run one command and leave with its exit code."""
    sys.excepthook = _say_where
    command = get_command(build(runtime))
    command.main(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="makul")
    raise SystemExit(ExitCode.DONE)


def _say_where(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An error of our own: its kind and place. Its message is not shown: it could name somebody."""
    del error
    place = "unknown"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    complain(f"internal error {kind.__name__} at {place}; please report this line")

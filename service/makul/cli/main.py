"""`makul`: the root of the command line, and what becomes of errors."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Never

import typer
from typer.main import get_command

from makul.cli.late_commands import LateCommand, late_noun, late_verb
from makul.cli.usage import MachineReadableGroup, show_version

if TYPE_CHECKING:
    from makul.admin.models import Runtime

_ABOUT = (
    "Gives data from the national biometric database to those entitled to them, and to nobody"
    " else.\n\nA command that changes something only says what it would do, until it is given"
    " --apply."
)

_EXIT_CODES = (
    "Exit codes: 0 done · 1 refused or failed · 2 not understood · 3 store, keys or settings"
    " unavailable"
)


class _Root(MachineReadableGroup):
    """Turns what can be mended into one line on stderr, or JSON, and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {str(command.name): command for command in _commands()}

    def invoke(self, ctx: Any) -> Any:
        from makul.admin.models import ExitCode, OperatorError
        from makul.app.ports import (
            CommitUnknownError,
            DeskError,
            NotThisDutyError,
            StoreUnavailableError,
        )
        from makul.net.files import FileError

        try:
            return super().invoke(ctx)
        except OperatorError as error:
            self.fail("OperatorError", str(error), error.exit_code)
        except FileError as error:
            self.fail("FileError", str(error), ExitCode.REFUSED)
        except OSError as error:
            if error.filename is None:
                raise  # of our own making; a broken pipe is typer's
            message = f"{error.filename}: {error.strerror}. Check the path and who may use it."
            self.fail("FileError", message, ExitCode.REFUSED)
        except DeskError as error:
            self.fail("DeskError", f"{error}; nothing was changed", ExitCode.REFUSED)
        except NotThisDutyError as error:
            self.fail("NotThisDutyError", f"{error}; nothing was changed", ExitCode.REFUSED)
        except CommitUnknownError:
            self.fail(
                "CommitUnknownError",
                "the record store was lost while it committed: look whether it was done before you"
                " give the command again",
                ExitCode.UNAVAILABLE,
            )
        except StoreUnavailableError:
            self.fail(
                "StoreUnavailableError",
                "the record store cannot be reached; nothing was changed. Try again later",
                ExitCode.UNAVAILABLE,
            )


def build(runtime: "Runtime") -> typer.Typer:
    """The command line, over a house that `runtime` opens."""
    app = typer.Typer(
        cls=_Root,
        help=_ABOUT,
        epilog=_EXIT_CODES,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root(
        ctx: typer.Context,
        *,
        config: Annotated[
            Path,
            typer.Option(
                envvar="MAKUL_CONFIG", help="The settings of the installation.", dir_okay=False
            ),
        ] = Path("makul.toml"),
        version: Annotated[
            bool,
            typer.Option(
                "--version", help="Print the version.", is_eager=True, callback=show_version
            ),
        ] = False,
    ) -> None:
        del version
        from makul.cli.context import Session

        ctx.obj = Session(runtime=runtime, config=config)

    return app


def _commands() -> tuple[LateCommand, ...]:
    """Every command, with the first line of its help; a test holds these to the commands' own."""
    return (
        late_verb(
            "init",
            "Make a new installation: settings, keys, an empty database. Never touches an existing"
            " one.",
            "init",
        ),
        late_verb(
            "serve",
            "Run the service until it is stopped: each listener in processes of its own.",
            "serve",
        ),
        late_verb(
            "metrics",
            "Tell Prometheus the numbers of listeners that run, each alone, by `serve --listener`.",
            "serve",
        ),
        late_noun(
            "sandbox",
            "Run a service of synthetic citizens, for any SOAP stack to talk to. Nobody in it is"
            " real.",
        ),
        late_verb(
            "demo",
            "Start a sandbox and play the main job over SOAP: what is given, what refused, and"
            " why.",
            "serve",
        ),
        late_noun("recipient", "Who may ask (Procedure, cl. 3)."),
        late_noun("signatory", "Who signs agreements and approvals for a party (cl. 4, 7)."),
        late_noun("agreement", "On what terms (Procedure, cl. 7)."),
        late_noun("notice", "What subjects are told before they consent (cl. 4)."),
        late_noun(
            "ground", "Consents and basis statements, revoked by the operator (cl. 4 and 5)."
        ),
        late_noun("person", "The register of citizens."),
        late_noun("disclosure", "What was decided and what left (cl. 10 and 11)."),
        late_noun("document", "Signed documents, verified offline."),
        late_noun("key", "What signs, seals and is trusted, and until when."),
        late_noun("trust", "What is trusted, and how fresh revocation data are."),
        late_noun(
            "store", "The database: its version, its months, and the rights of each duty's role."
        ),
        late_noun("ledger", "The log over all decisions and acts, which nobody can rewrite."),
    )


def run(runtime: "Runtime", arguments: Sequence[str] | None = None) -> Never:
    """Run one command and leave with its exit code."""
    sys.excepthook = _say_where
    command = get_command(build(runtime))
    command.main(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="makul")
    raise SystemExit(0)


def _say_where(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An error of our own: its kind and place. Its message is not shown: it could name somebody."""
    del error
    place = "unknown"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    from makul.cli.output import complain

    complain(f"internal error {kind.__name__} at {place}; please report this line")

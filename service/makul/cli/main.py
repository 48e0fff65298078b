"""The root of the command line `makul`, and the translation of errors into exit codes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Never

import typer
from typer.main import get_command

from makul.cli.late_commands import LateCommand, late_noun, late_verb
from makul.cli.usage import MachineReadableGroup, show_version
from makul.language.translation import Language, translate, translate_cause
from makul_language.language_choice import LANGUAGE_VARIABLE

if TYPE_CHECKING:
    from makul.admin.runtime import Runtime

_ABOUT = (
    "Release data from the national biometric database only to those entitled to them.\n\nA"
    " command that changes data only shows a preview. Give --apply to carry out the change."
)

_EXIT_CODES = (
    "Exit codes: 0 done · 1 refused or failed · 2 not understood · 3 store, keys or settings"
    " unavailable"
)


class _Root(MachineReadableGroup):
    """The root command. Reports an expected error in one line or as JSON, with an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {str(command.name): command for command in _list_commands()}

    def invoke(self, ctx: Any) -> Any:
        from makul.admin.errors import OperatorError
        from makul.app.ports import (
            CommitUnknownError,
            NotThisDutyError,
            OperatorRegistryError,
            StoreUnavailableError,
        )
        from makul.cli.exit_codes import ExitCode, exit_code_for
        from makul.net.files import FileError

        try:
            return super().invoke(ctx)
        except OperatorError as error:
            self.fail("OperatorError", str(error), exit_code_for(error))
        except FileError as error:
            self.fail("FileError", str(error), ExitCode.REFUSED)
        except OSError as error:
            if error.filename is None:
                raise  # not an operator's error: a bug, or a broken pipe that typer handles
            message = translate(
                "{path}: {cause}. Check the path and who may use it.",
                path=error.filename,
                cause=translate_cause(error.strerror),
            )
            self.fail("FileError", message, ExitCode.REFUSED)
        except OperatorRegistryError as error:
            self.fail("OperatorRegistryError", _describe_unchanged(error), ExitCode.REFUSED)
        except NotThisDutyError as error:
            self.fail("NotThisDutyError", _describe_unchanged(error), ExitCode.REFUSED)
        except CommitUnknownError:
            self.fail(
                "CommitUnknownError",
                translate(
                    "the record store was lost while it committed: check whether it was done"
                    " before you give the command again",
                ),
                ExitCode.UNAVAILABLE,
            )
        except StoreUnavailableError:
            self.fail(
                "StoreUnavailableError",
                translate(
                    "the record store cannot be reached; nothing was changed. Try again later"
                ),
                ExitCode.UNAVAILABLE,
            )


def _describe_unchanged(error: Exception) -> str:
    return translate("{problem}; nothing was changed", problem=error)


def build(runtime: "Runtime") -> typer.Typer:
    """Build the command line over the installation that `runtime` opens."""
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
        language: Annotated[
            Language | None,
            typer.Option(
                envvar=LANGUAGE_VARIABLE,
                help="The language of messages and help; default: the settings', or the locale's.",
            ),
        ] = None,
        version: Annotated[
            bool,
            typer.Option(
                "--version", help="Print the version.", is_eager=True, callback=show_version
            ),
        ] = False,
    ) -> None:
        del language, version  # `MachineReadableGroup` has chosen the language already
        from makul.cli.context import Session

        ctx.obj = Session(runtime=runtime, config=config)

    return app


def _list_commands() -> tuple[LateCommand, ...]:
    """Return every command with the first line of its help.

    A test compares these lines with the help of the commands.
    """
    return (*_list_programs(), *_list_nouns(), *_list_secrecy())


def _list_programs() -> tuple[LateCommand, ...]:
    """Return the commands that create or run something."""
    return (
        late_verb(
            "init",
            "Create a new installation: settings, keys and an empty database.",
            "init",
        ),
        late_verb(
            "serve",
            "Run the service until it is stopped. Each listener runs in processes of its own.",
            "serve",
        ),
        late_verb(
            "metrics",
            "Serve Prometheus metrics for listeners that were started with `serve --listener`.",
            "serve",
        ),
        late_noun(
            "sandbox",
            "Run a service with synthetic citizens to test any SOAP stack. No citizen in it is"
            " real.",
        ),
        late_verb(
            "demo",
            "Start a sandbox and run the demo over SOAP: what is released, what is refused, and"
            " why.",
            "serve",
        ),
    )


def _list_secrecy() -> tuple[LateCommand, ...]:
    """Return the commands on what recipients report and erase (Procedure, cl. 15)."""
    return (
        late_noun("incident", "Show incidents that recipients reported (cl. 15)."),
        late_noun("deletion", "Show data that recipients must erase (cl. 15)."),
    )


def _list_nouns() -> tuple[LateCommand, ...]:
    """Return the commands on what an installation holds."""
    return (
        late_noun(
            "recipient",
            "Manage recipients, their certificates and their officials (Procedure, cl. 3).",
        ),
        late_noun("officer", "Manage the officers of the supervising bodies (cl. 11, 12)."),
        late_noun("signatory", "Manage the signatories of agreements and approvals (cl. 4, 7)."),
        late_noun(
            "agreement", "Manage agreements: the terms for each recipient (Procedure, cl. 7)."
        ),
        late_noun("notice", "Manage the notices that subjects read before they consent (cl. 4)."),
        late_noun("notification", "Send notifications to subjects, and list them (cl. 4)."),
        late_noun("ground", "Show and revoke consents and basis statements (cl. 4 and 5)."),
        late_noun("person", "Import, show and change records in the register of citizens."),
        late_noun(
            "correction",
            "Examine reports of wrong data, and correct the register (Procedure, cl. 14).",
        ),
        late_noun("disclosure", "List, show, count and export decisions (cl. 10 and 11)."),
        late_noun("case", "Build and verify the evidence files of cases (cl. 12)."),
        late_noun(
            "month",
            "Build, show and verify the signed monthly statements, and report them (cl. 11).",
        ),
        late_noun("document", "Verify signed documents offline."),
        late_noun("key", "Show keys and certificates in use, and rotate the store's master key."),
        late_verb(
            "expiring",
            "List what ends soon: agreements, certificates, keys and CRLs. What is overdue comes"
            " first.",
            "expiry",
        ),
        late_noun("trust", "Refresh revocation data, and show what is trusted."),
        late_noun(
            "store",
            "Manage the database: its version, monthly partitions, and the rights of each duty.",
        ),
        late_verb(
            "backup", "Copy the store while the service runs. No copy contains a key.", "backup"
        ),
        late_verb(
            "restore",
            "Restore a copy of the store into an empty place, or prove it with --check.",
            "restore",
        ),
        late_noun("ledger", "Run, verify and export the ledger of all decisions and acts."),
    )


def run(runtime: "Runtime", arguments: Sequence[str] | None = None) -> Never:
    """Run one command and exit with its exit code."""
    sys.excepthook = _say_where
    command = get_command(build(runtime))
    command.main(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="makul")
    raise SystemExit(0)


def _say_where(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Report an internal error by its type and source line.

    The message is omitted, because it may name a person.
    """
    del error
    place = "unknown"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    from makul.cli.output import complain

    complain(f"internal error {kind.__name__} at {place}; please report this line")

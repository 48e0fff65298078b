"""The command line `makul-oversight`: the service for the officers of the supervising bodies."""

import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar, Final

import typer

from makul_client.cli.exit_codes import EXIT_CODES
from makul_client.cli.language_choice import read_language
from makul_client.cli.output_files import use_utf8
from makul_client.cli.oversight.act_commands import act_app
from makul_client.cli.oversight.profile_form import commands
from makul_client.cli.oversight.receipt_check import receipt_app
from makul_client.cli.oversight.session import PROFILE_OPTIONS, PROFILE_VARIABLE
from makul_client.cli.oversight.statistics import statistics_app
from makul_client.cli.program import OVERSIGHT_PROGRAM
from makul_client.cli.usage import MachineReadableGroup, exit_on_signal, show_version
from makul_client.translation import Language
from makul_language.language_choice import LANGUAGE_VARIABLE, LanguageChoice

INTRODUCTION: Final = """\
Act for a body that supervises the national biometric database (Procedure, cl. 11 and 12).

\b
First steps:
  makul-oversight init inspector.toml
  export MAKUL_OFFICER_PROFILE=inspector.toml
  makul-oversight statistics 2026-10
  makul-oversight cut-off COM/60000001 --justification 'Data without consent, report 14'

The profile defines who you are, how you connect and whom you trust. Every answer is proved by the
operator's receipt before it is shown. An act that takes a right away is shown first, and it is sent
only after you confirm it or with --apply.
"""


class OversightGroup(MachineReadableGroup):
    """The root command of the officers' program."""

    program: ClassVar[str] = OVERSIGHT_PROGRAM
    language_choice: ClassVar[LanguageChoice] = LanguageChoice(
        options=PROFILE_OPTIONS,
        variable=PROFILE_VARIABLE,
        read_language=read_language,
        options_precede_command=True,
    )


app = typer.Typer(
    name=OVERSIGHT_PROGRAM,
    cls=OversightGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
    help=INTRODUCTION,
)
app.add_typer(act_app)
app.add_typer(statistics_app)
app.registered_commands.extend(commands.registered_commands)
app.add_typer(receipt_app, name="receipt")


@app.callback()
def root(
    ctx: typer.Context,
    *,
    profile: Annotated[
        Path | None,
        typer.Option(*PROFILE_OPTIONS, envvar=PROFILE_VARIABLE, help="The officer's TOML profile."),
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option(
            envvar=LANGUAGE_VARIABLE,
            help="The language of messages and help; default: the locale's.",
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=show_version),
    ] = False,
) -> None:
    """Accept the options that precede a command."""
    del language, version  # `MachineReadableGroup` has chosen the language before it parses
    ctx.obj = profile


def main() -> None:
    """Run the command line."""
    use_utf8()
    with suppress(ValueError):  # Python allows signal handlers only in the main thread
        signal.signal(signal.SIGTERM, exit_on_signal)
    app()

"""The command line `makul-oversight`: the service for the officers of the supervising bodies."""

from pathlib import Path
from typing import Annotated, ClassVar, Final

import typer

from makul_client.cli.exit_codes import OFFICER_EXIT_CODES
from makul_client.cli.language_choice import read_language
from makul_client.cli.oversight.act_commands import act_app
from makul_client.cli.oversight.agreement_commands import agreement_app, notice_app
from makul_client.cli.oversight.case_commands import case_app
from makul_client.cli.oversight.correction_commands import correction_app
from makul_client.cli.oversight.disclosures import disclosures_app
from makul_client.cli.oversight.month_commands import month_app
from makul_client.cli.oversight.profile_form import commands
from makul_client.cli.oversight.receipt_check import receipt_app
from makul_client.cli.oversight.session import PROFILE_OPTIONS, PROFILE_VARIABLE
from makul_client.cli.oversight.statistics import statistics_app
from makul_client.cli.program import OVERSIGHT_PROGRAM
from makul_client.cli.usage import (
    LanguageOption,
    MachineReadableGroup,
    VersionOption,
    new_program,
    run_program,
)
from makul_language.language_choice import LanguageChoice

INTRODUCTION: Final = """\
Act for a body that supervises the national biometric database (Procedure, cl. 11 and 12).

\b
First steps:
  makul-oversight init inspector.toml
  export MAKUL_OFFICER_PROFILE=inspector.toml
  makul-oversight statistics 2026-10
  makul-oversight month list 2026-10
  makul-oversight case list
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


app = new_program(OversightGroup, introduction=INTRODUCTION, exit_codes=OFFICER_EXIT_CODES)
app.add_typer(act_app)
app.add_typer(statistics_app)
app.add_typer(disclosures_app)
app.registered_commands.extend(commands.registered_commands)
app.add_typer(month_app, name="month")
app.add_typer(agreement_app, name="agreement")
app.add_typer(notice_app, name="notice")
app.add_typer(case_app, name="case")
app.add_typer(correction_app, name="correction")
app.add_typer(receipt_app, name="receipt")


@app.callback()
def root(
    ctx: typer.Context,
    *,
    profile: Annotated[
        Path | None,
        typer.Option(*PROFILE_OPTIONS, envvar=PROFILE_VARIABLE, help="The officer's TOML profile."),
    ] = None,
    language: LanguageOption = None,
    version: VersionOption = False,
) -> None:
    """Accept the options that precede a command."""
    del language, version  # `MachineReadableGroup` has chosen the language before it parses
    ctx.obj = profile


def main() -> None:
    """Run the command line."""
    run_program(app)

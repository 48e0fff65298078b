"""The command line `makul-client`: the service for a recipient's staff and scripts."""

import signal
from contextlib import suppress
from typing import Annotated, Final

import typer

from makul_client.cli.consent import consent_app
from makul_client.cli.exit_codes import EXIT_CODES
from makul_client.cli.month import month_app
from makul_client.cli.output_files import use_utf8
from makul_client.cli.receipt import receipt_app
from makul_client.cli.request import request_app
from makul_client.cli.service import service_app
from makul_client.cli.usage import MachineReadableGroup, exit_on_signal, show_version
from makul_client.translation import Language
from makul_language.language_choice import LANGUAGE_VARIABLE

INTRODUCTION: Final = """\
Ask for data from the national biometric database, as your agreement allows.

\b
First steps:
  export MAKUL_PROFILE=bank.toml
  makul-client status
  makul-client agreement
  makul-client consent draft -a surname --until 2027-11-01 --out draft.xml
  makul-client consent attach draft.xml signed-by-citizen.xml --out consent.xml
  makul-client explain --consent consent.xml
  makul-client get --consent consent.xml --document-number ID0000001 --receipt receipt.xml
  makul-client month 2026-10

The profile defines who you are, how you connect and whom you trust; no code is edited. Only `get`
prints personal data, on standard output. They are never logged.
"""

app = typer.Typer(
    name="makul-client",
    cls=MachineReadableGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a traceback would show a person's data
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
    help=INTRODUCTION,
)
app.add_typer(request_app)
app.add_typer(service_app)
app.add_typer(month_app)
app.add_typer(consent_app, name="consent")
app.add_typer(receipt_app, name="receipt")


@app.callback()
def root(
    *,
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


def main() -> None:
    """Run the command line."""
    use_utf8()
    with suppress(ValueError):  # Python allows signal handlers only in the main thread
        signal.signal(signal.SIGTERM, exit_on_signal)
    app()

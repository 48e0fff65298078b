"""The command line `makul-client`: the service for a recipient's staff and scripts."""

from typing import Final

from makul_client.cli.consent import consent_app
from makul_client.cli.correction import correction_app
from makul_client.cli.deletion import deletion_app
from makul_client.cli.exit_codes import EXIT_CODES
from makul_client.cli.incident import incident_app
from makul_client.cli.month import month_app
from makul_client.cli.receipt import receipt_app
from makul_client.cli.request import request_app
from makul_client.cli.service import service_app
from makul_client.cli.undertaking import undertaking_app
from makul_client.cli.usage import (
    LanguageOption,
    MachineReadableGroup,
    VersionOption,
    new_program,
    run_program,
)

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

app = new_program(MachineReadableGroup, introduction=INTRODUCTION, exit_codes=EXIT_CODES)
app.add_typer(request_app)
app.add_typer(service_app)
app.add_typer(month_app)
app.add_typer(consent_app, name="consent")
app.add_typer(correction_app, name="correction")
app.add_typer(receipt_app, name="receipt")
app.add_typer(undertaking_app, name="undertaking")
app.add_typer(incident_app, name="incident")
app.add_typer(deletion_app, name="deletion")


@app.callback()
def root(
    *,
    language: LanguageOption = None,
    version: VersionOption = False,
) -> None:
    """Accept the options that precede a command."""
    del language, version  # `MachineReadableGroup` has chosen the language before it parses


def main() -> None:
    """Run the command line."""
    run_program(app)

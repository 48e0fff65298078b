"""`makul ledger`: the log of all decisions, and who follows it."""

import typer

from makul.cli import witness

app = typer.Typer(no_args_is_help=True, help="The log of all decisions, and who follows it.")
witness.add_to(app)

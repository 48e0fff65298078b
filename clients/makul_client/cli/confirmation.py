"""The confirmation of an act before it is sent, the same in each program.

Without --apply an act is shown and not sent. At a terminal the person may then type what it is
about. A script gives --apply.
"""

from collections.abc import Callable

import typer

from makul_client.cli.exit_codes import ExitCode
from makul_client.cli.output import print_note
from makul_client.cli.prompts import ask, has_terminal
from makul_client.translation import translate


def require_confirmation(
    target: str, show: Callable[[], None], *, apply: bool, as_json: bool
) -> None:
    """Return if `apply` is given, or if the person types `target` after `show` showed the act.

    Otherwise end the run; nothing was sent. Without a terminal the run ends after the preview.
    """
    if apply:
        return
    show()
    if as_json or not has_terminal():
        print_note(translate("Nothing was sent. To do it, give the same command with --apply."))
        raise typer.Exit(ExitCode.OK)
    question = translate("To confirm, type {target}", target=target)
    if ask(question, instead="--apply").strip() != target:
        print_note(translate("Nothing was sent: it was not confirmed."))
        raise typer.Exit(ExitCode.USAGE)

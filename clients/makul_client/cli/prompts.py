"""Questions at a terminal. Without one nothing is asked: an error names the options instead."""

import os
import sys
from typing import Final

import typer

PIN_VARIABLE: Final = "MAKUL_PIN"


def has_terminal() -> bool:
    """Return whether a person can answer: standard input is a terminal."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed
        return False


def ask_pin(question: str) -> str:
    """Return the PIN that `MAKUL_PIN` holds, else what is typed, unseen.

    Other users of the machine see options of a process, and not its environment. Raises
    `typer.BadParameter` where neither is there.
    """
    if given := os.environ.get(PIN_VARIABLE):
        return given
    _require_terminal(f"the PIN by the variable {PIN_VARIABLE}, or by --pin")
    answer: str = typer.prompt(question, hide_input=True, err=True)
    return answer


def ask(question: str, *, instead: str) -> str:
    """Return what is typed; empty where nothing is. `instead`: the options that say it.

    Raises `typer.BadParameter` without a terminal.
    """
    _require_terminal(instead)
    answer: str = typer.prompt(question, default="", show_default=False, err=True)
    return answer


def _require_terminal(instead: str) -> None:
    if not has_terminal():
        raise typer.BadParameter(f"there is no terminal to ask at: give {instead}")

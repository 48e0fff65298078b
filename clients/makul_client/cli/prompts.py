"""Prompts at a terminal. Without a terminal, an error names the options to use instead."""

import os
import sys
from typing import Final

import typer

from makul_client.translation import translate

PIN_VARIABLE: Final = "MAKUL_PIN"


def has_terminal() -> bool:
    """Return whether a person can answer, because standard input is a terminal."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # standard input is closed
        return False


def ask_pin(question: str) -> str:
    """Return the PIN from `MAKUL_PIN`, or from a prompt that does not show it.

    Other users of the machine can see the options of a process, but not its environment. Raises
    `typer.BadParameter` if there is neither the variable nor a terminal.
    """
    if value := os.environ.get(PIN_VARIABLE):
        return value
    _require_terminal(
        translate("the PIN by the variable {variable}, or by --pin", variable=PIN_VARIABLE)
    )
    answer: str = typer.prompt(question, hide_input=True, err=True)
    return answer


def ask(question: str, *, instead: str) -> str:
    """Return the answer to a prompt, possibly empty. `instead` names the options that replace it.

    Raises `typer.BadParameter` without a terminal.
    """
    _require_terminal(instead)
    answer: str = typer.prompt(question, default="", show_default=False, err=True)
    return answer


def _require_terminal(instead: str) -> None:
    if not has_terminal():
        raise typer.BadParameter(
            translate("there is no terminal for a prompt: give {instead}", instead=instead)
        )

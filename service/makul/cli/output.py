"""How commands answer: a table or JSON on stdout, hints and errors in one line on stderr."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

Value = str | int | bool | list[str] | None
Facts = Mapping[str, Value]

_HINT = "Nothing was changed. To do it, give the same command with --apply."


def complain(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"makul: {_one_line(message)}\n")


def instant(at: datetime | None) -> str | None:
    """An instant as this command line writes it: UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


def show_rows(rows: Sequence[Facts], *, columns: Sequence[str], as_json: bool, empty: str) -> None:
    """Many things of a kind. JSON is a list of objects; columns are its keys."""
    if as_json:
        show_json([dict(row) for row in rows])
        return
    if not rows:
        typer.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_readable(row[column])) for column in columns))
    _console().print(table)


def show_facts(facts: Facts, *, as_json: bool) -> None:
    """One thing. JSON is one object."""
    if as_json:
        show_json(dict(facts))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name.replace("_", " ")), Text(_readable(value)))
    _console().print(table)


def carry_out(
    change: str, facts: Facts, act: Callable[[], None], *, apply: bool, as_json: bool
) -> None:
    """Do a change, or only say what it would be.

    JSON is the facts beside `change` (what it is) and `applied` (whether it was done).
    """
    if apply:
        act()
    if as_json:
        show_json({"change": change, "applied": apply, **facts})
        return
    typer.echo(f"{'Done' if apply else 'Would do'}: {change}")
    show_facts(facts, as_json=False)
    if not apply:
        sys.stderr.write(f"{_HINT}\n")


def progress_bar() -> Progress:
    """On stderr, and only where somebody watches."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _console() -> Console:
    """Of the present stdout; wide where it is not a terminal, so that no line is cut for a pipe."""
    width = None if sys.stdout.isatty() else 200
    return Console(file=sys.stdout, width=width, highlight=False, markup=False)


def show_json(value: object) -> None:
    """Any value, as JSON for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _readable(value: Value) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value) or "–"
    return _one_line(str(value))


def _one_line(text: str) -> str:
    """Nothing that a terminal would obey: control characters become spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

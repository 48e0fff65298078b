"""The output of commands: a table or JSON on stdout, hints and errors on one line of stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Self

import typer
from rich.cells import cell_len
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

from makul.cli.labels import translate_label
from makul.language.translation import translate

Value = str | int | bool | list[str] | None
Facts = Mapping[str, Value]

_COLUMN_GAP = 2


def complain(message: str) -> None:
    """Print a message on one line of stderr."""
    sys.stderr.write(f"makul: {_one_line(message)}\n")


def show_error(kind: str, message: str, exit_code: int) -> None:
    """Print one error as JSON on stdout, instead of a result."""
    error = {"kind": kind, "message": _one_line(message), "exit_code": int(exit_code)}
    show_json({"error": error})


class TwoForms(str):
    """A value in two forms: the string itself for programs, and another form for people."""

    for_people: str
    """The form that a table shows."""

    __slots__ = ("for_people",)

    def __new__(cls, for_programs: str, for_people: str) -> Self:
        """Return the form for programs, which holds the form for people."""
        value = super().__new__(cls, for_programs)
        value.for_people = for_people
        return value


def translated_word(word: str) -> TwoForms:
    """Return a word: English for programs, in the language in use for people."""
    return TwoForms(word, translate(word))


def instant(at: datetime | None) -> TwoForms | None:
    """Return an instant to the second: UTC for programs, the operator's time zone for people."""
    if at is None:
        return None
    return TwoForms(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), local_time(at))


def local_time(at: datetime) -> str:
    """Return an instant in the time zone of this process (`TZ`), with its offset.

    Options such as `--existed-at` accept the printed form.
    """
    try:
        local = at.astimezone()
    except (OverflowError, OSError, ValueError):  # near the years 1 and 9999
        local = at.astimezone(UTC)
    return local.isoformat(sep=" ", timespec="seconds")


def show_rows(rows: Sequence[Facts], *, columns: Sequence[str], as_json: bool, empty: str) -> None:
    """Show several objects of one kind. JSON is a list of objects whose keys are the columns."""
    if as_json:
        show_json([dict(row) for row in rows])
        return
    if not rows:
        typer.echo(empty)
        return
    lines = [[_readable(row[column]) for column in columns] for row in rows]
    titles = [translate_label(column) for column in columns]
    console = _console()
    widths = _fit_columns([titles, *lines], console.width)
    if widths is None:
        for number, line in enumerate(lines):
            if number:
                console.print()
            _print_pairs(console, zip(titles, line, strict=True))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, width in zip(titles, widths, strict=True):
        table.add_column(title, overflow="fold", width=width)
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def _fit_columns(lines: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return the width of each column, or None if a word would have to be cut.

    A person copies ids and digests from the screen, so none is cut to make a table fit.
    """
    columns = list(zip(*lines, strict=True))
    words = [[word for cell in column for word in cell.split()] for column in columns]
    least = [max(map(cell_len, column), default=0) for column in words]
    room = width - _COLUMN_GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    widths = [min(room, max(map(cell_len, column))) for column in columns]
    while sum(widths) > room:
        shrinking = [each for each, at_least in enumerate(least) if widths[each] > at_least]
        widths[max(shrinking, key=lambda each: widths[each])] -= 1
    return widths


def show_facts(facts: Facts, *, as_json: bool) -> None:
    """Show one object. JSON is one object."""
    if as_json:
        show_json(dict(facts))
        return
    pairs = ((translate_label(name), _readable(value)) for name, value in facts.items())
    _print_pairs(_console(), pairs)


def _print_pairs(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(name), Text(value))
    console.print(table)


def progress_bar() -> Progress:
    """Return a progress bar on stderr, which is shown only on a terminal."""
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
    """Return a console for the present stdout.

    Its width is that of the terminal or of `COLUMNS`, otherwise 80 columns.
    """
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def show_json(value: object) -> None:
    """Print a value as JSON for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _readable(value: Value) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return translate("yes") if value else translate("no")
        case list():
            return ", ".join(map(_readable, value)) or "–"
        case TwoForms():
            return _one_line(value.for_people)
    return _one_line(str(value))


def _one_line(text: str) -> str:
    """Replace control characters with spaces, so that a terminal obeys none."""
    return "".join(letter if letter.isprintable() else " " for letter in text)

"""The options that the commands share, and the reading of their values."""

import os
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from makul_client.cli.exit_codes import EXIT_CODES, OFFICER_EXIT_CODES
from makul_client.translation import translate


def examples(*commands: str, more: str = "", codes: str = EXIT_CODES) -> str:
    """Return the text below a command's options: examples, then the exit codes."""
    lines = "\n".join(f"  {command}" for command in commands)
    return f"\b\nExamples:\n{lines}\n\n{more}\n{codes}"


def officer_examples(*commands: str) -> str:
    """Return the text below a command of the officers' program."""
    return examples(*commands, codes=OFFICER_EXIT_CODES)


ProfileFile = Annotated[
    Path,
    typer.Option("--profile", "-p", envvar="MAKUL_PROFILE", help="The recipient's TOML profile."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors included.")]
Apply = Annotated[
    bool,
    typer.Option("--apply", help="Send the act without a question. Otherwise it is shown first."),
]
Employee = Annotated[
    str | None,
    typer.Option(envvar="MAKUL_EMPLOYEE", help="The employee who asks (Procedure, cl. 16)."),
]
Case = Annotated[str | None, typer.Option(help="The number of the case in your own records.")]
RequestId = Annotated[
    UUID | None, typer.Option(help="Repeat the request with this id; change nothing else.")
]
Purpose = Annotated[str | None, typer.Option(help="A purpose other than the profile's.")]
ConsentFile = Annotated[Path | None, typer.Option("--consent", help="A signed consent (cl. 4).")]
ConsentUuid = Annotated[UUID | None, typer.Option("--consent-id", help="A registered consent.")]
BasisFile = Annotated[
    Path | None, typer.Option("--basis", help="A signed basis statement (cl. 5).")
]
Pin = Annotated[
    str | None,
    typer.Option(
        help=(
            "The PIN. Prefer to omit it: it is read from the consent or MAKUL_PIN, or prompted for."
        )
    ),
]
DocumentNumber = Annotated[
    str | None,
    typer.Option(help="The number of the identity document; prompted for if no name is given."),
]
Surname = Annotated[
    str | None, typer.Option(help="As in the identity document; never from the consent.")
]
GivenName = Annotated[
    str | None, typer.Option(help="As in the identity document; never from the consent.")
]
Patronymic = Annotated[str | None, typer.Option(help="As in the identity document.")]
Face = Annotated[Path | None, typer.Option(help="A picture of the face: .jpg or .png.")]
Finger = Annotated[
    list[str] | None,
    typer.Option(help="POSITION=FILE, position 1 (right thumb) to 10; .wsq, .png, .iso or .ansi."),
]
ReceiptOut = Annotated[Path | None, typer.Option("--receipt", help="The new file for the receipt.")]

OnDay = Annotated[str, typer.Option("--on", help="The day, in the time of Bishkek: 2026-11-30.")]

MIN_YEAR, MAX_YEAR = 1900, 9000
"""The accepted years. `datetime` has years 1 to 9999, and near its ends UTC cannot be computed."""


def as_typed(text: str | None) -> str | None:
    """Return a command-line argument as text in UTF-8.

    An ASCII locale splits it into single bytes.
    """
    if text is None:
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        with suppress(UnicodeError):
            return os.fsencode(text).decode()
    return text


def instant(text: str, option: str) -> datetime:
    """Return the instant that a text in ISO 8601 names.

    A date without a time is midnight in Bishkek (UTC+6). Raises `typer.BadParameter` if the text is
    neither a date nor an instant with an offset, or if its year is out of range.
    """
    try:
        if len(text) == len("2026-11-01"):
            text = f"{date.fromisoformat(text)}T00:00:00+06:00"
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            translate("{option}: a date, or an instant with its offset", option=option)
        ) from None
    if at.utcoffset() is None:
        raise typer.BadParameter(
            translate("{option}: an instant needs its offset, as +06:00", option=option)
        )
    if not MIN_YEAR <= at.year <= MAX_YEAR:
        raise typer.BadParameter(
            translate(
                "{option}: the year is {first} to {last}",
                option=option,
                first=MIN_YEAR,
                last=MAX_YEAR,
            )
        )
    return at


def day(text: str, option: str) -> date:
    """Return the day that a text names. Raises `typer.BadParameter`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(translate("{option}: a date, 2026-11-30", option=option)) from None

"""The lines that a recipient contests, from options or from a file, and the draft of such a file.

# a comment
7d9a3c1e-0000-4000-8000-000000000001 We did not request this.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID

import typer

from makul_client.cli.options import as_typed
from makul_client.cli.output import read_file
from makul_client.errors import MakulError
from makul_client.models.months import MonthCheck
from makul_client.translation import translate

MAX_CONTESTED: Final = 100
"""The maximum number of receipts in one act, so that the message stays below its limit of 4 MB."""
MAX_LINES: Final = 1000
"""The maximum number of contested lines in one act (recipient.xsd)."""
MAX_FILE: Final = 1024 * 1024

Wishes: TypeAlias = Mapping[UUID, str]
"""The reasons of contested lines, by disclosure id."""


def read_wishes(options: Sequence[str], file: Path | None) -> Wishes:
    """Return the lines to contest. Raises `typer.BadParameter` and `MakulError`."""
    wishes: dict[UUID, str] = {}
    for option in options:
        name, _, reason = (as_typed(option) or "").partition("=")
        line = _parse_id(name)
        if line is None or not reason.strip():
            raise typer.BadParameter(
                translate("--contest: write DISCLOSURE_ID=REASON, with both parts")
            )
        _add(wishes, line, reason)
    if file is not None:
        _read_lines(file, wishes)
    if len(wishes) > MAX_LINES:
        raise MakulError(translate("contest at most {number} lines at once", number=MAX_LINES))
    return wishes


def draft_contest(check: MonthCheck) -> bytes:
    """Return a file of all known differences, to which a person adds the reasons."""
    rows = [
        "# "
        + translate(
            "{month}: write a reason after each id that you contest, and delete the other lines",
            month=check.issued.statement.month,
        )
    ]
    for each in check.differences:
        facts = (each.kind, each.operation, each.outcome, each.decided_at.isoformat())
        rows.append(f"# {' '.join(facts)} {each.request_id} {' '.join(each.fields)}".rstrip())
        rows.append(f"{each.disclosure_id} ")
    return ("\n".join(rows) + "\n").encode()


def _read_lines(file: Path, wishes: dict[UUID, str]) -> None:
    try:
        text = read_file(file, MAX_FILE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MakulError(translate("{file}: it is not UTF-8", file=file)) from None
    for number, row in enumerate(text.splitlines(), start=1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        name, _, reason = row.strip().partition(" ")
        line = _parse_id(name)
        if line is None or not reason.strip():
            raise MakulError(
                translate(
                    "{file}: line {number}: write a disclosure id and a reason",
                    file=file,
                    number=number,
                )
            )
        _add(wishes, line, reason)


def _add(wishes: dict[UUID, str], line: UUID, reason: str) -> None:
    if line in wishes:
        raise MakulError(translate("{line}: it is contested twice", line=line))
    wishes[line] = " ".join(reason.split())


def _parse_id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None

"""The output of results: tables for people, JSON for programs. Only this module prints data."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from makul_client._internal.files import UnreadableFileError, read_bounded
from makul_client.cli.late_commands import late
from makul_client.cli.output_files import write_aside, write_output
from makul_client.cli.program import program_name
from makul_client.errors import MakulError, OutputError
from makul_client.models.reasons import ADVICE, Reason, Retry
from makul_client.models.response import Agreement, Name, Person, Receipt, Rule, Sample
from makul_client.translation import current_language, translate

if TYPE_CHECKING:
    from rich.table import Table

    from makul_client.consent.view import ConsentView
    from makul_client.profile import Party
else:
    ConsentView = late("consent.view", "ConsentView")
    Party = late("profile", "Party")

MAX_READ: Final = 16 * 1024 * 1024
"""The maximum size of a file to send, in bytes.

A scan has at most 10 MiB, every other file less.
"""

_VERDICTS_WITH_TEXT: Final = frozenset({"FAILED", "UNKNOWN"})
"""Verdicts of a rule whose text is printed. The text states what is wrong."""

MAX_NAME_WIDTH: Final = 24
"""The width up to which a table never folds its names, in columns. Longer names may be folded."""


@singledispatch
def plain(value: object) -> object:
    """Return a value as JSON has it.

    Bytes are in base64, instants in ISO 8601, and a person has the names of the wire.
    """
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return value


@plain.register
def _(value: Person) -> object:
    return {name: plain(each) for name, each in value.given()}


@plain.register
def _(value: bytes) -> object:
    return base64.b64encode(value).decode()


@plain.register(UUID)
@plain.register(Decimal)
@plain.register(StrEnum)
def _(value: object) -> object:
    return str(value)


@plain.register
def _(value: date) -> object:
    return value.isoformat()


@plain.register
def _(value: datetime) -> object:
    return value.isoformat() if value.utcoffset() is None else _to_utc(value).isoformat()


@plain.register(Mapping)
def _(value: Mapping[str, object]) -> object:
    return {str(key): plain(each) for key, each in value.items()}


@plain.register(frozenset)
def _(value: frozenset[str]) -> object:
    return sorted(value)


@plain.register(tuple)
@plain.register(list)
def _(value: Iterable[object]) -> object:
    return [plain(each) for each in value]


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    write_output(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def print_line(line: str) -> None:
    """Print one line on standard output."""
    write_output(f"{line}\n")


def print_table(table: Table) -> None:
    """Print a table.

    Rich only renders it. If rich printed on a closed pipe, it would exit with 1, which means "no".
    """
    from rich.console import Console  # noqa: PLC0415 - no help page has a table

    # No markup and no emoji, because text from the service must be shown and not interpreted.
    console = Console(markup=False, emoji=False, highlight=False)
    with console.capture() as drawn:
        console.print(table)
    write_output(drawn.get())


def new_table(*columns: str, **settings: Any) -> Table:
    """Return a table without rows."""
    from rich.table import Table  # noqa: PLC0415 - as above

    return Table(*columns, **settings)


def print_result(value: Any, *lines: str, as_json: bool) -> None:
    """Print the result of a command: the value as JSON for programs, or lines for people."""
    if as_json:
        print_json(value)
        return
    for line in lines:
        print_line(line)


def print_note(line: str) -> None:
    """Print one line on standard error, beside the result."""
    write_aside(f"{line}\n")


def print_error(error: MakulError, *, as_json: bool) -> None:
    """Print an error and what to do about it: lines on standard error, or JSON on standard output.

    If standard output cannot be written to, JSON goes to standard error too.
    """
    if as_json:
        print_error_fields(_error_fields(error))
        return
    print_note(f"{program_name()}: {error}")
    if error.retry is not None:
        print_note(translate(ADVICE[error.retry]))
    if error.request_id is not None:
        repeat = "--request-id" if error.retry is Retry.LATER else translate("request")
        print_note(f"{repeat} {error.request_id}")


def print_error_fields(fields: Mapping[str, Any]) -> None:
    """Print one error as JSON on standard output, or on standard error if that fails."""
    try:
        print_json({"error": fields})
    except OutputError:
        print_note(json.dumps(plain({"error": fields}), ensure_ascii=False))


def _error_fields(error: MakulError) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "message": str(error),
        "request_id": error.request_id,
        "retry": error.retry,
        "retry_after": error.retry_after,
        "reasons": error.reasons,
    }


def print_pairs(title: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Print a table of names and values."""
    table = new_table(title=title, title_justify="left", show_header=False)
    rows = list(pairs)
    # A purpose may have 64 letters. A name of that length would leave no space for its value.
    longest = max((len(name) for name, _ in rows), default=0)
    table.add_column(overflow="fold", min_width=min(longest, MAX_NAME_WIDTH))
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    print_table(table)


def print_person(person: Person) -> None:
    """Print the data released, one attribute in a row."""
    print_pairs(
        translate("Person"), [(name, _format_value(value)) for name, value in person.given()]
    )


def print_reasons(reasons: Iterable[Reason]) -> None:
    """Print the reasons beside an answer: what was omitted, and why."""
    for reason in reasons:
        print_line(reason.describe(current_language()))


def print_rules(rules: Iterable[Rule]) -> None:
    """Print a dry run, rule by rule. A rule that does not block the request shows no text."""
    table = new_table(translate("rule"), translate("cl."), translate("verdict"), "")
    for rule in rules:
        text = rule.texts[current_language()] if rule.verdict in _VERDICTS_WITH_TEXT else ""
        table.add_row(rule.code, rule.clause or "", rule.verdict, text)
    print_table(table)


def print_receipt(receipt: Receipt) -> None:
    """Print the content of a receipt that the operator signed."""
    ground = receipt.ground
    print_pairs(
        translate("Receipt, signed by the operator"),
        [
            (translate("request"), str(receipt.request_id)),
            (translate("disclosure"), str(receipt.receipt_id)),
            (translate("operation"), receipt.operation),
            (translate("outcome"), receipt.outcome),
            (translate("reasons"), ", ".join(reason.code for reason in receipt.reasons)),
            (translate("released"), ", ".join(sorted(receipt.released))),
            (translate("ground"), f"{ground.kind} {ground.id}" if ground else ""),
            (translate("decided at"), local_time(receipt.decided_at)),
            (translate("operator"), receipt.operator),
        ],
    )


def print_agreement(agreement: Agreement) -> None:
    """Print what an agreement allows."""
    quota = (
        translate("none", context="limit")
        if agreement.daily_quota is None
        else str(agreement.daily_quota)
    )
    print_pairs(
        translate("Agreement {number}", number=agreement.number),
        [
            (translate("state"), agreement.state),
            (translate("term"), _term(agreement.valid_from, agreement.valid_to)),
            (translate("purposes"), ", ".join(agreement.purposes)),
            (translate("attributes"), ", ".join(agreement.attributes)),
            (translate("methods"), ", ".join(agreement.methods)),
            (translate("channels"), ", ".join(agreement.channels)),
            (translate("provisions"), ", ".join(agreement.provisions)),
            *(
                (translate("power {purpose}", purpose=each.purpose), ", ".join(each.attributes))
                for each in agreement.powers
            ),
            *(
                (translate("competence {purpose}", purpose=each.purpose), each.citation)
                for each in agreement.competences
            ),
            (translate("quota a day"), quota),
            (translate("delivery"), agreement.delivery),
            *(
                (
                    translate("signed, {role}", role=each.role),
                    f"{each.member_code} {local_time(each.recorded_at)}",
                )
                for each in agreement.signatures
            ),
        ],
    )


def print_consent(view: ConsentView, *, reveal: bool) -> None:
    """Print the parties, the data and the term of a consent.

    The person is masked unless `reveal`.
    """
    subject = view.subject
    names = (subject.surname, subject.given_name, subject.patronymic)
    name = " ".join(each if reveal else each[0] + "." for each in names if each)
    print_pairs(
        translate("Consent, signed") if view.signed else translate("Consent, not signed yet"),
        [
            (translate("id"), view.consent_id),
            (translate("subject"), name),
            (translate("PIN"), subject.pin if reveal else mask_pin(subject.pin)),
            (
                translate("represented"),
                translate("yes") if view.representative else translate("no"),
            ),
            (translate("to", context="recipient"), _party(view.recipient)),
            (translate("agreement"), view.agreement),
            (translate("for", context="purpose"), f"{view.purpose_text} ({view.purpose})"),
            (translate("data"), ", ".join(view.attributes) or translate("none: only yes or no")),
            (translate("matched by"), ", ".join(view.methods)),
            (translate("term"), _term(view.valid_from, view.valid_to)),
            (translate("times"), str(view.max_disclosures)),
            (translate("kept for"), view.retention),
            (
                translate("passed on to"),
                ", ".join(_party(each) for each in view.onward) or translate("nobody"),
            ),
            (translate("how to revoke it"), view.withdrawal),
            (translate("notice"), f"{view.notice} ({view.language})"),
            (
                translate("form", context="consent"),
                translate("paper") if view.on_paper else translate("electronic"),
            ),
        ],
    )


def mask_pin(pin: str) -> str:
    """Return a PIN as logs and screens may show it: its first digit and its last two."""
    return f"{pin[0]}***********{pin[-2:]}"


def read_file(file: Path, max_bytes: int = MAX_READ) -> bytes:
    """Return the content of a file of at most `max_bytes`. Raises `MakulError`."""
    try:
        return read_bounded(file, max_bytes)
    except FileNotFoundError:
        raise MakulError(
            translate("{file}: it cannot be read: there is no such file", file=file)
        ) from None
    except UnreadableFileError as error:
        raise MakulError(str(error)) from None


def _term(since: datetime, until: datetime) -> str:
    return translate("{since} to {until}", since=local_time(since), until=local_time(until))


def local_time(at: datetime) -> str:
    """Return an instant in the time zone of this process (`TZ`), with its offset."""
    try:
        local = at.astimezone()
    except (OverflowError, OSError, ValueError):  # near the first or the last year of the calendar
        local = at
    return local.isoformat(sep=" ", timespec="seconds")


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at


def _party(party: Party) -> str:
    return f"{party.name} ({party.code})"


def _format_value(value: object) -> str:
    match value:
        case Name():
            return " / ".join(each for each in (value.ky, value.ru, value.latin) if each)
        case Sample():
            return translate(
                "{format}, {number} bytes",
                format=value.format or translate("data"),
                number=len(value.data),
            )
        case tuple():
            return "; ".join(f"{each.position}: {_format_value(each)}" for each in value)
    return str(value)

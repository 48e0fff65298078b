"""`makul person`: the register of citizens, for the operator's eyes (Procedure, cl. 10, 13, 16)."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from makul.app.ports import StoreUnavailableError
from makul.cli.house import ExitCode, HouseError, HouseUnavailableError
from makul.cli.output import Facts, Value, carry_out, complain, progress_bar, show_facts
from makul.cli.person_file import format_of
from makul.cli.person_import import Position, Tally, import_people
from makul.cli.session import Apply, AsJson, examples, session
from makul.domain.attributes import BIOMETRIC, Attribute
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person

app = typer.Typer(no_args_is_help=True, help="The register of citizens.")

_IMPORT_HELP = (
    "Take citizens from a file: CSV with a heading, or JSON Lines.\n\n"
    "A line that cannot be read is skipped and told by number and cause, never by what stands in"
    " it; the exit code is then 1. An import that was interrupted goes on where it stopped: a"
    " position file beside the source keeps the place, and is deleted at the end.\n\n"
    "CSV columns: pin, surname.ky, surname.ru, surname.latin (likewise givenName, patronymic), sex,"
    " birthDate, birthPlace, citizenship, address, documentType, documentNumber, documentIssuer,"
    " documentIssued, documentExpires, documentState, personState, disputed, locked. JSON Lines"
    ' has the same, names as objects: {"pin": …, "surname": {"ky": …}}.'
)


@app.command(
    "import",
    help=_IMPORT_HELP,
    epilog=examples(
        "makul person import citizens.csv", "makul person import citizens.jsonl --apply"
    ),
)
def import_file(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """See `_IMPORT_HELP`."""
    form = format_of(file)
    position = Position.beside(file)
    tally = position.load() if apply else Tally()
    with session(ctx).house() as house, progress_bar() as progress:
        task = progress.add_task("persons", total=position.source_size, completed=tally.offset)

        def committed(so_far: Tally) -> None:
            progress.update(task, completed=so_far.offset)
            if apply:
                position.save(so_far)

        def put(people: list[Person]) -> int:
            return house.desk.put_persons(people, at=house.clock()) if apply else 0

        try:
            import_people(file, form, tally, put, committed)
        except StoreUnavailableError:
            raise HouseUnavailableError(
                f"the record store cannot be reached; {tally.read} persons were taken. Give the"
                " command again to go on"
            ) from None
    if apply:
        position.path.unlink(missing_ok=True)
    _report(tally, apply=apply, as_json=as_json)


@app.command(
    epilog=examples(
        "makul person show - --reason 'complaint 118'   # the PIN is then read from stdin",
        "makul person show 1**…** --reason 'complaint 118' --reveal",
    )
)
def show(
    ctx: typer.Context,
    *,
    pin: Annotated[
        str, typer.Argument(metavar="PIN", help="14 digits, or - to read it from stdin.")
    ],
    reason: Annotated[str, typer.Option(help="Why you look; it is recorded.")],
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show values in full. The PIN stays masked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a citizen's record, masked. The look itself is recorded (Procedure, cl. 13 and 16)."""
    if not reason.strip():
        raise HouseError("--reason is empty; say why you look, for it is recorded")
    wanted = _pin(sys.stdin.readline(32).strip() if pin == "-" else pin)
    with session(ctx).house() as house:
        found = house.desk.person_for_operator(wanted, reason=reason, at=house.clock())
    if found is None:
        raise HouseError(f"no record for {wanted.masked}; the look was recorded")
    show_facts(_facts(found, reveal=reveal), as_json=as_json)


def _pin(text: str) -> Pin:
    try:
        return Pin(text)
    except MalformedIdentifierError as error:
        raise HouseError(str(error)) from None


def _report(tally: Tally, *, apply: bool, as_json: bool) -> None:
    facts: Facts = {
        "read": tally.read,
        "changed": tally.changed if apply else None,
        "skipped": tally.skipped,
        "faults": [f"line {number}: {cause}" for number, cause in tally.faults],
        "causes": [f"{count} × {cause}" for cause, count in tally.causes.most_common()],
    }
    carry_out("import persons", facts, lambda: None, apply=apply, as_json=as_json)
    if tally.skipped:
        complain(f"{tally.skipped} lines were skipped; mend them and import them again")
        raise typer.Exit(ExitCode.REFUSED)


def _facts(person: Person, *, reveal: bool) -> Facts:
    facts: dict[str, Value] = {"pin": person.pin.masked}
    for name in Attribute:
        if name is not Attribute.PIN and name in person.values:
            value = person.values[name]
            facts[name.value] = _plain(name, value) if reveal else _masked(name, value)
    facts |= {
        "disputed": sorted(person.disputed),
        "locked": person.locked,
        "version": person.version,
    }
    return facts


def _plain(name: Attribute, value: AttributeValue) -> str:
    if name in BIOMETRIC or isinstance(value, bytes):
        return _masked(name, value)
    if isinstance(value, LocalizedName):
        return " / ".join(value.forms)
    return value.isoformat() if isinstance(value, date) else value


def _masked(name: Attribute, value: AttributeValue) -> str:
    """Enough to recognise whom one already knows: initials, a year, the end of a number."""
    match value:
        case bytes():
            return f"({len(value)} bytes)"
        case date():
            return f"{value.year}-**-**"
        case LocalizedName():
            return " / ".join(f"{form[0]}***" for form in value.forms)
    if name in _OPEN:
        return value
    return f"***{value[-2:]}" if name is Attribute.DOCUMENT_NUMBER else "***"


_OPEN = {
    Attribute.CITIZENSHIP,
    Attribute.DOCUMENT_TYPE,
    Attribute.DOCUMENT_STATE,
    Attribute.PERSON_STATE,
}
"""Codes that say nothing of who it is."""

"""`makul person`: the register of citizens, for operators (Procedure, cl. 10, 13 and 16)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from makul.admin.errors import OperatorUnavailableError
from makul.app.ports import StoreUnavailableError
from makul.cli import person_record
from makul.cli.context import AsJson, examples, open_installation
from makul.cli.exit_codes import ExitCode
from makul.cli.files.person_fields import (
    COLUMNS,
    DISPUTED,
    DISPUTED_WORDS,
    LOCKED,
    LOCKED_WORDS,
    describe,
)
from makul.cli.files.persons import Format, detect_format
from makul.cli.output import Facts, complain, progress_bar, show_facts
from makul.cli.person_import import Position, Tally, import_people
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.attributes import Attribute
from makul.domain.persons import Person
from makul.language.translation import mark, translate

app = typer.Typer(
    no_args_is_help=True, help="Import, show and change records in the register of citizens."
)
person_record.add_to(app)

_PERMITTED = "\n\n".join(
    (
        *(f"{name.value}: {describe(name)}." for name in Attribute),
        f"{DISPUTED}: {DISPUTED_WORDS}.",
        f"{LOCKED}: {LOCKED_WORDS}.",
    )
)
_IMPORT_HELP = (
    "Import citizens from a file: CSV with a heading, or JSON Lines. See: makul person example\n\n"
    "A line that cannot be read is skipped. It is reported by number and cause, never by its"
    " contents; the exit code is then 1. An interrupted import continues where it stopped. A"
    " position file beside the source stores the position and the bad lines so far, and is deleted"
    " at the end.\n\n"
    "A file is UTF-8. CSV has a comma, a semicolon or a tab between fields. A field may be quoted,"
    " and ends on its line. Columns are, in any order, pin and any others of: "
    f"{', '.join(COLUMNS[1:])}. JSON Lines has the same fields, with names as objects:"
    ' {"pin": "…", "surname": {"ky": "…"}}. An empty field is an attribute without a value.\n\n'
    f"{_PERMITTED}"
)


@app.command(
    "import",
    help=_IMPORT_HELP,
    epilog=examples(
        "makul person import citizens.csv", "makul person import citizens.jsonl --apply"
    ),
)
@offer_preview
def import_file(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    change: PreviewedChange,
) -> None:
    """Import citizens from a file, as `_IMPORT_HELP` describes."""
    form = detect_format(file)
    position = Position.beside(file)
    tally = position.load() if change.apply else Tally()
    with open_installation(ctx) as installation, progress_bar() as progress:
        task = progress.add_task(
            translate("persons"), total=position.source_size, completed=tally.offset
        )

        def committed(so_far: Tally) -> None:
            progress.update(task, completed=so_far.offset)
            if change.apply:
                position.save(so_far)

        def put(people: list[Person]) -> int:
            return (
                installation.registry.put_persons(people, at=installation.clock())
                if change.apply
                else 0
            )

        try:
            import_people(file, form, tally, put, committed)
        except StoreUnavailableError:
            raise OperatorUnavailableError(
                translate(
                    "the record store cannot be reached; {number} persons were taken. Give the"
                    " command"
                    " again to go on",
                    number=tally.read,
                )
            ) from None
    if change.apply:
        position.path.unlink(missing_ok=True)
    _report(tally, change)


def _report(tally: Tally, change: PreviewedChange) -> None:
    facts: Facts = {
        "read": tally.read,
        "changed": tally.changed if change.apply else None,
        "skipped": tally.skipped,
        "faults": [
            translate("line {number}: {cause}", number=number, cause=cause)
            for number, cause in tally.faults
        ],
        "causes": [f"{count} × {translate(cause)}" for cause, count in tally.causes.most_common()],
    }
    change.show(mark("import persons"), facts)
    if tally.skipped:
        complain(
            translate(
                "{number} lines were skipped; mend them and import them again", number=tally.skipped
            )
        )
        raise typer.Exit(ExitCode.REFUSED)


@app.command(
    epilog=examples(
        "makul person example > citizens.csv",
        "makul person example --format jsonl > citizens.jsonl",
    )
)
def example(
    *,
    form: Annotated[Format, typer.Option("--format", help="The format of the file.")] = Format.CSV,
) -> None:
    """Print an example file of two fictitious citizens, as `import` accepts it."""
    typer.echo(_example_csv() if form is Format.CSV else _example_json_lines(), nl=False)


_EXAMPLE: tuple[dict[str, str], ...] = (
    {
        "pin": "21505198590001",
        "surname.ky": "Үлгүлөв",
        "surname.ru": "Образцов",
        "surname.latin": "Ulgulov",
        "givenName.ky": "Сынак",
        "givenName.ru": "Сынак",
        "givenName.latin": "Synak",
        "patronymic.ky": "Мисалович",
        "patronymic.ru": "Мисалович",
        "sex": "M",
        "birthDate": "1985-05-15",
        "citizenship": "KGZ",
        "address": "Үлгү айылы, Мисал көчөсү, 1",
        "documentType": "ID_CARD",
        "documentNumber": "ID9900001",
        "documentIssued": "2020-01-02",
        "documentExpires": "2030-01-02",
        "documentState": "VALID",
        "personState": "ALIVE",
        "disputed": "address",
        "locked": "false",
    },
    {
        "pin": "10203199090002",
        "surname.ky": "Мисалия",
        "sex": "F",
        "birthDate": "1990-03-02",
        "citizenship": "IDN",
        "documentType": "PASSPORT",
        "documentNumber": "AN9900002",
        "documentState": "VALID",
        "personState": "ALIVE",
        "locked": "false",
    },
)
"""The second person has one name and mostly empty fields."""


def _example_csv() -> str:
    columns = tuple(_EXAMPLE[0])
    lines = [columns, *(tuple(person.get(name, "") for name in columns) for person in _EXAMPLE)]
    return "".join(",".join(map(_quote, line)) + "\n" for line in lines)


def _quote(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell


def _example_json_lines() -> str:
    return "".join(json.dumps(_nest(person), ensure_ascii=False) + "\n" for person in _EXAMPLE)


def _nest(cells: dict[str, str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for column, cell in cells.items():
        name, _, script = column.partition(".")
        forms = fields.setdefault(name, {}) if script else None
        if isinstance(forms, dict):
            forms[script] = cell
        else:
            fields[name] = {"true": True, "false": False}.get(cell, cell)
    return fields | {DISPUTED: cells.get(DISPUTED, "").split()}


@app.command(epilog=examples("makul person count", "makul person count --json"))
def count(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Count persons, versions of their records, and samples. No record is decrypted."""
    with open_installation(ctx) as installation:
        counts = installation.registry.count_persons()
    facts: Facts = {
        "persons": counts.persons,
        "versions": counts.versions,
        "samples": counts.samples,
    }
    show_facts(facts, as_json=as_json)

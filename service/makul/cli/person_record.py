"""`makul person show`, `search` and `set`: read a record, or change one field of it.

Each use is recorded with its reason, and values are masked (Procedure, cl. 13, 14 and 16).
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated

import typer

from makul.admin.errors import OperatorError
from makul.cli.context import AsJson, Reason, examples, open_installation, require_reason
from makul.cli.files.person_fields import (
    COLUMNS,
    DISPUTED,
    LOCKED,
    LOCKED_WORDS,
    BadFieldError,
    fields_from_cells,
    parse_fields,
    suggest,
)
from makul.cli.output import (
    Facts,
    TwoForms,
    Value,
    complain,
    instant,
    progress_bar,
    show_facts,
    show_rows,
)
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.attributes import BIOMETRIC, Attribute
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.person_queries import MAX_FOUND, PersonQuery
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.language.translation import mark, translate

PinArgument = Annotated[
    str, typer.Argument(metavar="PIN", help="14 digits, or - to read the PIN from stdin.")
]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show values in full. The PIN remains masked.")
]
Edit = Callable[[Person], Person]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `makul person`."""
    app.command(
        epilog=examples(
            "makul person show - --reason 'complaint 118'   # the PIN is then read from stdin",
            "makul person show 1**…** --reason 'complaint 118' --reveal",
        )
    )(show)
    app.command(
        epilog=examples(
            "makul person search --document ID9900001 --reason 'complaint 118'",
            "makul person search --surname Үлгүлөв --given-name Сынак --reason 'complaint 118'",
        )
    )(search)
    app.command(
        "set",
        epilog=examples(
            "makul person set - birthDate 1985-05-15 --reason 'court decision 7'",
            "makul person set - disputed 'address birthPlace' --reason 'complaint 118' --apply",
            "makul person set - disputed --clear --reason 'complaint 118' --apply",
            "makul person set - locked true --reason 'asked at the counter' --apply",
        ),
    )(set_field)


def show(
    ctx: typer.Context,
    *,
    pin: PinArgument,
    reason: Reason,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Show a citizen's record, masked. Each use is recorded (Procedure, cl. 13 and 16).

    `locked` is the lock in the record. `locked by subject` is the citizen's own lock, set at a
    portal, and since when; only the citizen removes it. Either stops matching by consent.
    """
    require_reason(reason)
    person_pin = _pin(pin)
    with open_installation(ctx) as installation:
        person = installation.registry.person_for_operator(
            person_pin, reason=reason, at=installation.clock()
        )
        locked_since = installation.registry.subject_lock(person_pin)
    if person is None:
        raise _nobody(person_pin)
    facts = _facts(person, reveal=reveal) | {"locked_by_subject": instant(locked_since)}
    show_facts(facts, as_json=as_json)


def search(
    ctx: typer.Context,
    *,
    reason: Reason,
    document: Annotated[str | None, typer.Option(help="The number of the document.")] = None,
    surname: Annotated[str | None, typer.Option(help="Surname in any stored script.")] = None,
    given_name: Annotated[str | None, typer.Option(help="Given name in any stored script.")] = None,
    patronymic: Annotated[str | None, typer.Option(help="Patronymic in any stored script.")] = None,
    birth_date: Annotated[str | None, typer.Option(help="Birth date as YYYY-MM-DD.")] = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Find citizens by document number or name, and show at most 20, masked.

    All given values must match; case is ignored. Every record is decrypted, which takes minutes for
    millions of records. The search and each record shown are recorded (Procedure, cl. 13 and 16).
    Exit code 1 if no citizen is found.
    """
    require_reason(reason)
    query = _query(document, surname, given_name, patronymic, _birth_date(birth_date))
    with open_installation(ctx) as installation, progress_bar() as progress:
        total = installation.registry.count_persons().persons
        task = progress.add_task(translate("records"), total=total)
        result = installation.registry.search_persons(
            query,
            reason=reason,
            at=installation.clock(),
            report=lambda opened: progress.update(task, completed=opened),
        )
    rows = [_facts(person, reveal=reveal) for person in result.persons]
    shown = ("pin", "surname", "givenName", "birthDate", "documentNumber", "disputed", "locked")
    listed = [{name: row.get(name) for name in shown} for row in rows]
    show_rows(
        rows if as_json else listed,
        columns=shown,
        as_json=as_json,
        empty=translate("nobody was found; the search was recorded"),
    )
    if result.more:
        complain(
            translate(
                "there are more than {number}, which are not shown: give more values of the person",
                number=MAX_FOUND,
            )
        )
    if not result.persons:
        raise typer.Exit(1)


def _query(
    document: str | None,
    surname: str | None,
    given_name: str | None,
    patronymic: str | None,
    birth_date: date | None,
) -> PersonQuery:
    try:
        return PersonQuery(
            document_number=document,
            surname=surname,
            given_name=given_name,
            patronymic=patronymic,
            birth_date=birth_date,
        )
    except ValueError:
        raise OperatorError(
            translate("Too little is said to search by: give --document, --surname or --given-name")
        ) from None


@offer_preview
def set_field(
    ctx: typer.Context,
    *,
    pin: PinArgument,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="A column of `person import`.")],
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", help="The value, in the format of `person import`."),
    ] = None,
    reason: Reason,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the value.")] = False,
    reveal: Reveal = False,
    change: PreviewedChange,
) -> None:
    """Change one field of a citizen's record (Procedure, cl. 14). The former version is kept.

    FIELD is an attribute, `disputed` (attributes that are withheld while they are corrected) or
    `locked` (no matching by consent; a citizen's own lock stays). Both the preview and the change
    are recorded.
    """
    require_reason(reason)
    edit = parse_edit(field, value, clear=clear)
    person_pin = _pin(pin)
    with open_installation(ctx) as installation:
        at = installation.clock()
        if change.apply:
            versions = installation.registry.change_person(
                person_pin, edit, field=field, reason=reason, at=at
            )
        else:
            person = installation.registry.person_for_operator(person_pin, reason=reason, at=at)
            versions = (person, edit(person)) if person is not None else None
        locked_since = installation.registry.subject_lock(person_pin)
    if versions is None:
        raise _nobody(person_pin)
    facts = _difference(*versions, field, reveal=reveal)
    facts = {**facts, "locked_by_subject": instant(locked_since)}
    change.show(mark("set field of person"), facts)


def parse_edit(field: str, value: str | None, *, clear: bool) -> Edit:
    """Return the function that changes the field.

    Raises `OperatorError` if the field cannot be changed in this way.
    """
    if field not in COLUMNS:
        raise OperatorError(
            translate(
                "There is no such field{suggestion}; see: makul person import --help",
                suggestion=suggest(field),
            )
        )
    if (value is None) == (not clear):
        raise OperatorError(translate("Give a value, or --clear to hold none"))
    if value is not None and not value.strip():
        raise OperatorError(translate("The value is empty: give --clear to hold none"))
    name, _, script = field.partition(".")
    if name == Attribute.PIN:
        raise OperatorError(translate("A PIN cannot be changed: another PIN is another record"))
    return _edit_to_clear(name, script) if value is None else _edit_to_set(field, value)


def _edit_to_set(field: str, value: str) -> Edit:
    name, _, script = field.partition(".")
    if name in BIOMETRIC:
        raise OperatorError(
            translate("{field} is set from a file: makul person import", field=name)
        )
    try:
        parsed = parse_fields(fields_from_cells({field: value}))[name]
    except BadFieldError as error:
        raise OperatorError(f"{error}") from None
    if name == DISPUTED:
        return lambda person: replace(person, disputed=parsed)
    if name == LOCKED:
        return lambda person: replace(person, locked=parsed)
    attribute = Attribute(name)
    if script:
        return lambda person: _with_form(person, attribute, script, getattr(parsed, script))
    return lambda person: replace(person, values={**person.values, attribute: parsed})


def _edit_to_clear(name: str, script: str) -> Edit:
    if name == DISPUTED:
        return lambda person: replace(person, disputed=frozenset())
    if name == LOCKED:
        raise OperatorError(
            translate(
                "{field} cannot be cleared: it is {requirement}",
                field=LOCKED,
                requirement=translate(LOCKED_WORDS),
            )
        )
    attribute = Attribute(name)
    if script:
        return lambda person: _with_form(person, attribute, script, None)
    return lambda person: _without(person, attribute)


def _with_form(person: Person, name: Attribute, script: str, form: str | None) -> Person:
    before = person.values.get(name)
    held = before if isinstance(before, LocalizedName) else LocalizedName()
    after = replace(held, **{script: form})
    if not after.forms:
        return _without(person, name)
    return replace(person, values={**person.values, name: after})


def _without(person: Person, name: Attribute) -> Person:
    values = {each: value for each, value in person.values.items() if each is not name}
    samples = {each: ref for each, ref in person.samples.items() if each is not name}
    return replace(person, values=values, samples=samples)


def _difference(before: Person, after: Person, field: str, *, reveal: bool) -> Facts:
    was, becomes = (_facts(person, reveal=reveal) for person in (before, after))
    name = field.partition(".")[0]
    return {
        "pin": before.pin.masked,
        "field": field,
        "before": was.get(name),
        "after": becomes.get(name),
        "changed": (before.values, before.samples, before.disputed, before.locked)
        != (after.values, after.samples, after.disputed, after.locked),
        "disputed": becomes["disputed"],
        "locked": becomes["locked"],
        "version": after.version,
    }


def _nobody(pin: Pin) -> OperatorError:
    return OperatorError(translate("no record for {pin}; the access was recorded", pin=pin.masked))


def _pin(typed: str) -> Pin:
    text = sys.stdin.readline(32).strip() if typed == "-" else typed
    try:
        return Pin(text)
    except MalformedIdentifierError as error:
        raise OperatorError(translate(str(error))) from None


def _birth_date(typed: str | None) -> date | None:
    if typed is None:
        return None
    try:
        born: date = parse_fields({Attribute.BIRTH_DATE: typed})[Attribute.BIRTH_DATE]
    except BadFieldError as error:
        raise OperatorError(f"--birth-date: {error}") from None
    return born


def _facts(person: Person, *, reveal: bool) -> dict[str, Value]:
    facts: dict[str, Value] = {"pin": person.pin.masked}
    for name in Attribute:
        if name in person.samples:
            facts[name.value] = _size(person.samples[name].size_bytes)
        elif name is not Attribute.PIN and name in person.values:
            value = person.values[name]
            facts[name.value] = _plain(name, value) if reveal else _mask_value(name, value)
    facts |= {
        "disputed": sorted(person.disputed),
        "locked": person.locked,
        "version": person.version,
    }
    return facts


def _size(size_bytes: int) -> TwoForms:
    return TwoForms(f"({size_bytes} bytes)", translate("({number} bytes)", number=size_bytes))


def _plain(name: Attribute, value: AttributeValue) -> str:
    if name in BIOMETRIC or isinstance(value, bytes):
        return _mask_value(name, value)
    if isinstance(value, LocalizedName):
        return " / ".join(value.forms)
    return value.isoformat() if isinstance(value, date) else value


def _mask_value(name: Attribute, value: AttributeValue) -> str:
    """Return enough to recognise a known person: initials, a year, or the end of a number."""
    match value:
        case bytes():
            return _size(len(value))
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
"""Attributes that are never masked: their codes do not identify a person."""

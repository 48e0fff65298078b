"""The fields of a citizen's record as text: permitted values, and their parsing.

pydantic checks the fields; the words are ours. A parsed value must conform to the published schema
(types.xsd); otherwise no answer could be sent. A message names the field and its permitted values,
and never its value.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict, ValidationError, create_model
from pydantic_core import ErrorDetails

from makul.cli.suggestion import suggest_name
from makul.domain.attributes import NAMES, Attribute
from makul.domain.biometric_samples import require_known
from makul.domain.identifiers import Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.language.translation import mark, translate
from makul.net.validation_messages import describe_error, find_first_error

SCRIPTS = ("ky", "ru", "latin")
DISPUTED = "disputed"
LOCKED = "locked"
COLUMNS = (
    *(
        f"{name.value}.{script}" if script else name.value
        for name in Attribute
        for script in (SCRIPTS if name in NAMES else ("",))
    ),
    DISPUTED,
    LOCKED,
)
"""Every field by its full name. Names of persons have one field for each script."""

FIELDS = frozenset({*Attribute, DISPUTED, LOCKED})
"""Every field by its short name."""


class BadFieldError(Exception):
    """The error that a field cannot be read. It names the cause and the field, never a value."""


@dataclass(frozen=True, slots=True)
class FieldForm:
    """The form of the values that a field may hold, as text."""

    parse: Callable[[str], Pin | AttributeValue]
    """Return the value. Raises `ValueError` with words that follow the name of the field."""
    words: str
    """The form in English words, to follow "must be"."""
    examples: str = ""
    """The value of the field `examples` of the words."""


def _text(pattern: str, words: str, *examples: str) -> FieldForm:
    """Return the form of a text, of which runs of spaces are one space."""
    matches, listed = re.compile(pattern).fullmatch, ", ".join(examples)

    def parse(text: str) -> str:
        collapsed = " ".join(text.split())
        if not matches(collapsed) or not collapsed.isprintable():
            raise ValueError(_requirement(words, listed))
        return collapsed

    return FieldForm(parse, words, listed)


def _code(*examples: str) -> FieldForm:
    words = mark("a code of 2 to 32 of A-Z, 0-9 and _, such as {examples}")
    return _text(r"[A-Z][A-Z0-9_]{1,31}", words, *examples)


def _date() -> FieldForm:
    words = mark("a date as YYYY-MM-DD")
    matches = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII).fullmatch

    def parse(text: str) -> date:
        written = text.strip()
        if not matches(written):
            raise ValueError(_requirement(words))
        try:
            return date.fromisoformat(written)
        except ValueError:
            raise ValueError(mark("is a day that does not exist")) from None

    return FieldForm(parse, words)


def _sample(name: Attribute, words: str) -> FieldForm:
    def parse(text: str) -> bytes:
        try:
            sample = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(_requirement(words)) from None
        require_known(name, sample)
        return sample

    return FieldForm(parse, words)


def _requirement(words: str, examples: str = "") -> str:
    """Return what a value must be, in the language in use, to follow the name of the field."""
    return translate("must be {requirement}", requirement=translate(words, examples=examples))


_NAME = _text(r"[^<>]{1,100}", mark("up to 100 printable characters without < and >"))
_ADDRESS = _text(r"[^<>]{1,500}", mark("up to 500 printable characters without < and >"))

_FORMS: Final[Mapping[Attribute, FieldForm]] = {
    Attribute.PIN: FieldForm(lambda text: Pin(text.strip()), mark("14 digits")),
    **dict.fromkeys(NAMES, _NAME),
    Attribute.SEX: _text(r"[MF]", mark("F or M")),
    Attribute.BIRTH_DATE: _date(),
    Attribute.BIRTH_PLACE: _ADDRESS,
    Attribute.CITIZENSHIP: _text(
        r"[A-Z]{3}", mark("three capital letters (ISO 3166-1), such as KGZ")
    ),
    Attribute.ADDRESS: _ADDRESS,
    Attribute.DOCUMENT_TYPE: _code("ID_CARD", "PASSPORT"),
    Attribute.DOCUMENT_NUMBER: _text(r"[0-9A-Z-]{3,20}", mark("3 to 20 of A-Z (Latin), 0-9 and -")),
    Attribute.DOCUMENT_ISSUER: _text(
        r"[^<>]{1,300}", mark("up to 300 printable characters without < and >")
    ),
    Attribute.DOCUMENT_ISSUED: _date(),
    Attribute.DOCUMENT_EXPIRES: _date(),
    Attribute.DOCUMENT_STATE: _code("VALID", "EXPIRED", "LOST"),
    Attribute.PERSON_STATE: _code("ALIVE", "DECEASED"),
    Attribute.FACE_IMAGE: _sample(Attribute.FACE_IMAGE, mark("JPEG or JPEG 2000 in base64")),
    Attribute.FINGERPRINT_TEMPLATES: _sample(
        Attribute.FINGERPRINT_TEMPLATES, mark("ISO/IEC 19794-2 records in base64")
    ),
    Attribute.FINGERPRINT_IMAGES: _sample(
        Attribute.FINGERPRINT_IMAGES,
        mark("ISO/IEC 19794-4 records (WSQ, JPEG 2000, PNG) in base64"),
    ),
    Attribute.SIGNATURE_IMAGE: _sample(Attribute.SIGNATURE_IMAGE, mark("PNG in base64")),
}
LOCKED_WORDS = mark("true or false")
DISPUTED_WORDS = mark("names of attributes, such as address documentNumber")


def describe(name: Attribute) -> str:
    """Return in English words what a value of this attribute must be, for the help."""
    form = _FORMS[name]
    return form.words.format(examples=form.examples)


def suggest(name: str) -> str:
    """Return `; did you mean …?` if a known field has a similar name, otherwise an empty string."""
    return suggest_name(name, COLUMNS, _OTHER_NAMES)


_OTHER_NAMES = {
    "surname": "surname.ky",
    "lastName": "surname.ky",
    "familyName": "surname.ky",
    "givenName": "givenName.ky",
    "firstName": "givenName.ky",
    "patronymic": "patronymic.ky",
    "middleName": "patronymic.ky",
    "fatherName": "patronymic.ky",
    "surname.en": "surname.latin",
    "givenName.en": "givenName.latin",
    "patronymic.en": "patronymic.latin",
    "inn": "pin",
    "pinfl": "pin",
    "personalNumber": "pin",
    "gender": "sex",
    "dateOfBirth": "birthDate",
    "placeOfBirth": "birthPlace",
    "nationality": "citizenship",
    "passportNumber": "documentNumber",
    "issuedBy": "documentIssuer",
    "dateOfIssue": "documentIssued",
    "dateOfExpiry": "documentExpires",
    "photo": "faceImage",
}
"""Names of these fields in other registers. A name in three scripts maps to the first one."""


_NameText = Annotated[str, Strict(), AfterValidator(_NAME.parse)]


class _NameForms(BaseModel):
    """A name by script, as a field holds it."""

    model_config = ConfigDict(extra="forbid")

    ky: _NameText | None = None
    ru: _NameText | None = None
    latin: _NameText | None = None


def _localized_name(forms: _NameForms) -> LocalizedName:
    name = LocalizedName(ky=forms.ky, ru=forms.ru, latin=forms.latin)
    if not name.forms:
        raise ValueError(mark("is in no script"))
    return name


def _type_of(name: Attribute) -> Any:
    if name in NAMES:
        return Annotated[_NameForms, AfterValidator(_localized_name)]
    return Annotated[str, Strict(), AfterValidator(_FORMS[name].parse)]


_TYPES: Final[dict[str, Any]] = {
    **{name.value: (_type_of(name), None) for name in Attribute},
    DISPUTED: (frozenset[Attribute], frozenset()),
    LOCKED: (Annotated[bool, Strict()], False),
}
_Fields: type[BaseModel] = create_model("_Fields", __config__=ConfigDict(extra="forbid"), **_TYPES)


def fields_from_cells(cells: Mapping[str, str]) -> dict[str, object]:
    """Return the fields that cells hold, by column: names by script, lists, and truth values."""
    fields: dict[str, object] = {}
    names: dict[str, dict[str, str]] = {}
    for column, cell in cells.items():
        name, _, script = column.partition(".")
        if script:
            names.setdefault(name, {})[script] = cell
        elif name == DISPUTED:
            fields[name] = cell.replace(",", " ").split()
        elif name == LOCKED:
            fields[name] = {"true": True, "false": False}.get(cell.strip().lower(), cell)
        else:
            fields[name] = cell
    return fields | names


def parse_fields(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the value of each field that is present. Raises `BadFieldError`."""
    try:
        parsed = _Fields.model_validate(fields)
    except ValidationError as error:
        raise BadFieldError(_describe(find_first_error(error))) from None
    return {name: value for name, value in parsed if name in fields}


def _describe(error: ErrorDetails) -> str:
    """Return the message of an error. An unknown key is not repeated: it may be a value."""
    # A key that is no Unicode text has no location.
    *outer, last = error["loc"] or ("",)
    steps = outer if error["type"] == "extra_forbidden" else error["loc"]
    field = ".".join(str(step) for step in steps if step in FIELDS or step in SCRIPTS)
    if not field:
        return translate("a field that is no attribute{suggestion}", suggestion=suggest(str(last)))
    if field in NAMES and error["type"] != "value_error":
        return translate("{field}: not a name by script (ky, ru, latin)", field=field)
    return f"{field}: {describe_error(error)}"


def person_from_fields(fields: Mapping[str, object]) -> Person:
    """Return the record that these fields describe. Raises `BadFieldError`."""
    parsed = parse_fields(fields)
    pin = parsed.get(Attribute.PIN)
    if pin is None:
        raise BadFieldError(translate("pin: missing"))
    values = {name: parsed[name] for name in Attribute if name in parsed}
    return Person(
        pin=pin,
        values=values | {Attribute.PIN: pin.digits},
        disputed=parsed.get(DISPUTED, frozenset()),
        locked=parsed.get(LOCKED, False),
    )

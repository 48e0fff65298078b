"""The fields of a citizen's record as text: permitted values, and their parsing.

A parsed value must conform to the published schema (types.xsd); otherwise no answer could be sent.
A message names the field and its permitted values, and never its value.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from makul.cli.suggestion import suggest_name
from makul.domain.attributes import BIOMETRIC, NAMES, Attribute
from makul.domain.biometric_samples import UnknownSampleError, require_known
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.language.translation import mark, translate

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

DATES = frozenset({Attribute.BIRTH_DATE, Attribute.DOCUMENT_ISSUED, Attribute.DOCUMENT_EXPIRES})


class BadFieldError(Exception):
    """The error that a field cannot be read. It names the cause and the field, never a value."""


@dataclass(frozen=True, slots=True)
class FieldForm:
    """The form of the values that a field may hold."""

    pattern: re.Pattern[str]
    words: str
    """The form in English words, to follow "must be"."""
    examples: str = ""
    """The value of the field `examples` of the words."""


def _code(*examples: str) -> FieldForm:
    words = mark("a code of 2 to 32 of A-Z, 0-9 and _, such as {examples}")
    return FieldForm(re.compile(r"[A-Z][A-Z0-9_]{1,31}"), words, ", ".join(examples))


_TEXT = FieldForm(
    re.compile(r"[^<>]{1,500}"), mark("up to 500 printable characters without < and >")
)
_FORMS: Mapping[Attribute, FieldForm] = {
    **dict.fromkeys(
        NAMES,
        FieldForm(
            re.compile(r"[^<>]{1,100}"), mark("up to 100 printable characters without < and >")
        ),
    ),
    Attribute.PIN: FieldForm(re.compile(r"[0-9]{14}"), mark("14 digits")),
    Attribute.SEX: FieldForm(re.compile(r"[MF]"), mark("F or M")),
    Attribute.CITIZENSHIP: FieldForm(
        re.compile(r"[A-Z]{3}"), mark("three capital letters (ISO 3166-1), such as KGZ")
    ),
    Attribute.DOCUMENT_TYPE: _code("ID_CARD", "PASSPORT"),
    Attribute.DOCUMENT_STATE: _code("VALID", "EXPIRED", "LOST"),
    Attribute.PERSON_STATE: _code("ALIVE", "DECEASED"),
    Attribute.DOCUMENT_NUMBER: FieldForm(
        re.compile(r"[0-9A-Z-]{3,20}"), mark("3 to 20 of A-Z (Latin), 0-9 and -")
    ),
    Attribute.DOCUMENT_ISSUER: FieldForm(
        re.compile(r"[^<>]{1,300}"), mark("up to 300 printable characters without < and >")
    ),
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DATE_FORM = FieldForm(_DATE, mark("a date as YYYY-MM-DD"))
_SAMPLE_WORDS: Mapping[Attribute, str] = {
    Attribute.FACE_IMAGE: mark("JPEG or JPEG 2000 in base64"),
    Attribute.FINGERPRINT_TEMPLATES: mark("ISO/IEC 19794-2 records in base64"),
    Attribute.FINGERPRINT_IMAGES: mark("ISO/IEC 19794-4 records (WSQ, JPEG 2000, PNG) in base64"),
    Attribute.SIGNATURE_IMAGE: mark("PNG in base64"),
}
LOCKED_WORDS = mark("true or false")
DISPUTED_WORDS = mark("names of attributes, such as address documentNumber")


def describe(name: Attribute) -> str:
    """Return in English words what a value of this attribute must be, for the help."""
    words, examples = _words_of(name)
    return words.format(examples=examples)


def _requirement(name: Attribute) -> str:
    """Return what a value of this attribute must be, in the language in use."""
    words, examples = _words_of(name)
    return translate(words, examples=examples)


def _words_of(name: Attribute) -> tuple[str, str]:
    if name in BIOMETRIC:
        return _SAMPLE_WORDS[name], ""
    form = _DATE_FORM if name in DATES else _FORMS.get(name, _TEXT)
    return form.words, form.examples


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


def person_from_fields(fields: Mapping[str, object]) -> Person:
    """Return the record that these fields describe. Raises `BadFieldError`."""
    for unknown in fields.keys() - FIELDS:
        raise BadFieldError(
            translate("a field that is no attribute{suggestion}", suggestion=suggest(unknown))
        )
    pin = parse_pin(fields.get(Attribute.PIN))
    values = {
        name: parse_value(name, fields[name.value]) for name in Attribute if name.value in fields
    }
    return Person(
        pin=pin,
        values=values,
        disputed=parse_disputed(fields.get(DISPUTED, [])),
        locked=parse_locked(fields.get(LOCKED, False)),
    )


def parse_pin(value: object) -> Pin:
    """Return the PIN in a field. Raises `BadFieldError`."""
    if value is None:
        raise BadFieldError(translate("pin: missing"))
    if not isinstance(value, str):
        raise BadFieldError(translate("pin: not text; write it in quotes"))
    try:
        return Pin(value.strip())
    except MalformedIdentifierError as error:
        raise BadFieldError(f"pin: {translate(str(error))}") from None


def parse_value(name: Attribute, value: object) -> AttributeValue:
    """Return the value in a field. Raises `BadFieldError`."""
    if name in NAMES:
        return _parse_name(name, value)
    if not isinstance(value, str):
        raise BadFieldError(
            translate(
                "{field}: not text; must be {requirement}",
                field=name.value,
                requirement=_requirement(name),
            )
        )
    if name in BIOMETRIC:
        return _parse_sample(name, value)
    if name in DATES:
        return _parse_date(name, value.strip())
    return parse_text(name, name.value, value)


def parse_text(name: Attribute, field: str, value: str) -> str:
    """Return the text with single spaces. Raises `BadFieldError`."""
    collapsed = " ".join(value.split())
    form = _FORMS.get(name, _TEXT)
    if not form.pattern.fullmatch(collapsed) or not collapsed.isprintable():
        raise BadFieldError(
            translate(
                "{field}: not of its form; must be {requirement}",
                field=field,
                requirement=_requirement(name),
            )
        )
    return collapsed


def parse_disputed(value: object) -> frozenset[Attribute]:
    """Return the attributes that a field lists. Raises `BadFieldError`."""
    try:
        if isinstance(value, list):
            return frozenset(Attribute(name) for name in value)
    except ValueError:
        pass
    raise BadFieldError(
        translate(
            "{field}: not a list of attributes; must be {requirement}",
            field=DISPUTED,
            requirement=translate(DISPUTED_WORDS),
        )
    )


def parse_locked(value: object) -> bool:
    """Return the truth value in a field. Raises `BadFieldError`."""
    if not isinstance(value, bool):
        raise BadFieldError(
            translate(
                "{field}: must be {requirement}", field=LOCKED, requirement=translate(LOCKED_WORDS)
            )
        )
    return value


def _parse_date(name: Attribute, value: str) -> date:
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        raise BadFieldError(
            translate("{field}: no such day; must be a date as YYYY-MM-DD", field=name.value)
        ) from None
    raise BadFieldError(translate("{field}: not a date as YYYY-MM-DD", field=name.value))


def _parse_name(name: Attribute, value: object) -> LocalizedName:
    if not isinstance(value, dict) or value.keys() - set(SCRIPTS):
        raise BadFieldError(
            translate("{field}: not a name by script (ky, ru, latin)", field=name.value)
        )
    forms: dict[str, str] = {}
    for script, form in value.items():
        if form is None:
            continue
        if not isinstance(form, str):
            raise BadFieldError(
                translate("{field}.{script}: not text", field=name.value, script=script)
            )
        forms[script] = parse_text(name, f"{name.value}.{script}", form)
    if not forms:
        raise BadFieldError(translate("{field}: in no script", field=name.value))
    return LocalizedName(ky=forms.get("ky"), ru=forms.get("ru"), latin=forms.get("latin"))


def _parse_sample(name: Attribute, value: str) -> bytes:
    try:
        sample = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BadFieldError(
            translate(
                "{field}: not base64; must be {requirement}",
                field=name.value,
                requirement=_requirement(name),
            )
        ) from None
    try:
        require_known(name, sample)
    except UnknownSampleError as error:
        raise BadFieldError(f"{name.value}: {translate(str(error))}") from None
    return sample

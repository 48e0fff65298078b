"""Synthetic people for tests of documents and matching. None of them exists."""

import json
from dataclasses import asdict
from datetime import date

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person

PIN = Pin("10101199000001")

NAMES: dict[Attribute, AttributeValue] = {
    Attribute.SURNAME: LocalizedName(ky="Үлгүлөва", ru="Ульгулёва", latin="ULGULOVA"),
    Attribute.GIVEN_NAME: LocalizedName(ky="Айгүл", ru="Айгуль", latin="AIGUL"),
    Attribute.PATRONYMIC: LocalizedName(ky="Мисалбековна", ru="Мисалбековна", latin="MISALBEKOVNA"),
}

FACE = b"\xff\xd8\xff\xe0 not a face"
SIGNATURE = b"\x89PNG\r\n\x1a\n no signature"


def template(position: int, minutiae: bytes = b"no minutiae") -> bytes:
    """Return one finger as an ISO/IEC 19794-2:2005 record: header of 24 bytes, view header of 4."""
    view = bytes([position, 0, 80, 0]) + minutiae
    length = (24 + len(view)).to_bytes(4, "big")
    return b"FMR\x00 20\x00" + length + bytes(12) + view


def finger_images(*positions: int, compression: int = 2, image: bytes = b"\xff\xa0 wsq") -> bytes:
    """Return fingers as one ISO/IEC 19794-4:2005 record: header of 32 bytes, 14 before
    each image.
    """
    fingers = b"".join(
        (14 + len(image)).to_bytes(4, "big") + bytes([position]) + bytes(9) + image
        for position in positions
    )
    length = (32 + len(fingers)).to_bytes(6, "big")
    rest = bytes(15) + bytes([compression]) + bytes(2)
    return b"FIR\x00010\x00" + length + rest + fingers


EVERYTHING: dict[Attribute, AttributeValue] = {
    Attribute.PIN: PIN.digits,
    **NAMES,
    Attribute.SEX: "F",
    Attribute.BIRTH_DATE: date(1990, 1, 1),
    Attribute.BIRTH_PLACE: "Сыноо шаары",
    Attribute.CITIZENSHIP: "KGZ",
    Attribute.ADDRESS: "Тест айылы, Мисал көчөсү, 0",
    Attribute.DOCUMENT_TYPE: "ID_CARD",
    Attribute.DOCUMENT_NUMBER: "ID0000001",
    Attribute.DOCUMENT_ISSUER: "Сыноо мекемеси",
    Attribute.DOCUMENT_ISSUED: date(2020, 1, 2),
    Attribute.DOCUMENT_EXPIRES: date(2030, 1, 2),
    Attribute.DOCUMENT_STATE: "VALID",
    Attribute.PERSON_STATE: "ALIVE",
    Attribute.FACE_IMAGE: FACE,
    Attribute.FINGERPRINT_TEMPLATES: template(2) + template(7),
    Attribute.FINGERPRINT_IMAGES: finger_images(2, 7),
    Attribute.SIGNATURE_IMAGE: SIGNATURE,
}

PERSON = Person(pin=PIN, values=EVERYTHING)
"""A person with a value for every attribute."""


def json_line(person: Person) -> str:
    """Return a citizen as one JSON line."""
    fields = {
        name.value: asdict(value) if isinstance(value, LocalizedName) else str(value)
        for name, value in person.values.items()
    }
    return json.dumps(fields, ensure_ascii=False)

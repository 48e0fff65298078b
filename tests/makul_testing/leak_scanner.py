"""Search a text for people, in every form in which a value may be written."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote
from xml.sax.saxutils import escape

from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName, Person

LONG_ENOUGH = 6
"""The minimum bytes of a value; encodings of shorter ones could occur in any text by chance."""

_OF_ONE = (
    Attribute.SURNAME,
    Attribute.GIVEN_NAME,
    Attribute.PATRONYMIC,
    Attribute.DOCUMENT_NUMBER,
    Attribute.ADDRESS,
)
"""Attributes that identify a person, besides the PIN."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not appear."""

    what: str
    text: str

    def forms(self) -> Iterator[tuple[str, str]]:
        """Return how it may be written, by the name of the form, in lower case."""
        yield "as it is", self.text
        yield "in capitals", self.text.upper()
        octets = self.text.encode()
        if len(octets) < LONG_ENOUGH:
            return
        yield "hexadecimal", octets.hex()
        yield "UTF-16", octets.decode().encode("utf-16-be").hex()
        yield "percent-encoded", quote(self.text)
        yield "JSON", json.dumps(self.text)[1:-1]
        yield "XML", escape(self.text).encode("ascii", "xmlcharrefreplace").decode()
        yield "Python", ascii(self.text)[1:-1]
        yield "Python bytes", str(octets)[2:-1]
        for shift in range(3):
            yield f"base64 at {shift}", _base64_within(octets, shift)


def secrets_of(people: Iterable[Person]) -> list[Secret]:
    """Return PINs, names in every script, document numbers and addresses."""
    found: dict[Secret, None] = {}
    for person in people:
        found[Secret("PIN", person.pin.digits)] = None
        for attribute in _OF_ONE:
            value = person.values.get(attribute)
            forms = value.forms if isinstance(value, LocalizedName) else (value,)
            for form in forms:
                if isinstance(form, str):
                    found[Secret(attribute.value, form)] = None
    return list(found)


def find_leaks(text: str, secrets: Iterable[Secret]) -> list[tuple[str, str]]:
    """Return which secrets appear in the text: kind and form, never the secret itself."""
    lowered = text.lower()
    words = set(re.findall(r"\w+", lowered))
    return [
        (secret.what, name)
        for secret in secrets
        for name, form in secret.forms()
        if _stands(form.lower(), lowered, words)
    ]


def _stands(form: str, lowered: str, words: set[str]) -> bool:
    """Return whether a short word occurs as a whole word, because a part would be chance."""
    if len(form) < LONG_ENOUGH and form.isalpha():
        return form in words
    return form in lowered


def _base64_within(octets: bytes, shift: int) -> str:
    """Return the characters of any base64 in which these octets begin at 3 n + `shift`."""
    whole = binascii.b2a_base64(b"\0" * shift + octets, newline=False).decode()
    start = (0, 2, 3)[shift]
    end = (shift + len(octets)) % 3
    return whole[start : len(whole) - (0, 3, 2)[end] if end else None]


def leaks_in_every_form(secret: Secret) -> Iterator[tuple[str, str]]:
    """Return lines that contain it in each form: what a search must find."""
    for name, form in secret.forms():
        yield name, f'{{"event": "{form}"}}'
    if len(secret.text.encode()) >= LONG_ENOUGH:
        for shift in range(3):
            text = base64.b64encode(b"x" * shift + secret.text.encode() + b"yz").decode()
            yield f"base64 by hand, {shift}", f'{{"document": "{text}"}}'

"""Write the `person` element of an answer, with exactly the released attributes.

The element declares its own namespace, with the prefix `p`, which no element around it uses. So its
canonical bytes are the same inside the answer and on their own. The payload digest of the receipt
is SHA-256(salt || element). Anybody can check it: extract the element from the answer with the
exclusive canonicalisation of any library.
"""

from collections.abc import Callable
from datetime import date, datetime

from makul.app.ports import UnwritableError
from makul.documents.canonical_writer import binary, day, element, group
from makul.documents.reasons import typed
from makul.domain import biometric_samples as samples
from makul.domain.attributes import Attribute
from makul.domain.persons import AttributeValue, LocalizedName, Person

RECIPIENT = "urn:makul:recipient:1"


def render_person(person: Person, released: frozenset[Attribute]) -> bytes:
    """Return the `person` element with the attributes in `released`.

    They are in the order of the schema, which is that of `Attribute`. Raises `UnwritableError` if
    the record has no value for one of them, or a value of the wrong kind.
    """
    try:
        content = "".join(
            _CONTENT[attribute](attribute, _require_value(person, attribute))
            for attribute in Attribute
            if attribute in released
        )
    except samples.UnknownSampleError as error:
        raise UnwritableError(str(error)) from None
    return f'<p:person xmlns:p="{RECIPIENT}">{content}</p:person>'.encode()


def _require_value(person: Person, attribute: Attribute) -> AttributeValue:
    if attribute is Attribute.PIN:
        return person.pin.digits
    try:
        return person.values[attribute]
    except KeyError:
        raise UnwritableError(f"{attribute.value} is released but not held") from None


def _plain(attribute: Attribute, value: AttributeValue) -> str:
    if not isinstance(value, str):
        raise _wrong_kind(attribute)
    return element(f"p:{attribute.value}", value)


def _date(attribute: Attribute, value: AttributeValue) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _wrong_kind(attribute)
    return element(f"p:{attribute.value}", day(value))


def _name(attribute: Attribute, value: AttributeValue) -> str:
    if not isinstance(value, LocalizedName):
        raise _wrong_kind(attribute)
    forms = (("ky", value.ky), ("ru", value.ru), ("latin", value.latin))
    return _group(attribute, *(typed(script, form) for script, form in forms if form))


def _render_face(attribute: Attribute, value: AttributeValue) -> str:
    image = _bytes(attribute, value)
    return _group(attribute, element("p:format", samples.face_format(image)), _data(image))


def _templates(attribute: Attribute, value: AttributeValue) -> str:
    records = samples.finger_templates(_bytes(attribute, value))
    return _group(
        attribute,
        *(
            group("p:template", element("p:position", str(position)), _data(record))
            for position, record in records
        ),
    )


def _images(attribute: Attribute, value: AttributeValue) -> str:
    records = samples.finger_images(_bytes(attribute, value))
    return _group(
        attribute,
        *(
            group(
                "p:image",
                element("p:position", str(position)),
                element("p:format", encoding),
                _data(image),
            )
            for position, encoding, image in records
        ),
    )


def _signature(attribute: Attribute, value: AttributeValue) -> str:
    image = samples.signature_image(_bytes(attribute, value))
    return _group(attribute, binary(image))


def _group(attribute: Attribute, *content: str) -> str:
    return group(f"p:{attribute.value}", *content)


def _data(sample: bytes) -> str:
    return group("p:data", binary(sample))


def _bytes(attribute: Attribute, value: AttributeValue) -> bytes:
    if not isinstance(value, bytes):
        raise _wrong_kind(attribute)
    return value


def _wrong_kind(attribute: Attribute) -> UnwritableError:
    return UnwritableError(f"{attribute.value} is held as another kind of value")


_CONTENT: dict[Attribute, Callable[[Attribute, AttributeValue], str]] = {
    **dict.fromkeys(Attribute, _plain),
    Attribute.SURNAME: _name,
    Attribute.GIVEN_NAME: _name,
    Attribute.PATRONYMIC: _name,
    Attribute.BIRTH_DATE: _date,
    Attribute.DOCUMENT_ISSUED: _date,
    Attribute.DOCUMENT_EXPIRES: _date,
    Attribute.FACE_IMAGE: _render_face,
    Attribute.FINGERPRINT_TEMPLATES: _templates,
    Attribute.FINGERPRINT_IMAGES: _images,
    Attribute.SIGNATURE_IMAGE: _signature,
}

"""The `person` element holds exactly what was released, in the form of its digest."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from makul.documents import UnwritableError, XmlDocuments
from makul.domain.attributes import Attribute
from makul.domain.disclosures import Operation, Outcome
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul_testing.builders.documents import ANSWER, OPERATOR, canonical, local_names, valid
from makul_testing.builders.people import EVERYTHING, FACE, PERSON, finger_images, template

DOCUMENTS = XmlDocuments(OPERATOR)
IN_ANSWERS = "{urn:makul:recipient:1}"
RELEASES = replace(ANSWER, operation=Operation.GET_PERSON_DATA, outcome=Outcome.RELEASED)
SETS = st.frozensets(st.sampled_from(Attribute))


def released_answer(payload: bytes) -> bytes:
    released = replace(RELEASES, payload=payload, payload_salt=bytes(32))
    return DOCUMENTS.answer(released).with_receipt(b"receipt")


def holding(**values: AttributeValue) -> Person:
    return replace(PERSON, values={Attribute(name): value for name, value in values.items()})


@given(SETS)
def test_exactly_the_released_attributes_leave_in_schema_order(
    released: frozenset[Attribute],
) -> None:
    """docs/architecture.md, invariant 3: only released attributes are in the bytes, once each."""
    payload = DOCUMENTS.person(PERSON, released)

    assert local_names(etree.fromstring(payload)) == [
        name.value for name in Attribute if name in released
    ]
    valid(released_answer(payload), "recipient")


@pytest.mark.parametrize("attribute", Attribute)
def test_nothing_else_of_the_person_is_in_the_bytes(attribute: Attribute) -> None:
    """docs/architecture.md, invariant 3: the bytes hold no value of another attribute."""
    payload = DOCUMENTS.person(PERSON, frozenset({attribute})).decode()
    others = {
        value
        for name, value in EVERYTHING.items()
        if name is not attribute and isinstance(value, str) and len(value) > 3
    }

    assert not [value for value in others if value in payload]


@given(SETS)
def test_the_element_is_the_same_bytes_alone_and_in_the_answer(
    released: frozenset[Attribute],
) -> None:
    """PayloadDigest covers the exclusive c14n of `person` in its position in the answer."""
    payload = DOCUMENTS.person(PERSON, released)
    answer = released_answer(payload)
    envelope = (
        b'<s:E xmlns:s="urn:s" xmlns="urn:d" xmlns:p="urn:p"><s:B>' + answer + b"</s:B></s:E>"
    )

    assert canonical(etree.fromstring(payload)) == payload
    for carrier in (answer, envelope):
        person = next(etree.fromstring(carrier).iter(IN_ANSWERS + "person"))
        person.tail = None
        assert canonical(person) == payload
    assert canonical(etree.fromstring(answer)) == answer


def test_names_are_released_in_their_recorded_scripts() -> None:
    """An absent script is omitted, not written empty."""
    person = holding(surname=LocalizedName(ky="Үлгүлөва", latin="ULGULOVA", ru=""))
    payload = DOCUMENTS.person(person, frozenset({Attribute.SURNAME}))

    assert local_names(etree.fromstring(payload)[0]) == ["ky", "latin"]


def test_samples_are_released_with_their_format() -> None:
    """ISO/IEC 19794-2, -4 and -5: format and finger are read from the sample, not guessed."""
    released = frozenset(
        {Attribute.FACE_IMAGE, Attribute.FINGERPRINT_TEMPLATES, Attribute.FINGERPRINT_IMAGES}
    )
    person = etree.fromstring(DOCUMENTS.person(PERSON, released))
    namespaces = {"p": "urn:makul:recipient:1"}

    assert person.xpath("string(p:faceImage/p:format)", namespaces=namespaces) == "jpeg"
    assert person.xpath("p:fingerprintTemplates/*/p:position/text()", namespaces=namespaces) == [
        "2",
        "7",
    ]
    assert person.xpath("p:fingerprintImages/*/p:position/text()", namespaces=namespaces) == [
        "2",
        "7",
    ]
    assert (
        person.xpath("p:fingerprintImages/*/p:format/text()", namespaces=namespaces) == ["wsq"] * 2
    )
    assert (
        person.xpath("p:fingerprintImages/*/p:data/text()", namespaces=namespaces)
        == ["/6Agd3Nx"] * 2
    )


def test_jpeg_2000_is_distinguished_from_jpeg() -> None:
    """ISO/IEC 19794-5 allows both."""
    person = holding(faceImage=b"\x00\x00\x00\x0cjP  \r\n\x87\n rest")

    assert b"<p:format>jp2</p:format>" in DOCUMENTS.person(person, frozenset(person.values))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("faceImage", b""),
        ("faceImage", b"GIF89a"),
        ("faceImage", "text"),
        ("signatureImage", FACE),
        ("surname", "Үлгүлөва"),
        ("sex", LocalizedName(ky="F")),
        ("birthDate", "1990-01-01"),
        ("birthDate", datetime(1990, 1, 1)),  # noqa: DTZ001  the wrong kind is the case
        ("address", "a\x00b"),
        ("fingerprintTemplates", b""),
        ("fingerprintTemplates", template(0)),
        ("fingerprintTemplates", template(11)),
        ("fingerprintTemplates", template(2)[:-1]),
        ("fingerprintTemplates", template(2) + b"rest"),
        ("fingerprintTemplates", b"FMR\x00 20\x00" + bytes(16)),
        ("fingerprintTemplates", b"FMR\x00 20\x00\x00\x00\x00\x18" + bytes(12)),
        ("fingerprintTemplates", finger_images(2)),
        ("fingerprintImages", b""),
        ("fingerprintImages", finger_images()),
        ("fingerprintImages", finger_images(0)),
        ("fingerprintImages", finger_images(2, compression=0)),
        ("fingerprintImages", finger_images(2)[:-1]),
        ("fingerprintImages", finger_images(2, image=b"")),
    ],
)
def test_broken_values_are_not_released(name: str, value: AttributeValue) -> None:
    """A broken record releases nothing, and the error does not repeat it."""
    with pytest.raises(UnwritableError):
        DOCUMENTS.person(holding(**{name: value}), frozenset({Attribute(name)}))


@given(st.binary(max_size=80))
def test_no_finger_record_hangs_or_crashes(held: bytes) -> None:
    """Any bytes are either readable or refused."""
    for name in (Attribute.FINGERPRINT_TEMPLATES, Attribute.FINGERPRINT_IMAGES):
        for value in (held, template(2)[:12] + held, finger_images(2)[:30] + held):
            try:
                DOCUMENTS.person(replace(PERSON, values={name: value}), frozenset({name}))
            except UnwritableError:
                continue


def test_only_recorded_attributes_are_released() -> None:
    """A receipt must not name an attribute that the answer lacks."""
    with pytest.raises(UnwritableError, match="address"):
        DOCUMENTS.person(holding(), frozenset({Attribute.ADDRESS}))

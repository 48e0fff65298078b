"""Persons are stored in rows of one shape and one size, for any content."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.domain.attributes import BIOMETRIC, NAMES, Attribute
from makul.domain.persons import LocalizedName, Person, SampleRef
from makul.store import StoreKeys
from makul.store.db.codecs import CodecError, pack
from makul.store.encryption.fields import FieldCipher
from makul.store.records.person_codec import (
    FILLERS,
    PADDED_BYTES,
    name_samples,
    pad,
    person_from_bytes,
    person_to_bytes,
)
from makul_sandbox.data.citizens import citizens
from makul_testing.builders.records import AZAMAT, a_person
from makul_testing.builders.whole_records import whole_bytes

FACTS = frozenset(Attribute) - BIOMETRIC
REF = SampleRef(digest=b"i" * 32, size_bytes=1_000_000)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = st.builds(
    LocalizedName, ky=st.none() | texts, ru=st.none() | texts, latin=st.none() | texts
)
facts = st.dictionaries(st.sampled_from(sorted(FACTS)), texts | st.dates() | names)
samples = st.dictionaries(
    st.sampled_from(sorted(BIOMETRIC)),
    st.builds(
        SampleRef, digest=st.binary(min_size=32, max_size=32), size_bytes=st.integers(0, 10**7)
    ),
)
subsets = st.frozensets(st.sampled_from(Attribute))
people = st.builds(
    Person,
    pin=st.just(AZAMAT),
    values=facts,
    samples=samples,
    disputed=subsets,
    locked=st.booleans(),
    version=st.integers(1, 99),
)


@pytest.fixture(scope="module")
def cipher() -> FieldCipher:
    return FieldCipher(StoreKeys.generate())


@given(people)
def test_a_person_is_read_back_as_written(person: Person) -> None:
    """Every kind of value is read back, and none is confused with another or with a filler."""
    assert person_from_bytes(pad(person_to_bytes(person)), person.version) == person


def test_equal_persons_have_equal_bytes(cipher: FieldCipher) -> None:
    """The order of attributes is no change of the person."""
    person = a_person()
    turned = a_person(values=dict(reversed(person.values.items())))
    one, other = (name_samples(cipher, each)[0] for each in (person, turned))

    assert person_to_bytes(one) == person_to_bytes(other)


def test_samples_are_named_and_not_in_the_record(cipher: FieldCipher) -> None:
    """Demographic matching reads a row without samples."""
    person = a_person()
    record, apart = name_samples(cipher, person)
    face = person.values[Attribute.FACE_IMAGE]

    assert isinstance(face, bytes)
    assert list(apart.values()) == [face]
    assert record.samples == {
        Attribute.FACE_IMAGE: SampleRef(digest=next(iter(apart)), size_bytes=len(face))
    }
    assert record.held == person.held
    assert face not in person_to_bytes(record)
    with pytest.raises(CodecError):
        person_to_bytes(person)


def test_one_sample_as_two_attributes_has_two_names(cipher: FieldCipher) -> None:
    """A signature is not found as a face."""
    image = b"\xff\xd8\xff same"
    both = a_person(values={Attribute.FACE_IMAGE: image, Attribute.SIGNATURE_IMAGE: image})

    assert len(name_samples(cipher, both)[1]) == 2


@pytest.mark.parametrize(
    "values",
    [
        {},
        {Attribute.SURNAME: LocalizedName(ky="Э")},
        dict(citizens(1)[0].values),
    ],
    ids=["nothing", "a short name", "all that a citizen has"],
)
@pytest.mark.parametrize("refs", [{}, dict.fromkeys(BIOMETRIC, REF)], ids=["none", "all samples"])
def test_records_are_of_one_size_and_shape(
    values: dict[Attribute, Any], refs: dict[Attribute, SampleRef]
) -> None:
    """docs/architecture.md, invariant 6: length and number of fields reveal nothing."""
    written = pad(person_to_bytes(Person(pin=AZAMAT, values=values, samples=refs)))
    nobody = pad(person_to_bytes(Person(pin=AZAMAT, values=FILLERS)))

    assert len(written) == len(nobody) == PADDED_BYTES
    assert shape_of(written) == shape_of(nobody)


def shape_of(written: bytes) -> list[str]:
    header = json.loads(written[4:].rstrip(b"\0"))
    return sorted(header["facts"]) + sorted(header["samples"])


def test_every_citizen_of_a_sandbox_is_of_one_size() -> None:
    """`PADDED_BYTES` rests on it, with a tenth in reserve for longer names and addresses."""
    sizes = [len(person_to_bytes(person)) for person in citizens(1_000)]

    assert max(sizes) < 0.9 * PADDED_BYTES


def test_there_is_a_filler_of_each_kind() -> None:
    """A filler is read like a value of its attribute."""
    assert FILLERS.keys() == FACTS
    assert {name for name, value in FILLERS.items() if isinstance(value, LocalizedName)} == NAMES


# --- what does not read back ------------------------------------------------------------------


def header_of(person: Person) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(person_to_bytes(person)[4:])
    del read["parts"]
    return read


GOOD = Person(
    pin=AZAMAT,
    values={Attribute.BIRTH_DATE: date(1990, 11, 1)},
    samples={Attribute.FACE_IMAGE: REF},
)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.clear(),
        lambda header: header.update(v=3),
        lambda header: header.update(pin="1"),
        lambda header: header.update(more=1),
        lambda header: header["facts"].update(nickname="x"),
        lambda header: header["facts"].update(surname={"ky": "x"}),
        lambda header: header["facts"].update(surname={"ky": 1, "ru": None, "latin": None}),
        lambda header: header["facts"].update(birthDate={"date": "1990-02-30"}),
        lambda header: header["facts"].update(sex=None),
        lambda header: header.update(facts=[]),
        lambda header: header["facts"].pop("birthDate"),
        lambda header: header.update(samples={}),
        lambda header: header["samples"].update(faceImage=["00", 1]),
        lambda header: header["samples"].update(faceImage=["zz" * 32, 1]),
        lambda header: header["samples"].update(faceImage="x"),
        lambda header: header["samples"].update(faceImage=["00" * 32, "1"]),
        lambda header: header.update(held=["nickname"]),
        lambda header: header.update(held="birthDate"),
        lambda header: header.update(held=None),
        lambda header: header.update(disputed="surname"),
        lambda header: header.update(disputed=[["surname"]]),
        lambda header: header.update(locked=1),
    ],
)
def test_an_unreadable_record_is_refused(
    change: Callable[[dict[str, Any]], object],
) -> None:
    """Each field is broken in turn; there is never a default."""
    header = header_of(GOOD)
    assert person_from_bytes(pad(pack(header)), 1) == GOOD
    change(header)

    with pytest.raises(CodecError):
        person_from_bytes(pad(pack(header)), 1)


def test_every_byte_of_a_record_is_checked() -> None:
    """The record is cut short, or has something in the padding, or unnamed parts."""
    written = pad(person_to_bytes(GOOD))

    for broken in (b"", written[:3], written[:100], written + b"x", written[:-1] + b"x"):
        with pytest.raises(CodecError):
            person_from_bytes(broken, 1)
    with pytest.raises(CodecError):
        person_from_bytes(pack(header_of(GOOD), [b"more"]), 1)


@pytest.mark.parametrize(
    "values",
    [{Attribute.ADDRESS: b"bytes"}, {Attribute.FACE_IMAGE: "text"}],
)
def test_a_value_of_another_kind_is_not_stored(
    cipher: FieldCipher, values: dict[Attribute, Any]
) -> None:
    """It could be read as a sample of a fact, or the other way round."""
    with pytest.raises(CodecError):
        person_to_bytes(name_samples(cipher, replace(GOOD, values=values, samples={}))[0])


# --- records of before ------------------------------------------------------------------------


def test_a_record_that_holds_its_samples_is_read_as_it_was_written() -> None:
    """Format 1 is read until the record is moved."""
    person = a_person(disputed=frozenset({Attribute.ADDRESS}), locked=True, version=3)

    assert person_from_bytes(whole_bytes(person), 3) == person


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"v": 2},
        {"pin": "1"},
        {"more": 1},
        {"facts": {"nickname": "x"}},
        {"facts": []},
        {"samples": ["faceImage", "signatureImage"]},
        {"samples": []},
        {"disputed": "surname"},
        {"locked": 1},
    ],
)
def test_an_unreadable_record_of_format_1_is_refused(header: dict[str, Any]) -> None:
    """Each field is broken in turn; `{}` removes all."""
    good = {
        "v": 1,
        "pin": AZAMAT.digits,
        "facts": {"birthDate": {"date": "1990-11-01"}},
        "samples": ["faceImage"],
        "disputed": [],
        "locked": False,
    }
    read = person_from_bytes(pack(good, [b"face"]), 1)
    assert read.values[Attribute.BIRTH_DATE] == date(1990, 11, 1)

    with pytest.raises(CodecError):
        person_from_bytes(pack(good | header if header else {}, [b"face"]), 1)

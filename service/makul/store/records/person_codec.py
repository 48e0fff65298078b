"""Codec of persons: the record that matching reads, and samples in separate rows.

Format 2 has the same shape for every person. A missing value is written as a filler, and the record
is padded to a multiple of `PADDED_BYTES`. So neither the length of a row nor the time to read it
shows which values exist (invariant 6). A record names a sample by its keyed digest and its size.

Format 1 stored the samples in the record itself. It is still read until
`store.admin.person_upgrade` has moved them.
"""

import json
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from makul.domain.attributes import BIOMETRIC, Attribute
from makul.domain.identifiers import Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person, SampleRef
from makul.language.translation import translate
from makul.store.db.codecs import CodecError, only, pack, unpack
from makul.store.encryption.fields import FieldCipher, field_associated_data

FORMAT = 2
"""The format in which records are written."""

WHOLE = 1
"""The format of records that contain their samples."""

PADDED_BYTES = 1_792
"""Size class in bytes: a record is padded to a multiple of it.

Nearly all records fit in one class: the 1,000 citizens of a sandbox take 1,265 to 1,416 bytes.

Two such rows fit in a page of SQLite. One row stays below the 2,000 bytes from which PostgreSQL
moves a value to its TOAST table.
"""

_LENGTH_BYTES = 4
_DIGEST_BYTES = 32
_FACTS = tuple(attribute for attribute in Attribute if attribute not in BIOMETRIC)
_SAMPLES = tuple(attribute for attribute in Attribute if attribute in BIOMETRIC)
_ATTRIBUTES = {attribute.value: attribute for attribute in Attribute}
_NAME_KEYS = {"ky", "ru", "latin"}
_DATE_KEYS = {"date"}

_LETTER = "Ө"
_NAME_FILLER = LocalizedName(ky=_LETTER * 9, ru=_LETTER * 9, latin="o" * 9)
FILLERS: Mapping[Attribute, AttributeValue] = MappingProxyType(
    {
        Attribute.PIN: "0" * 14,
        Attribute.SURNAME: _NAME_FILLER,
        Attribute.GIVEN_NAME: _NAME_FILLER,
        Attribute.PATRONYMIC: _NAME_FILLER,
        Attribute.SEX: "M",
        Attribute.BIRTH_DATE: date(1900, 1, 1),
        Attribute.BIRTH_PLACE: _LETTER * 16,
        Attribute.CITIZENSHIP: "KGZ",
        Attribute.ADDRESS: _LETTER * 34,
        Attribute.DOCUMENT_TYPE: "ID_CARD",
        Attribute.DOCUMENT_NUMBER: "0" * 9,
        Attribute.DOCUMENT_ISSUER: "0" * 10,
        Attribute.DOCUMENT_ISSUED: date(1900, 1, 1),
        Attribute.DOCUMENT_EXPIRES: date(1900, 1, 1),
        Attribute.DOCUMENT_STATE: "VALID",
        Attribute.PERSON_STATE: "ALIVE",
    }
)
"""Values written for missing attributes. Each is as long as such a value usually is."""
_NO_SAMPLE = SampleRef(digest=bytes(_DIGEST_BYTES), size_bytes=0)


def person_associated_data(pin_index: bytes, version: int) -> bytes:
    """Return the associated data of an encrypted version of a person's record."""
    return field_associated_data("person", "sealed", pin_index, version.to_bytes(8, "big"))


def sample_associated_data(pin_index: bytes, sample_index: bytes) -> bytes:
    """Return the associated data of an encrypted sample; it decrypts only for its own person."""
    return field_associated_data("person_sample", "sealed", pin_index, sample_index)


def sample_index(cipher: FieldCipher, attribute: Attribute, sample: bytes) -> bytes:
    """Return the keyed digest that names a sample of this kind."""
    return cipher.content_index("person_sample", attribute.value.encode() + b"\x00" + sample)


def name_samples(cipher: FieldCipher, person: Person) -> tuple[Person, dict[bytes, bytes]]:
    """Return the record with names in place of its samples, and the samples by their names."""
    named, samples = dict(person.samples), {}
    values: dict[Attribute, AttributeValue] = {}
    for attribute, value in person.values.items():
        if not isinstance(value, bytes):
            values[attribute] = value
            continue
        index = sample_index(cipher, attribute, value)
        named[attribute] = SampleRef(digest=index, size_bytes=len(value))
        samples[index] = value
    record = Person(
        pin=person.pin,
        values=values,
        samples=named,
        disputed=person.disputed,
        locked=person.locked,
        version=person.version,
    )
    return record, samples


def person_to_bytes(person: Person) -> bytes:
    """Return a record as bytes of format 2, without its version and before padding.

    The version is a column of the row. Raises `CodecError` for a sample that is not named, and for
    a value of the wrong kind.
    """
    if person.values.keys() - set(_FACTS) or person.samples.keys() - set(_SAMPLES):
        raise CodecError(
            translate("a person's record holds a value of another kind than its attribute")
        )
    header = {
        "v": FORMAT,
        "pin": person.pin.digits,
        "facts": {name: _fact(person.values.get(name, FILLERS[name])) for name in _FACTS},
        "samples": {name: _sample(person.samples.get(name, _NO_SAMPLE)) for name in _SAMPLES},
        "held": sorted(person.held),
        "disputed": sorted(person.disputed),
        "locked": person.locked,
    }
    return pack(header)


def pad(content: bytes) -> bytes:
    """Return the content padded with zeros to a multiple of `PADDED_BYTES`."""
    return content + bytes(-len(content) % PADDED_BYTES)


def person_from_bytes(packed: bytes, version: int) -> Person:
    """Return the stored record, in either format; raises `CodecError`."""
    end = _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "big")
    try:
        header = json.loads(packed[_LENGTH_BYTES:end])
        if header["v"] == WHOLE:
            return _person_with_samples(packed, version)
        if header["v"] != FORMAT or packed[end:].strip(b"\x00") or header.pop("parts") != []:
            raise CodecError(translate("a person's record has an unknown format"))
        return _person(header, version)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CodecError(translate("a person's record does not read back")) from None


def _person(header: Mapping[str, Any], version: int) -> Person:
    """Return a record of format 2. Fillers are parsed like values and then dropped."""
    only(header, "v", "pin", "facts", "samples", "held", "disputed", "locked")
    attributes = frozenset(_attributes(header["held"]))
    facts = {_ATTRIBUTES[name]: _value(fact) for name, fact in header["facts"].items()}
    samples = {_ATTRIBUTES[name]: _sample_ref(ref) for name, ref in header["samples"].items()}
    if attributes - facts.keys() - samples.keys() or not isinstance(header["locked"], bool):
        raise CodecError(translate("a person's record does not read back"))
    return Person(
        pin=Pin(header["pin"]),
        values=MappingProxyType({name: facts[name] for name in facts if name in attributes}),
        samples=MappingProxyType({name: samples[name] for name in samples if name in attributes}),
        disputed=frozenset(_attributes(header["disputed"])),
        locked=header["locked"],
        version=version,
    )


def _person_with_samples(packed: bytes, version: int) -> Person:
    """Return a record of format 1, including its samples."""
    header, parts = unpack(packed)
    only(header, "v", "pin", "facts", "samples", "disputed", "locked")
    facts, names, locked = header["facts"], header["samples"], header["locked"]
    if not isinstance(facts, dict) or not isinstance(names, list) or not isinstance(locked, bool):
        raise CodecError(translate("a person's record does not read back"))
    values: dict[Attribute, AttributeValue] = {
        _ATTRIBUTES[name]: _value(fact) for name, fact in facts.items()
    }
    values.update((_ATTRIBUTES[name], part) for name, part in zip(names, parts, strict=True))
    return Person(
        pin=Pin(_string(header["pin"])),
        values=MappingProxyType(values),
        disputed=frozenset(_attributes(header["disputed"])),
        locked=locked,
        version=version,
    )


def _fact(value: AttributeValue) -> object:
    match value:
        case str():
            return value
        case date():
            return {"date": value.isoformat()}
        case LocalizedName():
            return {"ky": value.ky, "ru": value.ru, "latin": value.latin}
    raise CodecError(translate("a sample is not named: it belongs in a row of its own"))


def _value(fact: object) -> AttributeValue:
    if isinstance(fact, str):
        return fact
    if isinstance(fact, dict):
        if fact.keys() == _NAME_KEYS:
            ky, ru, latin = map(_optional, (fact["ky"], fact["ru"], fact["latin"]))
            return LocalizedName(ky=ky, ru=ru, latin=latin)
        if fact.keys() == _DATE_KEYS:
            return date.fromisoformat(_string(fact["date"]))
    raise CodecError(translate("a person's record holds a value of no known kind"))


def _sample(ref: SampleRef) -> object:
    return [ref.digest.hex(), ref.size_bytes]


def _sample_ref(stored: object) -> SampleRef:
    if not isinstance(stored, list):
        raise CodecError(translate("a person's record names a sample in no known way"))
    digest, size_bytes = stored
    index = bytes.fromhex(digest)
    if len(index) != _DIGEST_BYTES or not isinstance(size_bytes, int):
        raise CodecError(translate("a person's record names a sample in no known way"))
    return SampleRef(index, size_bytes)


def _attributes(stored: object) -> list[Attribute]:
    if not isinstance(stored, list):
        raise CodecError(translate("a stored record has a field of another type"))
    return [_ATTRIBUTES[name] for name in stored]


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise CodecError(translate("a stored record has a field of another type"))
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _string(value)

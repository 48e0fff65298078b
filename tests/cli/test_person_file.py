"""Citizens in a file: every line by itself, bad lines told by number and cause, never by value."""

import io
import json
from datetime import date
from typing import Any

import pytest

from makul.cli.house import HouseError
from makul.cli.person_file import MAX_LINE, Format, Line, read_people
from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName

PIN = "21505198590001"
CSV = (
    "pin,surname.ky,surname.ru,givenName.ky,birthDate,documentNumber,disputed,locked\n"
    f"{PIN},Асанов,Асанов,Үсөн,1985-05-15,ID9900001,address documentNumber,true\n"
)
RECORD: dict[str, Any] = {
    "pin": PIN,
    "surname": {"ky": "Асанов", "latin": "Asanov"},
    "birthDate": "1985-05-15",
    "sex": "M",
    "faceImage": "/9j/4A==",
}


def read(
    text: str | bytes, form: Format = Format.CSV, *, offset: int = 0, number: int = 0
) -> list[Line]:
    """Every line of a file."""
    content = text.encode() if isinstance(text, str) else text
    return list(read_people(io.BytesIO(content), form, offset=offset, number=number))


def read_json(**changes: Any) -> Line:
    """The one line of a JSON Lines file: the record above with fields changed."""
    (line,) = read(json.dumps(RECORD | changes), Format.JSON_LINES)
    return line


def test_a_person_from_csv() -> None:
    """Columns are attributes; names have a column for each script."""
    (line,) = read(CSV)

    assert line.number == 2
    assert line.person is not None
    assert line.person.pin.digits == PIN
    assert line.person.values[Attribute.SURNAME] == LocalizedName(ky="Асанов", ru="Асанов")
    assert line.person.values[Attribute.BIRTH_DATE] == date(1985, 5, 15)
    assert line.person.disputed == {Attribute.ADDRESS, Attribute.DOCUMENT_NUMBER}
    assert line.person.locked


def test_a_person_from_json_lines() -> None:
    """Names are objects; samples of the body are base64."""
    line = read_json()

    assert line.person is not None
    assert line.person.values[Attribute.SURNAME] == LocalizedName(ky="Асанов", latin="Asanov")
    assert line.person.values[Attribute.FACE_IMAGE] == b"\xff\xd8\xff\xe0"
    assert not line.person.locked


def test_what_is_empty_is_not_held() -> None:
    """An empty field is an attribute that is not held (REL-01), not an empty value."""
    (line,) = read(f"pin,address,surname.ky\n{PIN},,\n")

    assert line.person is not None
    assert set(line.person.values) == {Attribute.PIN}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"pin": None}, "pin: missing"),
        ({"pin": 21505198590001}, "pin: missing"),
        ({"pin": "99999999999999"}, "pin: a PIN is 14 digits, the first of them 0, 1 or 2"),
        ({"nickname": "secret"}, "a field that is no attribute"),
        ({"sex": "X"}, "sex: not of its form"),
        ({"sex": ["secret"]}, "sex: not text"),
        ({"birthDate": "15.05.1985"}, "birthDate: not a date as YYYY-MM-DD"),
        ({"surname": "secret"}, "surname: not a name by script (ky, ru, latin)"),
        ({"surname": {"kg": "secret"}}, "surname: not a name by script (ky, ru, latin)"),
        ({"surname": {"ky": 7}}, "surname.ky: not text"),
        ({"surname": {}}, "surname: in no script"),
        ({"surname": {"ky": "secret\x1b[2J"}}, "surname: not of its form"),
        ({"surname": {"ky": "<secret/>"}}, "surname: not of its form"),
        ({"address": "s" * 501}, "address: not of its form"),
        ({"documentNumber": "№secret"}, "documentNumber: not of its form"),
        ({"citizenship": "secret"}, "citizenship: not of its form"),
        ({"faceImage": "secret!"}, "faceImage: not base64"),
        ({"faceImage": "c2VjcmV0"}, "faceImage: the face image is neither JPEG nor JPEG 2000"),
        ({"signatureImage": "c2VjcmV0"}, "signatureImage: the signature image is not PNG"),
        (
            {"fingerprintTemplates": "c2VjcmV0"},
            "fingerprintTemplates: not a finger record of ISO/IEC 19794",
        ),
        ({"disputed": ["secret"]}, "disputed: not a list of attributes"),
        ({"disputed": [["secret"]]}, "disputed: not a list of attributes"),
        ({"locked": "secret"}, "locked: neither true nor false"),
    ],
)
def test_a_bad_line_is_told_by_cause(changes: dict[str, Any], cause: str) -> None:
    """What is held must fit the published schema, or no answer could be sent; no value is told."""
    line = read_json(**changes)

    assert line.person is None
    assert line.fault == cause
    assert "secret" not in cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("not json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not a JSON object"),
    ],
)
def test_what_is_no_record_is_told(text: str, cause: str) -> None:
    """A line that is no JSON object is one bad line, however deep it is nested."""
    (line,) = read(text, Format.JSON_LINES)

    assert line.fault == cause


def test_one_bad_line_spoils_no_other() -> None:
    """Each line is read by itself: the good ones around a bad one are taken."""
    good = json.dumps(RECORD)
    lines = read(f"{good}\nbad\n\n\xff\n".encode("latin-1") + f"{good}".encode(), Format.JSON_LINES)

    assert [(line.number, line.fault) for line in lines] == [
        (1, None),
        (2, "not JSON"),
        (4, "not UTF-8"),
        (5, None),
    ]


def test_a_stray_quote_swallows_no_neighbour() -> None:
    """A quoted field that does not end on its line is that line's fault, not the next person's."""
    lines = read(f'pin,address\n{PIN},"open\n{PIN},closed\n')

    assert [line.fault for line in lines] == ["quotes do not close", None]


def test_a_line_of_another_width_is_not_shifted_into_place() -> None:
    """Too few or too many fields: no guess which is missing."""
    lines = read(f"pin,address\n{PIN}\n{PIN},a,b\n")

    assert [line.fault for line in lines] == [
        "1 fields where the heading has 2",
        "3 fields where the heading has 2",
    ]


def test_an_endless_line_is_passed_over() -> None:
    """Memory stays bounded: a line beyond the limit is skipped to its end."""
    good = json.dumps(RECORD).encode()
    lines = read(b"x" * (MAX_LINE + 10) + b"\n" + good, Format.JSON_LINES)

    assert [(line.number, line.person is None) for line in lines] == [(1, True), (2, False)]


@pytest.mark.parametrize("form", Format)
def test_reading_goes_on_from_any_line(form: Format) -> None:
    """From the offset and number of any line, exactly the rest is read."""
    good = CSV.splitlines(keepends=True)[1] if form is Format.CSV else json.dumps(RECORD) + "\n"
    head = CSV.splitlines(keepends=True)[0] if form is Format.CSV else ""
    text = head + good * 4
    whole = read(text, form)

    for stop, line in enumerate(whole):
        rest = read(text, form, offset=line.end, number=line.number)
        assert [found.number for found in rest] == [found.number for found in whole[stop + 1 :]]


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        ("surname.ky,address", "no column pin"),
        ("pin,address,address", "twice"),
        ("pin,secret", "column 2 of the heading is no attribute"),
        ("pin,surname", "column 2 of the heading is no attribute"),
        ("", "is no attribute"),
    ],
)
def test_a_heading_that_cannot_serve_stops_the_import(heading: str, message: str) -> None:
    """Without its heading no line of a CSV can be understood; nothing is imported."""
    with pytest.raises(HouseError, match=message) as refused:
        read(f"{heading}\n")

    assert "secret" not in str(refused.value)


def test_a_byte_order_mark_is_no_part_of_the_heading() -> None:
    """Spreadsheets save UTF-8 with a mark."""
    (line,) = read(b"\xef\xbb\xbf" + CSV.encode())

    assert line.fault is None

"""Citizens in a file: each line by itself; bad lines by number and cause, never by value."""

import base64
import io
import json
import re
from datetime import date
from typing import Any

import pytest

from makul.admin.errors import OperatorError
from makul.cli.files.person_csv import parse_heading
from makul.cli.files.person_fields import COLUMNS, BadFieldError, person_from_fields
from makul.cli.files.persons import MAX_LINE, Format, Line, read_people
from makul.domain.attributes import Attribute
from makul.domain.persons import LocalizedName
from makul.language.translation import Language, use_language

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


NOT_A_CODE = "must be a code of 2 to 32 of A-Z, 0-9 and _, such as ID_CARD, PASSPORT"
NOT_JSON = "not JSON: write one object a line"
NOT_A_NAME = "must be up to 100 printable characters without < and >"
NOT_TEXT = "must be text in quotes"
NOT_A_DATE = "birthDate: must be a date as YYYY-MM-DD"
NO_SUCH_DAY = "birthDate: is a day that does not exist"
NOT_DISPUTED = f"disputed: must be one of {', '.join(Attribute)}"


def read(
    text: str | bytes, form: Format = Format.CSV, *, offset: int = 0, number: int = 0
) -> list[Line]:
    """Read every line of a file."""
    content = text.encode() if isinstance(text, str) else text
    return list(read_people(io.BytesIO(content), form, offset=offset, number=number))


def read_json(**changes: Any) -> Line:
    """Read the one line of a JSON Lines file: the record above with changed fields."""
    (line,) = read(json.dumps(RECORD | changes), Format.JSON_LINES)
    return line


def test_a_person_is_read_from_csv() -> None:
    """Columns are attributes; names have a column for each script."""
    (line,) = read(CSV)

    assert line.number == 2
    assert line.person is not None
    assert line.person.pin.digits == PIN
    assert line.person.values[Attribute.SURNAME] == LocalizedName(ky="Асанов", ru="Асанов")
    assert line.person.values[Attribute.BIRTH_DATE] == date(1985, 5, 15)
    assert line.person.disputed == {Attribute.ADDRESS, Attribute.DOCUMENT_NUMBER}
    assert line.person.locked


def test_a_person_is_read_from_json_lines() -> None:
    """Names are objects; biometric samples are base64."""
    line = read_json()

    assert line.person is not None
    assert line.person.values[Attribute.SURNAME] == LocalizedName(ky="Асанов", latin="Asanov")
    assert line.person.values[Attribute.FACE_IMAGE] == b"\xff\xd8\xff\xe0"
    assert not line.person.locked


def test_an_empty_field_is_a_missing_attribute() -> None:
    """An empty field is a missing attribute (REL-01), not an empty value."""
    (line,) = read(f"pin,address,surname.ky\n{PIN},,\n")

    assert line.person is not None
    assert set(line.person.values) == {Attribute.PIN}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"pin": None}, "pin: missing"),
        ({"pin": 21505198590001}, f"pin: {NOT_TEXT}"),
        ({"pin": "99999999999999"}, "pin: a PIN is 14 digits, the first of them 0, 1 or 2"),
        ({"nickname": "secret"}, "a field that is no attribute"),
        ({"surname.ky": "secret"}, "a field that is no attribute; did you mean surname.ky?"),
        ({"dateOfBirth": "secret"}, "a field that is no attribute; did you mean birthDate?"),
        ({"sex": "X"}, "sex: must be F or M"),
        ({"sex": ["secret"]}, f"sex: {NOT_TEXT}"),
        ({"birthDate": "15.05.1985"}, NOT_A_DATE),
        ({"birthDate": "19850515"}, NOT_A_DATE),
        ({"birthDate": "1985-W20-3"}, NOT_A_DATE),
        ({"birthDate": "1985-05-15T00:00"}, NOT_A_DATE),
        ({"birthDate": "٠٩٨٥-٠٥-١٥"}, NOT_A_DATE),
        ({"birthDate": "1985-02-30"}, NO_SUCH_DAY),
        ({"birthDate": "0000-01-01"}, NO_SUCH_DAY),
        ({"surname": "secret"}, "surname: not a name by script (ky, ru, latin)"),
        ({"surname": {"kg": "secret"}}, "surname: not a name by script (ky, ru, latin)"),
        ({"surname": {"ky": 7}}, f"surname.ky: {NOT_TEXT}"),
        ({"surname": {}}, "surname: is in no script"),
        ({"surname": {"ky": None}}, "surname: is in no script"),
        ({"surname": {"ky": "secret\x1b[2J"}}, f"surname.ky: {NOT_A_NAME}"),
        ({"surname": {"ky": "<secret/>"}}, f"surname.ky: {NOT_A_NAME}"),
        ({"surname": {"ky": "\ud800"}}, f"surname.ky: {NOT_A_NAME}"),
        (
            {"address": "s" * 501},
            "address: must be up to 500 printable characters without < and >",
        ),
        (
            {"documentNumber": "№secret"},
            "documentNumber: must be 3 to 20 of A-Z (Latin), 0-9 and -",
        ),
        (
            {"citizenship": "secret"},
            "citizenship: must be three capital letters (ISO 3166-1), such as KGZ",
        ),
        (
            {"documentType": "id card"},
            f"documentType: {NOT_A_CODE}",
        ),
        ({"faceImage": "secret!"}, "faceImage: must be JPEG or JPEG 2000 in base64"),
        ({"faceImage": "c2VjcmV0"}, "faceImage: the face image is neither JPEG nor JPEG 2000"),
        ({"signatureImage": "c2VjcmV0"}, "signatureImage: the signature image is not PNG"),
        (
            {"fingerprintTemplates": "c2VjcmV0"},
            "fingerprintTemplates: not a finger record of ISO/IEC 19794",
        ),
        ({"disputed": ["secret"]}, NOT_DISPUTED),
        ({"disputed": [["secret"]]}, NOT_DISPUTED),
        ({"disputed": [{}]}, NOT_DISPUTED),
        ({"disputed": "address"}, "disputed: must be a list in brackets"),
        ({"locked": "secret"}, "locked: must be true or false"),
        ({"locked": 1}, "locked: must be true or false"),
    ],
)
def test_a_bad_line_is_reported_by_its_cause(changes: dict[str, Any], cause: str) -> None:
    """A value must fit the published schema, or no answer could be sent; no value is printed."""
    line = read_json(**changes)

    assert line.person is None
    assert line.fault == cause
    assert "secret" not in cause


WRONG_TYPES: list[Any] = [
    "hushed\0",
    "hushed<",
    "\ud800",
    "9" * 4_000,
    -1,
    float("nan"),
    10**4_000,
    [[]],
    ["hushed", 1, None, {}],
    {},
    {"hushed": 1},
    {"ky": "hushed<", "hushed": 1},
    {"ky": ["hushed"]},
    {"\ud800": "hushed"},
]
JARGON = re.compile(r"nput should|pydantic|Value error|\{[a-z_]+\}|not permitted|hushed|9999|\n")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("field", [*Attribute, "disputed", "locked"])
def test_any_wrong_value_is_reported_in_our_words(field: str, language: Language) -> None:
    """One line names the field and what is permitted, in each language, and never the value."""
    for value in WRONG_TYPES:
        with use_language(language), pytest.raises(BadFieldError) as refused:
            person_from_fields({"pin": PIN, field: value})

        message = str(refused.value)
        assert re.match(rf"{field}(\.ky)?: .", message), message
        assert not JARGON.search(message), message
        assert language is Language.EN or re.search("[а-я]", message), message


@pytest.mark.parametrize("key", ["hushed", "hushed\n", "\ud800", "", "ky", "0", "PIN\0"])
@pytest.mark.parametrize("pin", [PIN, 1])
def test_an_unknown_key_is_reported_first_and_not_repeated(key: str, pin: object) -> None:
    """A misspelt key explains more than what is missing; it may be a value of somebody's."""
    with pytest.raises(BadFieldError) as refused:
        person_from_fields({"pin": pin, key: "hushed"})

    assert re.fullmatch("a field that is no attribute(; did you mean pin.)?", str(refused.value))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("not json", NOT_JSON),
        ("[" * 100_000, NOT_JSON),
        ('{"pin": ' + "1" * 5_000 + "}", NOT_JSON),
        (f'{{"pin": "{PIN}"}} {{"pin": "{PIN}"}}', NOT_JSON),
        ("[1]", "not a JSON object: write one a line"),
        ("NaN", "not a JSON object: write one a line"),
        (f'{{"pin": "{PIN}", "pin": "{PIN}"}}', "a field occurs in it twice"),
        (f'{{"pin": "{PIN}", "surname": {{"ky": "А", "ky": "Б"}}}}', "a field occurs in it twice"),
        (f'{{"pin": "{PIN}\0"}}', "holds NUL bytes"),
    ],
)
def test_a_line_without_a_record_is_reported(text: str, cause: str) -> None:
    """A line that is no JSON object is one bad line, at any depth of nesting."""
    (line,) = read(text, Format.JSON_LINES)

    assert line.fault == cause


def test_one_bad_line_affects_no_other() -> None:
    """Each line is read by itself, and the good ones around a bad one are imported."""
    good = json.dumps(RECORD)
    lines = read(f"{good}\nbad\n\n\xff\n".encode("latin-1") + f"{good}".encode(), Format.JSON_LINES)

    assert [(line.number, line.fault) for line in lines] == [
        (1, None),
        (2, NOT_JSON),
        (4, "not UTF-8"),
        (5, None),
    ]


QUOTES = "quotes do not close: a field ends on its line, and a quote in it is doubled"


@pytest.mark.parametrize("cell", ['"open', '"half" closed', '"a"b"', '"', '"""'])
def test_a_stray_quote_affects_no_other_line(cell: str) -> None:
    """A quoted field that does not end on its line is an error of that line, not of the next
    person.
    """
    lines = read(f"pin,address\n{PIN},{cell}\n{PIN},closed\n")

    assert [line.fault for line in lines] == [QUOTES, None]


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ('"Ош, Ленин, 5"', "Ош, Ленин, 5"),
        ('"ОсОО ""Үлгү"", 1"', 'ОсОО "Үлгү", 1'),
        (' "Ош, 5" ', "Ош, 5"),
        ('ОсОО "Үлгү"', 'ОсОО "Үлгү"'),
        ("  Ош   5 ", "Ош 5"),
        ('""', None),
        ('" "', None),
    ],
)
def test_quoted_fields_are_read(cell: str, address: str | None) -> None:
    """RFC 4180: separators and doubled quotes are inside quotes; spaces around them are
    accepted.
    """
    (line,) = read(f"pin,address\n{PIN},{cell}\n")

    assert line.person is not None
    assert line.person.values.get(Attribute.ADDRESS) == address


def test_a_line_of_another_width_is_refused() -> None:
    """The reader does not guess which field is missing or additional."""
    lines = read(f"pin,address\n{PIN}\n{PIN},a,b\n")

    assert [line.fault for line in lines] == [
        "1 fields where the heading has 2",
        "3 fields where the heading has 2",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"])
@pytest.mark.parametrize("first", ["", "sep=SEPARATOR"])
def test_spreadsheets_and_exporters_are_read(
    end: str, separator: str, quote: str, mark: str, first: str
) -> None:
    """All fields quoted or none; comma, semicolon or tab; a BOM; CRLF; `sep=;` first."""
    rows = [["pin", "surname.ky", "address"], [PIN, "Өмүров", "Ош"], ["", "", ""], [PIN, "", ""]]
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows)
    before = f"{first}{end}".replace("SEPARATOR", separator) if first else ""
    one, two = read(f"{mark}{before}{text}{end}")

    assert one.person is not None
    assert one.person.values[Attribute.SURNAME] == LocalizedName(ky="Өмүров")
    assert one.person.values[Attribute.ADDRESS] == "Ош"
    assert two.person is not None
    assert (one.number, two.number) == ((3, 5) if first else (2, 4))


def test_trailing_separators_are_no_fields() -> None:
    """A spreadsheet writes them for columns that were emptied."""
    lines = read(f"pin,address,,\n{PIN},Ош,,\n{PIN},Ош\n{PIN},Ош,,x\n,,,\n")

    assert [line.fault for line in lines] == [None, None, "4 fields where the heading has 2"]


def test_the_separator_of_the_heading_is_that_of_every_line() -> None:
    """A comma in an address is no separator if the heading has semicolons."""
    (line,) = read(f"pin;address\n{PIN};Ош, Ленин, 5\n")

    assert line.person is not None
    assert line.person.values[Attribute.ADDRESS] == "Ош, Ленин, 5"


def test_a_field_of_a_megabyte_is_read() -> None:
    """A face in a CSV is longer than the standard library's limit for a field."""
    face = base64.b64encode(b"\xff\xd8\xff" + bytes(1_000_000)).decode()
    (line,) = read(f"pin,faceImage\n{PIN},{face}\n")

    assert line.fault is None


def test_an_endless_line_is_skipped() -> None:
    """Memory stays bounded, because a line beyond the limit is skipped to its end."""
    good = json.dumps(RECORD).encode()
    lines = read(b"x" * (MAX_LINE + 10) + b"\n" + good, Format.JSON_LINES)

    assert [(line.number, line.person is None) for line in lines] == [(1, True), (2, False)]


@pytest.mark.parametrize("form", Format)
def test_reading_continues_from_any_line(form: Format) -> None:
    """Exactly the rest is read from the offset and number of any line."""
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
        ("surname.ky;address", "no column pin"),
        ("pin,address,address", "twice: address"),
        ('"pin","pin"', "twice: pin"),
        ("pin,secret", "column 2 of the heading is no attribute; see: makul person example"),
        ("pin,surname", "column 2 of the heading is no attribute; did you mean surname.ky?"),
        ("pin,surname_ky", "column 2 .* did you mean surname.ky?"),
        ("PIN,address", "column 1 .* did you mean pin?"),
        ("pin,date_of_birth", "column 2 .* did you mean birthDate?"),
        ("pin,,address", "column 2 of the heading is no attribute"),
        ("pin,address;sex", "column 2 of the heading is no attribute"),
        ("ИНН,Фамилия", "column 1 of the heading is no attribute"),
        ("", "first line is empty"),
        ("   ", "first line is empty"),
        ('pin,"address', "quote that does not close"),
        ('pin,"addr\ness"', "quote that does not close"),
        ("pin|surname.ky", "separated by a vertical bar"),
        (f"{PIN},secret", "first line holds data"),
        (f"{PIN}", "first line holds data"),
        ("pin,address\r", "carriage return alone"),
        ("pin\0,address", "NUL bytes"),
        ("pin," + "address" * 5_000, "longer than"),
    ],
)
def test_an_unusable_heading_stops_the_import(heading: str, message: str) -> None:
    """No line of a CSV can be understood without its heading, so nothing is imported."""
    with pytest.raises(OperatorError, match=message) as refused:
        read(heading if heading.endswith("\r") else f"{heading}\n")

    assert "secret" not in str(refused.value)
    assert PIN not in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251"])
@pytest.mark.parametrize("form", Format)
def test_another_encoding_is_named(form: Format, encoding: str) -> None:
    """The message says to save it as UTF-8; in JSON Lines, each line is reported."""
    text = f"pin,surname.ky,address\n{PIN},Асанов,Ош\n"
    if form is Format.JSON_LINES:
        text = json.dumps({"pin": PIN, "surname": {"ky": "Асанов"}}, ensure_ascii=False)
    if encoding == "cp1251":
        (line,) = read(text.encode(encoding), form)
        assert line.fault == "not UTF-8"
        return
    with pytest.raises(OperatorError, match="Save it as UTF-8"):
        read(text.encode(encoding), form)


@pytest.mark.parametrize("column", COLUMNS)
def test_columns_of_the_help_are_read(column: str) -> None:
    """`person import --help` lists exactly the columns that are read."""
    heading = parse_heading("pin" if column == "pin" else f"pin;{column}")

    assert heading.columns[-1] == column


def test_a_byte_order_mark_is_no_part_of_the_heading() -> None:
    """Spreadsheets save UTF-8 with a byte order mark."""
    (line,) = read(b"\xef\xbb\xbf" + CSV.encode())

    assert line.fault is None

"""Signed notes as bytes have exactly one form (C2SP signed-note)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.signed_note import (
    COSIGNATURE_V1,
    ED25519,
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    NoteError,
    SignatureLine,
    VerifierKey,
    format_note,
    parse_note,
    with_line,
)

LINE = SignatureLine("example.com/log", b"\x01\x02\x03\x04", bytes(64))
NOTE = Note(text=b"a text\n", signatures=(LINE,))
GOOD = format_note(NOTE)

NAMES = st.text(min_size=1, max_size=40).filter(
    lambda name: (
        "+" not in name
        and not any(each.isspace() or ord(each) < 0x20 for each in name)
        and max(name) < "\ud800"
    )
)
LINES = st.builds(
    SignatureLine,
    NAMES,
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=1, max_size=100),
)
TEXTS = (
    st.text(alphabet=st.characters(min_codepoint=0x20, exclude_categories=("Cs",)))
    .map(lambda text: text.encode() + b"\n")
    .flatmap(lambda line: st.lists(st.just(line), min_size=1, max_size=4).map(b"".join))
)


@given(TEXTS, st.lists(LINES, min_size=1, max_size=5))
def test_a_note_is_read_back(text: bytes, lines: list[SignatureLine]) -> None:
    """Parsing and formatting are inverse; texts may hold blank lines."""
    note = Note(text=text, signatures=tuple(lines))

    assert parse_note(format_note(note)) == note


@given(st.binary(max_size=300))
def test_a_parsed_note_is_formatted_byte_by_byte(document: bytes) -> None:
    """Formatting returns exactly the bytes that were parsed."""
    try:
        note = parse_note(document)
    except NoteError:
        return
    assert format_note(note) == document


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\n",
        b"a text\n",
        b"a text\n\n",
        GOOD.removesuffix(b"\n"),
        GOOD + b"\n",
        GOOD.replace(b"\n\n", b"\n"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"a text", b"a\ttext"),
        GOOD.replace(b"a text", b"a\x00text"),
        GOOD.replace(b"a text", b"a \xfftext"),
        GOOD.replace("—".encode(), b"-"),
        GOOD.replace("— ".encode(), "—".encode()),
        GOOD.replace(b"/log ", b"/log  "),
        GOOD.replace(b"/log ", b"+log "),
        GOOD.replace(b"example.com/log", "exa\u2003mple".encode()),
        GOOD.replace(b"example.com/log ", b""),
        GOOD.replace(b"AAA=\n", b"AAA\n"),
        GOOD.replace(b"AAA=\n", b"AAB=\n"),
        GOOD.replace(b"AQID", b"AQ-D"),
        format_note(NOTE).replace(str(LINE).encode(), "— name AQIDBA==".encode()),
        "a text\n\n— name AQID\n".encode(),
        b"a" * MAX_NOTE + GOOD,
        b"a text\n\n" + (str(LINE).encode() + b"\n") * (MAX_SIGNATURES + 1),
    ],
)
def test_a_malformed_note_is_refused(document: bytes) -> None:
    """Each text differs from a good note in one respect."""
    if document == GOOD:
        pytest.fail("the change changed nothing")
    with pytest.raises(NoteError):
        parse_note(document)


@pytest.mark.parametrize(
    "note",
    [
        Note(text=b"no end", signatures=(LINE,)),
        Note(text=b"a\x07bell\n", signatures=(LINE,)),
        Note(text=b"a text\n", signatures=()),
        Note(text=b"a text\n", signatures=(LINE,) * (MAX_SIGNATURES + 1)),
        Note(text=b"a" * MAX_NOTE + b"\n", signatures=(LINE,)),
    ],
)
def test_an_unreadable_note_is_not_written(note: Note) -> None:
    """Formatting follows the parser's rules."""
    with pytest.raises(NoteError):
        format_note(note)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a" * 256, "ө" * 128])
def test_a_name_that_a_line_cannot_carry_is_refused(name: str) -> None:
    """C2SP signed-note: a name is not empty, and has no space and no plus sign."""
    with pytest.raises(NoteError):
        SignatureLine(name, b"1234", b"s")
    with pytest.raises(NoteError):
        VerifierKey(name=name, kind=ED25519, public=bytes(32))


def test_a_later_line_of_a_key_replaces_the_earlier_one() -> None:
    """There is one line for each key, and other lines stay in place."""
    other = SignatureLine("other", b"\x01\x02\x03\x04", b"s")
    again = SignatureLine(LINE.name, LINE.key_id, b"again")

    changed = with_line(Note(text=b"t\n", signatures=(LINE, other)), again)

    assert changed.signatures == (other, again)


def test_a_published_verifier_key_is_read() -> None:
    """golang.org/x/mod/sumdb/note, package documentation: the example is read."""
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

    key = VerifierKey.parse(vkey)

    assert (key.name, key.kind, key.key_id.hex()) == ("PeterNeumann", ED25519, "c74f20a3")
    assert str(key) == vkey


@given(NAMES, st.sampled_from([ED25519, COSIGNATURE_V1]), st.binary(min_size=32, max_size=32))
def test_a_verifier_key_is_read_back(name: str, kind: int, public: bytes) -> None:
    """Base64 may contain plus signs."""
    key = VerifierKey(name=name, kind=kind, public=public)

    assert VerifierKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+c74f20a3",
        "name+c74f20a3+",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peterneumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
    ],
)
def test_an_inconsistent_verifier_key_is_refused(vkey: str) -> None:
    """The id is the digest of name, type and key."""
    with pytest.raises(NoteError):
        VerifierKey.parse(vkey)

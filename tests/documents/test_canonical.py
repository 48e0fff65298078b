"""Exclusive XML Canonicalization 1.0 is written directly."""

import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from makul.app.ports import UnwritableError
from makul.documents.canonical_writer import (
    attribute,
    binary,
    each,
    element,
    group,
    instant,
    optional,
    text,
)
from makul_testing.builders.documents import canonical

# every character of XML 1.0 (production 2); special ones of c14n are likely
CARRIED = st.text(
    st.one_of(
        st.sampled_from("&<>\"'\t\n\r ]өүңӨҮҢыё\u0085\u2028\u00a0"),
        st.characters(
            exclude_categories=["Cs"],
            exclude_characters=[
                *(chr(code) for code in range(32) if chr(code) not in "\t\n\r"),
                "\ufffe",
                "\uffff",
            ],
        ),
    )
)


@given(CARRIED, CARRIED)
def test_output_is_its_own_canonical_form(content: str, value: str) -> None:
    """Canonical XML 1.1, 2.3: only these characters of text and attributes are escaped."""
    written = f'<a b="{attribute(value)}">{text(content)}</a>'.encode()
    parsed = etree.fromstring(written)

    assert canonical(parsed) == written
    assert (parsed.text or "") == content
    assert parsed.get("b") == value


@given(CARRIED)
def test_no_value_becomes_markup(value: str) -> None:
    """Attack: a value that contains XML stays a value."""
    parsed = etree.fromstring(group("a", element("b", value), element("c", "")))

    assert [child.tag for child in parsed] == ["b", "c"]
    assert (parsed[0].text or "") == value


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_characters_outside_xml_are_refused(bad: str) -> None:
    """XML 1.0, production 2: the character is refused, never dropped, and the error hides the
    value.
    """
    for write in (text, attribute):
        with pytest.raises(UnwritableError) as caught:
            write(f"secret{bad}")
        assert "secret" not in str(caught.value)


def test_every_character_is_refused_or_canonical() -> None:
    """XML 1.0, production 2, and Canonical XML 1.1, 2.3: each is refused, escaped or unchanged."""
    escaped = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        carried = code in {0x9, 0xA, 0xD} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD
        if carried or code >= 0x10000:
            assert text(character) == escaped.get(character, character)
            continue
        with pytest.raises(UnwritableError):
            text(character)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 11, 2, 4, 15, tzinfo=UTC), "2026-11-02T04:15:00Z"),
        (datetime(2026, 11, 2, 4, 15, 0, 120, tzinfo=UTC), "2026-11-02T04:15:00.000120Z"),
        (datetime(2026, 11, 2, 4, 15, tzinfo=timezone(timedelta(hours=6))), "2026-11-01T22:15:00Z"),
    ],
)
def test_instants_are_written_in_utc(value: datetime, written: str) -> None:
    """docs/architecture.md, invariant 10: every instant on the wire is in UTC."""
    assert instant(value) == written


def test_an_instant_without_zone_is_refused() -> None:
    """docs/architecture.md, invariant 10: a time without a zone is ambiguous."""
    with pytest.raises(UnwritableError):
        instant(datetime(2026, 11, 2, 4, 15))  # noqa: DTZ001  the naive time is the case


def test_parts_are_written_canonically() -> None:
    """Every document is joined from these parts."""
    assert optional("a", None) == ""
    assert optional("a", "") == "<a></a>"
    assert each("a", {"y", "x"}) == "<a>x</a><a>y</a>"
    assert binary(b"\xff" * 60).isascii()
    assert "\n" not in binary(b"\xff" * 600)

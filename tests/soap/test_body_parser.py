"""Plans read what Spyne would read, in a fraction of the time, and refuse unknown content."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import makul_schemas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from makul.app.ports import RejectedError
from makul.soap.body_parser import compile_parser
from makul.soap.envelope import collapse
from makul.soap.recipient_operations import RECIPIENT
from makul.soap.spyne_setup import (
    ByteArray,
    ComplexModel,
    Date,
    DateTime,
    Fault,
    Integer32,
    Soap11,
    Unicode,
)
from makul_testing.soap_client import REQUEST_ID, R, T

_SCHEMA = etree.XMLSchema(etree.parse(makul_schemas.location() / "recipient.xsd"))
_STOCK = Soap11(validator=None)
_PLANS = {name: compile_parser(model) for name, model in RECIPIENT.models.items()}

_WHITE = st.text(" \t\r\n", max_size=3)
_GAP = st.text(" \t\r\n", min_size=1, max_size=3)
_LETTERS = st.text("абвӨөҮүҢңЯAz0 '-.\u00a0&]", min_size=1, max_size=20)

Tree = dict[str, Any]
Content = str | bytes | Tree | list[Any]


def _contents(model: Any) -> st.SearchStrategy[Any]:
    """Draw the content of an element of this model: a tree of named parts, octets, or a text."""
    if issubclass(model, ComplexModel):
        return _trees(model)
    if issubclass(model, ByteArray):
        least, most = model.Attributes.min_len, model.Attributes.max_len
        return st.binary(min_size=int(least), max_size=int(min(200, most)))
    return _texts(model)


def _texts(model: Any) -> st.SearchStrategy[str]:
    facets = model.Attributes
    if issubclass(model, Date):
        return st.dates().filter(lambda day: day.year >= 1000).map(str)
    if issubclass(model, DateTime):
        return st.timedeltas(timedelta(), timedelta(days=70_000)).map(_instant)
    if issubclass(model, Integer32):
        return st.integers(int(facets.ge), int(facets.le)).map(str)
    assert issubclass(model, Unicode)
    if facets.values:
        return st.sampled_from(sorted(facets.values))
    if facets.xsd_pattern.startswith("[^"):
        return _LETTERS.map(collapse).filter(bool)
    return st.from_regex(facets.xsd_pattern, fullmatch=True)


def _instant(since: timedelta) -> str:
    bishkek = timezone(timedelta(hours=6))
    return (datetime(2001, 1, 1, tzinfo=UTC) + since).astimezone(bishkek).isoformat()


_CHOICES = {"ConfirmMonth": ("statement", "contestedLine")}
"""The members of which a request has exactly one, by the name of its model."""

_OPTIONAL_CHOICES = {"ContestedLine": ("exception", "receipt")}
"""The members of which a part of a request has at most one."""


@st.composite
def _trees(draw: st.DrawFn, model: Any) -> Tree:
    members = model.get_flat_type_info(model)
    if model.get_type_name() == "Ground":  # one of three: the schema's choice
        name = draw(st.sampled_from(sorted(members)))
        return {name: draw(_contents(members[name]))}
    tree: Tree = {}
    optional = _OPTIONAL_CHOICES.get(model.get_type_name(), ())
    choice = _CHOICES.get(model.get_type_name(), optional)
    names = (*choice, None) if optional else choice
    chosen = draw(st.sampled_from(names)) if choice else None
    for name, member in members.items():
        if name in choice and name != chosen:
            continue
        least, most = int(member.Attributes.min_occurs), int(min(3, member.Attributes.max_occurs))
        least = 1 if name == chosen else least
        found = draw(st.lists(_contents(member), min_size=least, max_size=most))
        if found:
            tree[name] = found if member.Attributes.max_occurs > 1 else found[0]
    return tree


def _build(parent: etree._Element, model: Any, tree: Tree, draw: Any) -> None:
    """Write a tree as XML. `draw` adds white space that XML Schema collapses; None adds none."""
    if draw:
        parent.text = draw(_WHITE)
    for name, content in tree.items():
        member = model.get_flat_type_info(model)[name]
        for each in content if isinstance(content, list) else [content]:
            child = etree.SubElement(parent, f"{{{model.get_namespace()}}}{name}")
            if isinstance(each, dict):
                _build(child, member, each, draw)
            else:
                child.text = _written(each, draw, in_lines=not _is_of_one_length(member))
            if draw:
                child.tail = draw(_WHITE)


def _is_of_one_length(model: Any) -> bool:
    """Return whether the value has a pattern without white space, like digests and salts."""
    return issubclass(model, ByteArray) and model.Attributes.min_len == model.Attributes.max_len


def _written(content: str | bytes, draw: Any, *, in_lines: bool) -> str:
    text = content if isinstance(content, str) else b64encode(content).decode()
    if draw is None:
        return text
    if isinstance(content, bytes) and in_lines:
        cut = draw(st.integers(0, len(text) // 4)) * 4
        text = text[:cut] + draw(_WHITE) + text[cut:]
    text = draw(_GAP).join(text.split(" ")) if isinstance(content, str) else text
    return str(draw(_WHITE) + text + draw(_WHITE))


def _plain(value: Any) -> Any:
    """Return a reading as plain values. Spyne's octets are a tuple of chunks."""
    if isinstance(value, SimpleNamespace):
        return {name: _plain(part) for name, part in vars(value).items()}
    if isinstance(value, ComplexModel):
        members = value.get_flat_type_info(type(value))
        return {name: _plain(getattr(value, name)) for name in members}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return b"".join(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("operation", RECIPIENT.models)
@settings(max_examples=40)
@given(data=st.data())
def test_a_plan_reads_like_spyne(operation: str, data: st.DataObject) -> None:
    """Spyne reads the compact text; the plan reads it and the text with more white space.

    XML Schema part 2, 4.3.6: white space around and within tokens, numbers and dates collapses.
    """
    model = RECIPIENT.models[operation]
    tree = data.draw(_trees(model))
    tidy, loose = (etree.Element(f"{{{RECIPIENT.namespace}}}{operation}") for _ in range(2))
    _build(tidy, model, tree, None)
    _build(loose, model, tree, data.draw)
    assert _SCHEMA.validate(tidy), _SCHEMA.error_log
    assert _SCHEMA.validate(loose), _SCHEMA.error_log

    by_spyne = _plain(_STOCK.from_element(None, model, tidy))

    assert _plain(_PLANS[operation](tidy)) == by_spyne
    assert _plain(_PLANS[operation](loose)) == by_spyne


def _get_status(content: str) -> etree._Element:
    return etree.fromstring(f'<r:GetStatus xmlns:r="{R}" xmlns:t="{T}">{content}</r:GetStatus>')


_ID = f"<r:requestId>{REQUEST_ID}</r:requestId>"


@pytest.mark.parametrize(
    "content",
    [
        "",
        _ID + _ID,
        f"{_ID}<r:unknown/>",
        f"{_ID}<t:employee>e</t:employee>",
        f"{_ID}<employee>e</employee>",
        f"{_ID}<!-- -->",
        f"{_ID}<?a?>",
        f"{_ID}<r:employee>e<!-- -->f</r:employee>",
        f"{_ID}<r:employee>e<?a?>f</r:employee>",
        f"{_ID}<r:employee>e<r:employee>f</r:employee></r:employee>",
    ],
)
def test_content_unknown_to_a_plan_is_refused(content: str) -> None:
    """Unknown content fails closed, as a failure of the service: the schema refuses it earlier."""
    with pytest.raises(TypeError):
        _PLANS["GetStatus"](_get_status(content))


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (Date, "1990-02-30"),
        (Date, ""),
        (Integer32, "one"),
        (ByteArray, "AAA"),
    ],
)
def test_a_value_that_cannot_be_read_is_the_sender_s_fault(member: Any, text: str) -> None:
    """REQ-01 has the field's name, and not the value."""
    element = etree.fromstring(f'<r:field xmlns:r="{R}">{text}</r:field>')

    with pytest.raises(RejectedError) as raised:
        compile_parser(member)(element)

    assert [reason.field for reason in raised.value.reasons] == ["field"]
    assert raised.value.__cause__ is None
    assert not text or text not in str(raised.value)


def test_a_type_outside_requests_has_no_plan() -> None:
    """The error occurs at start-up, not at the first message."""
    with pytest.raises(TypeError, match="of a type that no request is made of"):
        compile_parser(Fault)

"""Answers rewritten by a party in between, so that two XML readers read them differently.

`answer_changes` changes the content of a tree; here the bytes of the tree change.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from lxml import etree

from makul_testing.answer_changes import body_of

Rewrite = Callable[[bytes], Iterator[bytes]]
TEXT = re.compile(rb">([^<>\s][^<>]*)</")
STEP = 3
"""Only every third position is tried, because every attempt verifies a signature."""


def child_of(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the bytes before the Body's child, the child, and the bytes after it."""
    found = re.search(rb"<[^<>/]*:Body>(.*)</[^<>]*:Body>", message, re.DOTALL)
    assert found is not None
    return message[: found.start(1)], found[1], message[found.end(1) :]


def at_texts(message: bytes, change: Callable[[bytes], bytes]) -> Iterator[bytes]:
    before, child, after = child_of(message)
    for found in list(TEXT.finditer(child))[::STEP]:
        begin, end = found.span(1)
        yield before + child[:begin] + change(found[1]) + child[end:] + after


def commented(message: bytes) -> Iterator[bytes]:
    """Insert comments: a reader of an element's text stops at one, and canonical XML drops it."""
    return at_texts(message, lambda text: text[:1] + b"<!-- -->" + text[1:])


def instructed(message: bytes) -> Iterator[bytes]:
    return at_texts(message, lambda text: text[:1] + b"<?x y?>" + text[1:])


def spaced(message: bytes) -> Iterator[bytes]:
    """Insert white space that a schema collapses and a digest covers, outside the
    receipt's Base64.
    """
    before, child, after = child_of(message)
    for found in list(TEXT.finditer(child))[::STEP]:
        if b"receipt" not in child[: found.start()][-12:]:
            begin, end = found.span(1)
            yield before + child[:begin] + b"\n" + found[1] + b"\t" + child[end:] + after


def emptied(message: bytes) -> Iterator[bytes]:
    return at_texts(message, lambda _: b"")


def doubled(message: bytes) -> Iterator[bytes]:
    before, child, after = child_of(message)
    yield before + child + child + after
    body = re.search(rb"<[^<>/]*:Body>.*</[^<>]*:Body>", message, re.DOTALL)
    assert body is not None
    yield message.replace(body[0], body[0] * 2)
    yield message.replace(body[0], b"<x>" + body[0] + b"</x>" + body[0].replace(child, b"<y/>"))


def renamed_prefixes(message: bytes) -> Iterator[bytes]:
    """Write the same names under another prefix, and the same prefix for another namespace."""
    before, child, after = child_of(message)
    for uri in (b"urn:makul:recipient:1", b"urn:makul:types:1"):
        if uri in child:
            yield before + child.replace(uri, uri[:-1] + b"2", 1) + after
    name = re.match(rb"\s*<([A-Za-z:]+) xmlns(?::([a-z]+))?=", child)
    assert name is not None
    yield (
        before
        + re.sub(rb"<(/?)(?=[A-Za-z]+[ >/])", rb"<\1q:", child).replace(b"xmlns=", b"xmlns:q=", 1)
        + after
    )


def reordered(message: bytes) -> Iterator[bytes]:
    """Exchange any two neighbours, not only the first of their name, at every depth."""
    count = sum(1 for _ in body_of(etree.fromstring(message)).iter())
    for number in range(1, count):
        envelope = etree.fromstring(message)
        element = list(body_of(envelope).iter())[number]
        following = element.getnext()
        if following is None or etree.tostring(element, with_tail=False) == etree.tostring(
            following, with_tail=False
        ):
            continue
        following.addnext(element)
        yield etree.tostring(envelope)


def exchanged(message: bytes) -> Iterator[bytes]:
    """Exchange the texts of two elements of one name, or of one parent."""
    tree = etree.fromstring(message)
    leaves = [i for i, each in enumerate(body_of(tree).iter()) if not len(each) and each.text]
    for one, other in pairwise(leaves):
        envelope = etree.fromstring(message)
        elements = list(body_of(envelope).iter())
        a, b = elements[one], elements[other]
        if a.text != b.text:
            a.text, b.text = b.text, a.text
            yield etree.tostring(envelope)


def attributed(message: bytes) -> Iterator[bytes]:
    """Add attributes that readers obey: nil, a type, a base, an id."""
    xsi = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    before, child, after = child_of(message)
    starts = [m.end() for m in re.finditer(rb"<[A-Za-z:]+(?=[ >])", child)]
    for attribute in (
        b'xsi:nil="true"',
        b'xsi:type="x"',
        b'xml:space="preserve"',
        b'Id="a"',
        b'id="a"',
    ):
        for start in starts[:: STEP * 2]:
            yield before + child[:start] + xsi + attribute + child[start:] + after


def declared(message: bytes) -> Iterator[bytes]:
    """Add a document type with an entity, with an attribute's default, or empty."""
    bare = re.sub(rb"^<\?xml[^>]*\?>\s*", b"", message)
    name = re.match(rb"<([^\s>]+)", bare)
    assert name is not None
    for inside in (b"", b'<!ENTITY e "x">', b'<!ATTLIST outcome a CDATA "x">'):
        yield b"<!DOCTYPE " + name[1] + b" [" + inside + b"]>" + bare


def in_other_characters(message: bytes) -> Iterator[bytes]:
    """Write CDATA sections and character references: the same text for every reader."""

    def referred(text: bytes) -> bytes:
        return "".join(f"&#{ord(each)};" for each in text.decode()).encode()

    yield from at_texts(message, lambda text: b"<![CDATA[" + text + b"]]>")
    yield from at_texts(message, referred)


REWRITES: list[Rewrite] = [
    commented,
    instructed,
    spaced,
    emptied,
    doubled,
    renamed_prefixes,
    reordered,
    exchanged,
    attributed,
    declared,
]

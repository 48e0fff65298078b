"""Canonicalisation in place gives the bytes of the standard way."""

import random
import threading
from collections.abc import Iterator

from lxml import etree

from makul.trust.base.algorithms import EXCLUSIVE, INCLUSIVE
from makul.trust.xmldsig.canonicalisation import canonical, canonical_without

NAMES = ["a", "p:b", "q:c", "r:d"]
DECLARATIONS = [
    *("", "", "", ' p:x="&#13;1"', ' p:x="xmlns" x="&gt;"'),
    *(' xmlns="urn:d"', ' xmlns="urn:e"', ' xmlns=""', ' xmlns:q="urn:q"', ' xmlns:q="urn:q2"'),
    *(' xmlns:r="urn:d"', ' xmlns:unused="urn:u"', ' xmlns:xsi="urn:x" xsi:type="q:t"'),
]


def random_tree(chance: random.Random, often: float, depth: int = 0) -> str:
    """Build nested elements with namespaces declared, redeclared, undeclared, used and unused."""
    name = chance.choice(NAMES)
    declared = chance.choice(DECLARATIONS) if chance.random() < often else ""
    inner = "".join(
        random_tree(chance, often, depth + 1)
        for _ in range(chance.randrange(4) if depth < 3 else 0)
    )
    text = chance.choice(["", "т", "\n ", "&lt;&#13;"])
    return f"<{name}{declared}>{text}{inner}</{name}>{text}"


def random_documents(count: int) -> Iterator[str]:
    chance = random.Random(20261122)  # noqa: S311 - reproducible, not secret
    names = 'xmlns:p="urn:p" xmlns:q="urn:q" xmlns:r="urn:r"'
    for number in range(count):
        often = number % 5 / 4  # in a fifth of the documents, only the root declares namespaces
        default = ("", ' xmlns="urn:d"')[number % 2]
        inner = random_tree(chance, often) + random_tree(chance, often)
        yield f"<root {names}{default}>{inner}</root>"


def stock_canonical(element: etree._Element, *, exclusive: bool) -> bytes:
    """Write the element out, parse it as a separate document, and canonicalise that."""
    again = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(again, method="c14n", exclusive=exclusive)


def test_canonical_in_place_equals_parsed_again() -> None:
    """The quick way gives exactly the bytes of the standard way.

    libxml2 gets more than a hundred of tens of thousands of elements wrong in place, so the test
    can fail.
    """
    compared = wrong_in_place = 0
    for text in random_documents(2000):
        for element in etree.fromstring(text).iter():
            inclusive = stock_canonical(element, exclusive=False)
            assert canonical(element, INCLUSIVE) == inclusive
            assert canonical(element, EXCLUSIVE) == stock_canonical(element, exclusive=True)
            compared += 1
            wrong_in_place += etree.tostring(element, method="c14n", with_tail=False) != inclusive
    assert compared > 20_000
    assert wrong_in_place > 100


def test_a_prefix_list_uses_the_standard_way() -> None:
    """RFC 3741, 3: a listed prefix is canonicalised inclusively, at any declaration."""
    for text in random_documents(50):
        for element in etree.fromstring(text).iter():
            again = etree.fromstring(etree.tostring(element, with_tail=False))
            stock = etree.tostring(
                again, method="c14n", exclusive=True, inclusive_ns_prefixes=["q", "unused"]
            )
            assert canonical(element, EXCLUSIVE, ("q", "unused")) == stock


def test_cutting_out_equals_the_enveloped_transform() -> None:
    """XML Signature 1.1, 6.6.4: the enveloped transform removes the element and keeps its tail."""
    for text in random_documents(60):
        for position in (0, 1):
            root = etree.fromstring(text)
            before = etree.tostring(root, method="c14n")
            child = root[position]
            whole = etree.tostring(root, encoding="unicode")
            cut = whole.replace(etree.tostring(child, with_tail=False, encoding="unicode"), "", 1)
            if whole.count(etree.tostring(child, with_tail=False, encoding="unicode")) != 1:
                continue
            expected = etree.tostring(etree.fromstring(cut), method="c14n")

            assert canonical_without(root, child, INCLUSIVE) == expected
            assert etree.tostring(root, method="c14n") == before


def test_the_default_prefix_counts_in_a_new_thread() -> None:
    """Exclusive canonicalisation, 3: `#default` counts after any earlier parsing of the thread.

    lxml omits prefixes that it has not met in this thread.
    """
    found: list[bytes] = []

    def run() -> None:
        element = etree.fromstring('<p:r xmlns="urn:a" xmlns:p="urn:p"><p:e><f/></p:e></p:r>')[0]
        found.append(canonical(element, EXCLUSIVE, ("#default",)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert found == [b'<p:e xmlns="urn:a" xmlns:p="urn:p"><f></f></p:e>']

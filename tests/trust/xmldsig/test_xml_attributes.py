"""Attributes of the xml namespace are inherited in a canonical form (Canonical XML 1.0 and 1.1,
2.4).
"""

from itertools import product

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from makul.domain.reasons import Code
from makul.trust.base.algorithms import EXCLUSIVE, INCLUSIVE
from makul.trust.base.errors import SignatureFailure
from makul.trust.xmldsig.canonicalisation import canonical
from makul.trust.xmldsig.xml_attributes import XML, inherited_attributes, join_references
from makul_testing.builders.generated_documents import digest_by_xmlsec

VERSION_1_1 = CanonicalizationMethod.CANONICAL_XML_1_1
NESTED = (
    '<a xml:lang="ky" xml:id="one" xml:other="1" xml:base="http://example.kg/a/b">'
    '<b xml:space="preserve" xml:base="c"><e Id="x" xml:lang="ru"><f/></e></b></a>'
)


def apex(xml: str) -> etree._Element:
    return next(each for each in etree.fromstring(xml).iter("*") if each.get("Id") == "x")


def test_version_1_0_inherits_all() -> None:
    """2.4: each attribute of the xml namespace is inherited from the nearest ancestor that
    has it.
    """
    assert inherited_attributes(apex(NESTED), INCLUSIVE) == {
        f"{XML}space": "preserve",
        f"{XML}base": "c",
        f"{XML}id": "one",
        f"{XML}other": "1",
    }


def test_version_1_1_inherits_language_space_and_base() -> None:
    """2.4: xml:id is not inherited, xml:base is joined, and no other attribute is known."""
    assert inherited_attributes(apex(NESTED), VERSION_1_1) == {
        f"{XML}space": "preserve",
        f"{XML}base": "http://example.kg/a/c",
    }


def test_exclusive_inherits_none() -> None:
    """Exclusive XML Canonicalization, 3: ancestors count only for namespaces."""
    assert canonical(apex(NESTED), EXCLUSIVE) == b'<e Id="x" xml:lang="ru"><f></f></e>'


VALUES = (None, "a", "a/", "b/c/d", "/r/s", "/", "http://h/x/y", "http://h", "https://h2:80/a.b/c")


@pytest.mark.parametrize("method", [INCLUSIVE, VERSION_1_1], ids=lambda each: each.name)
def test_bases_are_joined_like_libxml2(method: CanonicalizationMethod) -> None:
    """The test takes every triple of plain values: of the element, its parent and its
    grandparent.
    """

    def written(value: str | None) -> str:
        return "" if value is None else f' xml:base="{value}"'

    for one, two, three in product(VALUES, repeat=3):
        xml = f'<r{written(one)}><m{written(two)}><e Id="x"{written(three)}/></m></r>'
        assert digest_by_xmlsec(canonical(apex(xml), method)) == digest_by_xmlsec(
            xml, method.value
        ), (one, two, three)


@pytest.mark.parametrize(
    "odd", ["", "..", "../a", "a/../b", "?q", "#f", "//h/p", "urn:a:b", "a//b"]
)
def test_bases_that_implementations_join_differently_are_refused(odd: str) -> None:
    """SIG-04: a guess would report a good signature as altered."""
    xml = f'<r xml:base="a/b"><m xml:base="{odd}"><e Id="x"/></m></r>'

    with pytest.raises(SignatureFailure) as caught:
        canonical(apex(xml), VERSION_1_1)
    assert caught.value.code is Code.SIG_04
    assert inherited_attributes(apex(xml), INCLUSIVE) == {f"{XML}base": odd}


def test_a_single_odd_base_is_inherited_unchanged() -> None:
    """A single base needs no joining."""
    element = apex('<r xml:base="../a?b#c"><e Id="x"/></r>')

    assert inherited_attributes(element, VERSION_1_1) == {f"{XML}base": "../a?b#c"}


@pytest.mark.parametrize(
    ("base", "reference", "joined"),
    [
        ("http://h/a/b", "c", "http://h/a/c"),
        ("http://h", "c", "http://h/c"),
        ("http://h/a", "/c/d", "http://h/c/d"),
        ("a/b", "http://h/c", "http://h/c"),
        ("a/b", "c", "a/c"),
        ("a", "c/", "c/"),
    ],
)
def test_base_is_joined(base: str, reference: str, joined: str) -> None:
    """RFC 3986, 5.2: a relative reference is resolved by its base."""
    assert join_references(base, reference) == joined

"""The characters that a text may hold, by the published patterns and by the service."""

import unicodedata
from collections.abc import Iterator
from itertools import islice

import pytest
from lxml import etree

from makul.app.ports import DocumentError, RejectedError
from makul.documents.schemas import revocation_schema
from makul.domain.plain_text import has_hidden_character
from makul.domain.reasons import Code
from makul.soap.schema import PublishedSchema
from makul_testing.contract_files import XS, elements, schema_root

_REFUSED_BEFORE = """
    3C 3E 7F-9F AD 600-603 6DD 70F 17B4-17B5 200B-200F 202A-202E 2060-2063 206A-206F E000 F8FF FEFF
    FFF9-FFFB 1D173-1D17A E0001 E0020-E007F F0000 FFFFD 100000 10FFFD
"""
r"""What `[^<>\p{C}]` of contract 0.x refused in libxml2 2.14, which uses an old Unicode."""

_BEYOND_THE_PLANE = "\U000110bd\U0001343f\U0001d173\U000e0001\U000e0041\U000f1234\U0010fffd"


def _published() -> set[str]:
    """Return the pattern of every type of plain text, without its quantifier."""
    found = {
        str(pattern.get("value"))[:-1]
        for file in ("types.xsd", "identifiers.xsd", "xroad.xsd")
        for pattern in elements(schema_root(file), "//xs:pattern")
        if str(pattern.get("value")).startswith("[^")
    }
    assert found
    return found


def _accepting(pattern: str) -> etree.XMLSchema:
    root = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS})
    element = etree.SubElement(root, f"{{{XS}}}element", name="text")
    simple = etree.SubElement(element, f"{{{XS}}}simpleType")
    restriction = etree.SubElement(simple, f"{{{XS}}}restriction", base="xs:token")
    etree.SubElement(restriction, f"{{{XS}}}pattern", value=pattern)
    return etree.XMLSchema(root)


def _refused_before() -> Iterator[str]:
    for each in _REFUSED_BEFORE.split():
        first, _, last = each.partition("-")
        yield from map(chr, range(int(first, 16), int(last or first, 16) + 1))


def _characters() -> Iterator[str]:
    """Return every character of XML 1.0 (production 2) except white space, which xs:token
    collapses.
    """
    for first, last in ((0x21, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)):
        yield from map(chr, range(first, last + 1))


def _accepted(pattern: str) -> set[str]:
    schema, element = _accepting(pattern), etree.Element("text")
    found: set[str] = set()
    characters = _characters()
    waiting = list(iter(lambda: "".join(islice(characters, 1024)), ""))
    while waiting:
        block = element.text = waiting.pop()
        if schema.validate(element):
            found.update(block)
        elif len(block) > 1:
            middle = len(block) // 2
            waiting += [block[:middle], block[middle:]]
    return found


def test_all_plain_texts_share_one_pattern() -> None:
    """A rule for one text is a rule for all."""
    assert len(_published()) == 1


def test_no_character_is_accepted_that_was_refused_before() -> None:
    r"""The patterns of 1.0 accept no character that contract 0.x refused; all 1.1 million are
    tried.

    They refuse some more: characters that `\p{C}` means, and that libxml2 does not know.
    """
    published = _accepted(_published().pop() + "+")
    after = {character for character in published if not has_hidden_character(character)}
    refused = set(_characters()) - after
    before = set(_refused_before())

    assert not before - refused
    assert {unicodedata.category(each) for each in refused - before} <= {"Cf", "Co", "Cn"}
    assert not {each for each in after if unicodedata.category(each) in {"Cc", "Cf", "Co", "Cs"}}
    assert all(ord(each) > 0xFFFF for each in published - after)


@pytest.mark.parametrize("character", _BEYOND_THE_PLANE, ids=lambda each: f"U+{ord(each):X}")
def test_message_with_a_hidden_character_is_malformed(character: str) -> None:
    """REQ-01 names the element, as if the schema itself had refused a character."""
    request = etree.XML(
        '<GetStatus xmlns="urn:makul:recipient:1"><requestId>7d9a3c1e-0000-4000-8000-000000000001'
        f"</requestId><employee>a{character}b</employee></GetStatus>"
    )

    with pytest.raises(RejectedError) as refused:
        PublishedSchema("recipient.xsd").check(request)

    (reason,) = refused.value.reasons
    assert (reason.code, reason.field) == (Code.REQ_01, "employee")


def test_hidden_character_after_a_comment_is_found() -> None:
    """A comment divides a text; the rest of the text is the comment's tail."""
    namespace = "http://x-road.eu/xsd/xroad.xsd"
    header = etree.XML(f'<userId xmlns="{namespace}">a<!-- -->{_BEYOND_THE_PLANE}</userId>')

    with pytest.raises(RejectedError) as refused:
        PublishedSchema("xroad.xsd").check(header)

    assert [reason.field for reason in refused.value.reasons] == ["userId"]


@pytest.mark.parametrize("character", ["\u200b", "\u2066", *_BEYOND_THE_PLANE])
def test_document_with_a_hidden_character_is_malformed(character: str) -> None:
    """Procedure, cl. 4: the document reads the same for everybody."""
    document = etree.XML(
        '<Revocation xmlns="urn:makul:consent:1">'
        "<revocationId>7d9a3c1e-0000-4000-8000-000000000001</revocationId>"
        "<consentId>7d9a3c1e-0000-4000-8000-000000000002</consentId>"
        "<subject>20101199000001</subject>"
        "<recipient>COM/60000001</recipient><revokedAt>2026-11-30T00:00:00Z</revokedAt>"
        "<reason>x</reason></Revocation>"
    )
    revocation_schema().check(document)
    document[-1].text = f"a{character}b"

    with pytest.raises(DocumentError) as refused:
        revocation_schema().check(document)

    assert (refused.value.reason.code, refused.value.reason.field) == (Code.REQ_01, "reason")


def test_signature_may_hold_any_text() -> None:
    """The published schemas skip it, and so does this check: the CA chose names in certificates."""
    text = "\U000f1234"
    document = etree.XML(
        '<Revocation xmlns="urn:makul:consent:1">'
        "<revocationId>7d9a3c1e-0000-4000-8000-000000000001</revocationId>"
        "<consentId>7d9a3c1e-0000-4000-8000-000000000002</consentId>"
        "<subject>20101199000001</subject>"
        "<recipient>COM/60000001</recipient><revokedAt>2026-11-30T00:00:00Z</revokedAt>"
        f'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><KeyInfo>{text}</KeyInfo>'
        "</Signature></Revocation>"
    )

    revocation_schema().check(document)

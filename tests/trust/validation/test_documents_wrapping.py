"""Documents in which the signed part is not the part that would be read are refused.

The shapes XSW 1 to 8 are from Somorovsky et al., On Breaking SAML, 2012.
"""

from collections.abc import Callable

import pytest
from lxml import etree

from makul.domain.reasons import Code
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.xades import CONTENT, DS, Forge, reasons

Attack = Callable[[etree._Element], etree._Element]


def signature_of(root: etree._Element) -> etree._Element:
    found = root.find(f"{{{DS}}}Signature")
    assert found is not None
    return found


def evil_copy(root: etree._Element, identifier: str | None = None) -> etree._Element:
    """Return the document without its signature, with another subject and optionally another Id."""
    copy = etree.fromstring(etree.tostring(root))
    copy.remove(signature_of(copy))
    copy[0].text = "Мыкты"
    del copy.attrib["Id"]
    if identifier:
        copy.set("Id", identifier)
    return copy


def xsw1(root: etree._Element) -> etree._Element:
    """Put the original into the signature of an evil root."""
    evil = evil_copy(root, "evil")
    signature = signature_of(root)
    root.remove(signature)
    evil.append(signature)
    signature.append(root)
    return evil


def xsw2(root: etree._Element) -> etree._Element:
    """Put the original beside its detached signature, under an evil root."""
    evil = evil_copy(root, "evil")
    signature = signature_of(root)
    root.remove(signature)
    evil.append(root)
    evil.append(signature)
    return evil


def xsw3(root: etree._Element) -> etree._Element:
    """Put an evil sibling before the original with its signature."""
    wrapper = etree.Element("wrapper")
    wrapper.append(evil_copy(root, "evil"))
    wrapper.append(root)
    return wrapper


def xsw4(root: etree._Element) -> etree._Element:
    """Put the original with its signature into an evil root."""
    evil = evil_copy(root, "evil")
    evil.append(root)
    return evil


def xsw5(root: etree._Element) -> etree._Element:
    """Change the root, and put a copy of the original without a signature after it."""
    signature = signature_of(root)
    original = etree.fromstring(etree.tostring(root))
    original.remove(signature_of(original))
    root[0].text = "Мыкты"
    root.set("Id", "evil")
    signature.addnext(original)
    return root


def xsw6(root: etree._Element) -> etree._Element:
    """Do the same as XSW 5, with the original inside the signature."""
    signature = signature_of(root)
    original = etree.fromstring(etree.tostring(root))
    original.remove(signature_of(original))
    root[0].text = "Мыкты"
    root.set("Id", "evil")
    signature.append(original)
    return root


def xsw7(root: etree._Element) -> etree._Element:
    """Add an extension element that holds an evil copy with the same Id."""
    extension = etree.SubElement(root, "Extensions")
    extension.append(evil_copy(root, "consent"))
    root.insert(0, extension)
    return root


def xsw8(root: etree._Element) -> etree._Element:
    """Put the original into an Object of the signature of an evil root with the same Id."""
    evil = evil_copy(root, "consent")
    signature = signature_of(root)
    root.remove(signature)
    holder = etree.SubElement(signature, f"{{{DS}}}Object")
    holder.append(root)
    evil.append(signature)
    return evil


@pytest.mark.parametrize("attack", [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8])
def test_wrapping_is_refused(documents: XadesVerifier, world, attack: Attack) -> None:
    """SIG-03; signxml verifies shapes 1, 3, 5 and 8 while a naive reader reads the evil node."""
    root = etree.fromstring(Forge(holder=world.citizen).signed())

    assert reasons(documents, etree.tostring(attack(root), encoding="UTF-8")) == (Code.SIG_03,)


@pytest.mark.parametrize("attack", [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw8])
def test_wrapping_of_the_empty_uri_is_refused(
    documents: XadesVerifier, world, attack: Attack
) -> None:
    """URI="" means the whole document, so any wrapping changes what was signed."""
    root = etree.fromstring(Forge(holder=world.citizen, document_uri="").signed())

    assert reasons(documents, etree.tostring(attack(root), encoding="UTF-8"))[0] in (
        Code.SIG_02,
        Code.SIG_03,
    )


@pytest.mark.parametrize("name", ["Id", "ID", "id", "xml:id", "iD"])
def test_duplicate_identifiers_are_refused(documents: XadesVerifier, world, name: str) -> None:
    """A clone with `ID=` rather than `Id=` is refused; signxml accepts it."""
    clone = f'<c:subject {name}="properties">x</c:subject></c:Consent>'
    content = CONTENT.replace("</c:Consent>", clone)

    assert reasons(documents, Forge(holder=world.citizen, content=content).signed()) == (
        Code.SIG_03,
    )


def test_two_signatures_are_refused(documents: XadesVerifier, world) -> None:
    """A document must have exactly one signature, because two are ambiguous."""
    root = etree.fromstring(Forge(holder=world.citizen).signed())
    other = signature_of(etree.fromstring(Forge(holder=world.rsa_citizen).signed()))
    for element in other.iter("*"):
        element.attrib.pop("Id", None)
    root.append(other)

    assert reasons(documents, etree.tostring(root)) == (Code.SIG_03,)


def test_missing_signature_is_refused(documents: XadesVerifier) -> None:
    """SIG-01: a signature is missing."""
    assert reasons(documents, CONTENT.encode()) == (Code.SIG_01,)

"""Documents in which what was signed is not what would be read. Each is refused.

The shapes XSW 1 to 8 are of Somorovsky et al., On Breaking SAML, 2012.
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
    """The document without its signature, with another subject and, perhaps, another Id."""
    copy = etree.fromstring(etree.tostring(root))
    copy.remove(signature_of(copy))
    copy[0].text = "Мыкты"
    del copy.attrib["Id"]
    if identifier:
        copy.set("Id", identifier)
    return copy


def xsw1(root: etree._Element) -> etree._Element:
    """The original goes into the signature of an evil root."""
    evil = evil_copy(root, "evil")
    signature = signature_of(root)
    root.remove(signature)
    evil.append(signature)
    signature.append(root)
    return evil


def xsw2(root: etree._Element) -> etree._Element:
    """The original stands detached beside its signature, under an evil root."""
    evil = evil_copy(root, "evil")
    signature = signature_of(root)
    root.remove(signature)
    evil.append(root)
    evil.append(signature)
    return evil


def xsw3(root: etree._Element) -> etree._Element:
    """An evil sibling before the original, signature and all."""
    wrapper = etree.Element("wrapper")
    wrapper.append(evil_copy(root, "evil"))
    wrapper.append(root)
    return wrapper


def xsw4(root: etree._Element) -> etree._Element:
    """The original, signature and all, inside an evil root."""
    evil = evil_copy(root, "evil")
    evil.append(root)
    return evil


def xsw5(root: etree._Element) -> etree._Element:
    """The root is changed, and its original copied without a signature behind it."""
    signature = signature_of(root)
    original = etree.fromstring(etree.tostring(root))
    original.remove(signature_of(original))
    root[0].text = "Мыкты"
    root.set("Id", "evil")
    signature.addnext(original)
    return root


def xsw6(root: etree._Element) -> etree._Element:
    """As XSW 5, with the original inside the signature."""
    signature = signature_of(root)
    original = etree.fromstring(etree.tostring(root))
    original.remove(signature_of(original))
    root[0].text = "Мыкты"
    root.set("Id", "evil")
    signature.append(original)
    return root


def xsw7(root: etree._Element) -> etree._Element:
    """An extension element holds an evil copy with the same Id."""
    extension = etree.SubElement(root, "Extensions")
    extension.append(evil_copy(root, "consent"))
    root.insert(0, extension)
    return root


def xsw8(root: etree._Element) -> etree._Element:
    """The original lies in an Object of the signature of an evil root of the same Id."""
    evil = evil_copy(root, "consent")
    signature = signature_of(root)
    root.remove(signature)
    holder = etree.SubElement(signature, f"{{{DS}}}Object")
    holder.append(root)
    evil.append(signature)
    return evil


@pytest.mark.parametrize("attack", [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8])
def test_wrapping(documents: XadesVerifier, world, attack: Attack) -> None:
    """FACTS, signxml: shapes 1, 3, 5 and 8 verify there while a naive reader sees the evil node."""
    root = etree.fromstring(Forge(holder=world.citizen).signed())

    assert reasons(documents, etree.tostring(attack(root), encoding="UTF-8")) == (Code.SIG_03,)


@pytest.mark.parametrize("attack", [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw8])
def test_wrapping_of_the_empty_uri(documents: XadesVerifier, world, attack: Attack) -> None:
    """With URI="" the whole document is meant, so any wrapping changes what was signed."""
    root = etree.fromstring(Forge(holder=world.citizen, document_uri="").signed())

    assert reasons(documents, etree.tostring(attack(root), encoding="UTF-8"))[0] in (
        Code.SIG_02,
        Code.SIG_03,
    )


@pytest.mark.parametrize("name", ["Id", "ID", "id", "xml:id", "iD"])
def test_duplicate_identifiers(documents: XadesVerifier, world, name: str) -> None:
    """FACTS, signxml: a clone with `ID=` rather than `Id=` passed there."""
    clone = f'<c:subject {name}="properties">x</c:subject></c:Consent>'
    content = CONTENT.replace("</c:Consent>", clone)

    assert reasons(documents, Forge(holder=world.citizen, content=content).signed()) == (
        Code.SIG_03,
    )


def test_two_signatures(documents: XadesVerifier, world) -> None:
    """Exactly one signature, or nobody can say which one was meant."""
    root = etree.fromstring(Forge(holder=world.citizen).signed())
    other = signature_of(etree.fromstring(Forge(holder=world.rsa_citizen).signed()))
    for element in other.iter("*"):
        element.attrib.pop("Id", None)
    root.append(other)

    assert reasons(documents, etree.tostring(root)) == (Code.SIG_03,)


def test_no_signature(documents: XadesVerifier) -> None:
    """SIG-01: a signature is missing."""
    assert reasons(documents, CONTENT.encode()) == (Code.SIG_01,)

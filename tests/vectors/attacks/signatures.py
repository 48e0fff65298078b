"""One signature too many, a signature in the wrong position, or none."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING

from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import DS, ENVELOPED, EXC_C14N, XADES
from vectors.attacks.drafts import reference, signed, spoilt
from vectors.attacks.vector import Vector
from vectors.attacks.wrapping import OBJECT, signature_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectors.attacks.cast import Cast
    from vectors.attacks.drafts import Draft


def second_copy(root: "Element") -> None:
    """Add the same signature once more."""
    root.append(deepcopy(signature_of(root)))


def second_renamed(root: "Element") -> None:
    """Add the same signature once more, without identifiers."""
    copy = deepcopy(signature_of(root))
    for element in copy.iter("*"):
        element.attrib.pop("Id", None)
    root.append(copy)


def by_another(cast: "Cast", *, first: bool) -> bytes:
    """Add a signature of another signer before or after the citizen's."""
    other = etree.fromstring(signed(cast, holder=cast.attacker))
    extra = signature_of(other)
    for element in extra.iter("*"):
        element.attrib.pop("Id", None)

    def edit(root: "Element") -> None:
        signature_of(root).addprevious(extra) if first else root.append(extra)

    return spoilt(cast, edit)


def nested(root: "Element") -> None:
    """Put a signature inside the signature."""
    inner = deepcopy(signature_of(root))
    for element in inner.iter("*"):
        element.attrib.pop("Id", None)
    etree.SubElement(signature_of(root), OBJECT).append(inner)


def deeper(root: "Element") -> None:
    """Move the signature one level down."""
    signature = signature_of(root)
    etree.SubElement(root, "holder").append(signature)


def counter_signature(root: "Element") -> None:
    """Add a signature to the unsigned properties, which XAdES allows and our profile does not."""
    inner = deepcopy(signature_of(root))
    for element in inner.iter("*"):
        element.attrib.pop("Id", None)
    qualifying = next(root.iter(f"{{{XADES}}}QualifyingProperties"))
    unsigned = etree.SubElement(qualifying, f"{{{XADES}}}UnsignedProperties")
    own = etree.SubElement(unsigned, f"{{{XADES}}}UnsignedSignatureProperties")
    etree.SubElement(own, f"{{{XADES}}}CounterSignature").append(inner)


def enveloping(cast: "Cast") -> bytes:
    """Make the signature the root, with the consent in its Object."""

    def edit(root: "Element") -> "Element":
        signature = signature_of(root)
        root.remove(signature)
        etree.SubElement(signature, OBJECT).append(root)
        return signature

    return spoilt(cast, edit)


def bare(cast: "Cast") -> bytes:
    return cast.content().encode()


def emptied(root: "Element") -> None:
    """Empty the Signature."""
    for part in list(signature_of(root)):
        signature_of(root).remove(part)


def foreign_namespace(root: "Element") -> None:
    """Change the case of a letter in the signature's namespace, so that it is no signature."""
    signature = signature_of(root)
    signature.tag = f"{{{DS.upper()}}}Signature"


def both_documents(cast: "Cast") -> bytes:
    """Add two references to the document, one of them by the empty URI."""

    def edit(drawn: "Draft") -> None:
        drawn.info.append(etree.fromstring(_plain("")))

    return signed(cast, edit)


def _plain(uri: str) -> str:
    new_reference = reference(uri, (ENVELOPED, EXC_C14N))
    return new_reference.replace("<ds:Reference", f'<ds:Reference xmlns:ds="{DS}"', 1)


def _vectors() -> list[Vector]:
    edits: list[tuple[Callable[[Element], None], Code]] = [
        (second_copy, Code.SIG_03),
        (second_renamed, Code.SIG_03),
        (nested, Code.SIG_03),
        (deeper, Code.SIG_03),
        (counter_signature, Code.SIG_03),
        (emptied, Code.SIG_03),
        (foreign_namespace, Code.SIG_01),
    ]
    found = [
        Vector(
            name=f"signatures/{edit.__name__.replace('_', '-')}",
            why=(edit.__doc__ or "").rstrip("."),
            build=partial(_edited, edit=edit),
            code=code,
        )
        for edit, code in edits
    ]
    return [
        *found,
        Vector(
            name="signatures/another-signer-first",
            why="which of the two was meant?",
            build=partial(by_another, first=True),
            code=Code.SIG_03,
        ),
        Vector(
            name="signatures/another-signer-after",
            why="which of the two was meant?",
            build=partial(by_another, first=False),
            code=Code.SIG_03,
        ),
        Vector(
            name="signatures/enveloping",
            why="the consent would be an Object of its signature",
            build=enveloping,
            code=Code.SIG_03,
        ),
        Vector(name="signatures/none", why="nobody signed it", build=bare, code=Code.SIG_01),
        Vector(
            name="signatures/document-referred-to-twice",
            why="two digests of the same element, by two URIs",
            build=both_documents,
            code=Code.SIG_03,
        ),
    ]


def _edited(cast: "Cast", edit: Callable[["Element"], None]) -> bytes:
    return spoilt(cast, edit)


VECTORS: tuple[Vector, ...] = tuple(_vectors())

"""Wrapping: the signed element is moved, and an unsigned one is where a reader looks.

Somorovsky et al., On Breaking SAML: Be Whoever You Want to Be (USENIX Security 2012), shapes 1 to
8; McIntosh and Austel, XML Signature Element Wrapping Attacks (2005). SAML's assertion is our root,
so "the evil assertion" is an evil root, or an evil element that a lax reader finds first.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING

from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import DS, XADES
from vectors.attacks.drafts import IDENTIFIERS, signed, spoilt
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectors.attacks.cast import Cast
    from vectors.attacks.drafts import Draft

SIGNATURE, OBJECT = f"{{{DS}}}Signature", f"{{{DS}}}Object"


def signature_of(root: "Element") -> "Element":
    return next(root.iter(SIGNATURE))


def without_signature(root: "Element") -> "Element":
    copy = deepcopy(root)
    copy.remove(next(copy.iter(SIGNATURE)))
    return copy


def evil_of(root: "Element", name: str | None, identifier: str) -> "Element":
    """Return the unsigned consent of another person, with some identifier or none."""
    evil = without_signature(root)
    spoil(evil)
    del evil.attrib["Id"]
    if name is not None:
        evil.set(name, identifier)
    return evil


def spoil(consent: "Element") -> None:
    """Put another person's number where schema and reader look for it."""
    pin = next(element for element in consent.iter("*") if element.tag.endswith("}pin"))
    pin.text = "20202199000028"


def xsw1(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original into the signature of an evil root."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    evil.append(signature)
    signature.append(root)
    return evil


def xsw2(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original beside its detached signature, under an evil root."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    evil.append(root)
    evil.append(signature)
    return evil


def xsw3(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put an evil sibling before the original, under a root without meaning."""
    wrapper = etree.Element("wrapper")
    wrapper.append(evil_of(root, name, identifier))
    wrapper.append(root)
    return wrapper


def xsw4(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original with its signature into an evil root, as a child."""
    evil = evil_of(root, name, identifier)
    evil.append(root)
    return evil


def xsw5(root: "Element", name: str | None, identifier: str) -> "Element":
    """Change the signed root itself, and put its original after the signature."""
    original = without_signature(root)
    spoil(root)
    rename(root, name, identifier)
    signature_of(root).addnext(original)
    return root


def xsw6(root: "Element", name: str | None, identifier: str) -> "Element":
    """Do the same as shape 5, with the original inside the signature."""
    original = without_signature(root)
    spoil(root)
    rename(root, name, identifier)
    signature_of(root).append(original)
    return root


def xsw7(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the evil consent into an extension element, which a lax schema accepts."""
    extension = etree.Element("Extensions")
    extension.append(evil_of(root, name, identifier))
    root.insert(0, extension)
    return root


def xsw8(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original into an Object of the signature of an evil root."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    etree.SubElement(signature, OBJECT).append(root)
    evil.append(signature)
    return evil


def in_first_object(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original into the Object that holds the qualifying properties."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    next(signature.iter(OBJECT)).append(root)
    evil.append(signature)
    return evil


def in_unsigned_properties(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original among the unsigned properties, where anything is allowed."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    qualifying = next(signature.iter(f"{{{XADES}}}QualifyingProperties"))
    etree.SubElement(qualifying, f"{{{XADES}}}UnsignedProperties").append(root)
    evil.append(signature)
    return evil


def in_key_info(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original into KeyInfo."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    next(signature.iter(f"{{{DS}}}KeyInfo")).append(root)
    evil.append(signature)
    return evil


def in_manifest(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the original into a Manifest, of which core validation checks no digest."""
    evil, signature = evil_of(root, name, identifier), signature_of(root)
    root.remove(signature)
    holder = etree.SubElement(signature, OBJECT)
    etree.SubElement(holder, f"{{{DS}}}Manifest").append(root)
    evil.append(signature)
    return evil


def before_signature(root: "Element", name: str | None, identifier: str) -> "Element":
    """Put the evil consent first in the root, where a search finds it."""
    root.insert(0, evil_of(root, name, identifier))
    return root


def rename(root: "Element", name: str | None, identifier: str) -> None:
    del root.attrib["Id"]
    if name is not None:
        root.set(name, identifier)


Shape = Callable[["Element", str | None, str], "Element"]
SHAPES: tuple[Shape, ...] = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)
"""The shapes of Somorovsky, in his order."""
OURS: tuple[Shape, ...] = (
    in_first_object,
    in_unsigned_properties,
    in_key_info,
    in_manifest,
    before_signature,
)

CODES = {
    xsw7: Code.SIG_02,
    before_signature: Code.SIG_02,
    in_first_object: Code.SIG_02,
}
"""Shapes that keep root and signature in place.

The digest or the form of the properties fails; with the document's own identifier, the second
element with it is the failure.
"""


def _attribute(name: str | None) -> str:
    return {None: "no id", IDENTIFIERS[-1]: "xml:id"}.get(name, str(name))


def _wrapped(
    cast: "Cast", shape: Shape, name: str | None, identifier: str, uri: str = "#consent"
) -> bytes:
    return spoilt(cast, lambda root: shape(root, name, identifier), uri=uri)


def _vectors() -> list[Vector]:
    found = []
    for shape in SHAPES + OURS:
        source = (
            "Somorovsky et al. 2012"
            if shape in SHAPES
            else "a part that our own profile does not restrict"
        )
        for name in (None, *IDENTIFIERS):
            for identifier in ("consent", "evil") if name else ("",):
                which = f"{_attribute(name)} {identifier}".strip().replace(" ", "-")
                found.append(
                    Vector(
                        name=f"wrapping/{shape.__name__}-{which}",
                        why=f"{(shape.__doc__ or '').rstrip('.')} ({source})",
                        build=partial(_wrapped, shape=shape, name=name, identifier=identifier),
                        code=CODES.get(shape, Code.SIG_03)
                        if identifier != "consent"
                        else Code.SIG_03,
                    )
                )
    return found


def _whole(shape: Shape, code: Code) -> Vector:
    """Wrap with URI="", which means the whole document, so its digest or position is wrong."""
    return Vector(
        name=f"wrapping/{shape.__name__}-empty-uri",
        why=f"{(shape.__doc__ or '').rstrip('.')}, and the reference is to the whole document",
        build=partial(_wrapped, shape=shape, name="Id", identifier="evil", uri=""),
        code=code,
    )


def duplicate(cast: "Cast", *, name: str, value: str, before: bool) -> bytes:
    """Add another element with an identifier of the signature's, and sign it too."""

    def edit(drawn: "Draft") -> None:
        extra = etree.Element("extra")
        extra.set(name, value)
        drawn.root.insert(0 if before else len(drawn.root) - 1, extra)

    return signed(cast, edit)


def two_identifiers(cast: "Cast", *, name: str) -> bytes:
    """Give the root the same identifier under two names."""
    return signed(cast, lambda drawn: drawn.root.set(name, "consent"))


def reference_by(cast: "Cast", *, name: str) -> bytes:
    """Identify the root by another attribute than ours."""

    def edit(drawn: "Draft") -> None:
        del drawn.root.attrib["Id"]
        drawn.root.set(name, "consent")

    return signed(cast, edit)


def _duplicates() -> list[Vector]:
    return [
        Vector(
            name=f"identifiers/{_attribute(name)}-of-{value}-{'before' if before else 'after'}",
            why="signxml took a clone with ID= for the one with Id=; readers differ",
            build=partial(duplicate, name=name, value=value, before=before),
            code=Code.SIG_03,
            schema=False,
        )
        for name in IDENTIFIERS
        for value in ("consent", "properties", "signature")
        for before in (True, False)
    ]


VECTORS: tuple[Vector, ...] = (
    *_vectors(),
    *(_whole(shape, Code.SIG_03) for shape in (xsw1, xsw3, xsw4, xsw6, xsw8)),
    *(_whole(shape, Code.SIG_02) for shape in (xsw2, xsw5, xsw7)),
    *_duplicates(),
    *(
        Vector(
            name=f"identifiers/two-of-the-root-{_attribute(name)}",
            why="two attributes that software takes for its ID, with one value",
            build=partial(two_identifiers, name=name),
            code=Code.SIG_03,
            schema=False,
        )
        for name in IDENTIFIERS[1:]
    ),
    *(
        Vector(
            name=f"identifiers/root-by-{_attribute(name)}",
            why="only Id is an ID in our schemas; another attribute is found by some readers alone",
            build=partial(reference_by, name=name),
            code=Code.SIG_03,
            schema=False,
        )
        for name in IDENTIFIERS[1:]
    ),
)

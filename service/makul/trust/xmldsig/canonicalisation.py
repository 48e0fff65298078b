"""Canonicalise elements as XML Signature requires it: inclusive or exclusive, without comments.

libxml2 computes the bytes. This module gives it each element in a form whose bytes are right.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from makul.net.xml_parser import own_parser
from makul.trust.base.algorithms import EXCLUSIVE
from makul.trust.xmldsig.parsing import parse_signed
from makul.trust.xmldsig.xml_attributes import inherited_attributes

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_DEFAULT = "#default"
"""The token for the default namespace in a PrefixList (Exclusive XML Canonicalization, 3)."""


def canonical(
    element: "Element",
    method: CanonicalizationMethod,
    prefixes: Sequence[str] = (),
) -> bytes:
    """Return the canonical bytes of an element, without comments and without its tail.

    The element is canonicalised in place if that gives the right bytes. It does so in three cases:
    for a root; for exclusive canonicalisation without a PrefixList; and for inclusive
    canonicalisation if nothing below the element's own start tag declares a namespace.

    To canonicalise an element that is not a root, lxml moves its children to a new root, which
    declares the namespaces in scope. At the children libxml2 then finds the original declarations
    and treats those of the new root as hidden. It may declare a namespace again, and it writes
    `xmlns=""` if there is a default namespace. It omits no declaration. So the bytes are right if
    they contain no declaration below the start tag. Otherwise the element is parsed again with the
    namespaces in scope, as for a PrefixList.

    An inclusive method inherits attributes such as `xml:lang` from ancestors. They are set on the
    element that was parsed again, because libxml2 never sees the ancestors.
    """
    exclusive = method is EXCLUSIVE
    if prefixes:
        alone = parse_signed(etree.tostring(element, with_tail=False))
        return _canonicalise_element(alone, exclusive, _as_libxml2_has_them(prefixes))
    inherited = {} if exclusive else inherited_attributes(element, method)
    if inherited:
        alone = _standing_alone(element)
        for name, value in inherited.items():
            alone.set(name, value)
        return _canonicalise_element(alone, exclusive)
    octets = _canonicalise_element(element, exclusive)
    if exclusive or octets.find(b"xmlns", octets.find(b">")) < 0 or element.getparent() is None:
        return octets
    return _canonicalise_element(_standing_alone(element), exclusive)


def _as_libxml2_has_them(prefixes: Sequence[str]) -> Sequence[str]:
    """Return a PrefixList with the empty prefix instead of `#default`.

    lxml omits prefixes that it never parsed in a document of this thread, because they cannot be in
    scope. `#default` is not an XML name, so lxml never parses it. libxml2 accepts the empty prefix
    for it. lxml knows the empty prefix as soon as it has parsed a declaration `xmlns=""`, as here.
    """
    if _DEFAULT not in prefixes:
        return prefixes
    etree.fromstring(b'<met xmlns=""/>', own_parser())
    return ["" if prefix == _DEFAULT else prefix for prefix in prefixes]


def _canonicalise_element(
    element: "Element", exclusive: bool, prefixes: Sequence[str] = ()
) -> bytes:
    return etree.tostring(
        element,
        method="c14n",
        exclusive=exclusive,
        with_comments=False,
        inclusive_ns_prefixes=list(prefixes) or None,
    )


def _standing_alone(element: "Element") -> "Element":
    """Return the element as the root of its own document: a copy, unless it is a root already."""
    if element.getparent() is None:
        return element
    return parse_signed(etree.tostring(element, with_tail=False))


def canonical_without(
    root: "Element",
    child: "Element",
    method: CanonicalizationMethod,
    prefixes: Sequence[str] = (),
) -> bytes:
    """Return the canonical bytes of a root without one child, as the enveloped transform requires.

    The child is inserted again at its index. Its namespace declarations may then be at other
    elements inside it than before. A caller must therefore read what it needs of the child first
    (XML Signature 1.1, 6.6.4).
    """
    position = root.index(child)
    tail, child.tail = child.tail, None
    before = root[position - 1] if position else None
    text = before.tail if before is not None else root.text
    joined = (text or "") + (tail or "") or None
    root.remove(child)
    try:
        _set_text(root, before, joined)
        return canonical(root, method, prefixes)
    finally:
        _set_text(root, before, text)
        root.insert(position, child)
        child.tail = tail


def _set_text(root: "Element", before: "Element | None", text: str | None) -> None:
    if before is None:
        root.text = text
    else:
        before.tail = text

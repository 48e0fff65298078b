"""Transforms that remove the signature from its document, and nothing else.

XML Signature 1.1, 6.6.4, calls it the enveloped transform. EU DSS writes an XPath filter in its
place by default, others an XPath expression. An expression is evaluated by nobody here. It is the
enveloped transform if its text is one of a few that are known, letter by letter, its prefix is
bound to XML Signature's namespace, and the document holds one Signature in all; whoever reads a
reference as enveloped has to make sure of the last.
"""

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from signxml.algorithms import SignatureConstructionMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.trust.base.errors import SignatureFailure
from makul.trust.xmldsig.parsing import DS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element as Element

ENVELOPED: Final = SignatureConstructionMethod.enveloped.value
FILTER2: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
"""XML-Signature XPath Filter 2.0: the algorithm's URI, and its namespace."""
XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
"""XML Signature 1.1, 6.6.3."""

_MAX_EXPRESSION: Final = 256
"""Characters; the longest expression known has 110 with its usual white space."""
_PREFIX: Final = r"(?P<prefix>[A-Za-z_][A-Za-z0-9_.-]{0,31})"
_SUBTRACTED: Final = re.compile(
    rf"(?:/descendant::|//|/descendant-or-self::|here\(\)/ancestor::){_PREFIX}:Signature"
)
"""Of a filter `subtract`: the node-set that is removed, with all below it (Filter 2.0, 3). Only the
last names this Signature whatever else there is, as `here()/ancestor::ds:Signature[1]` does."""
_SUBTRACTED_HERE: Final = re.compile(rf"here\(\)/ancestor::{_PREFIX}:Signature\[1\]")
_KEPT: Final = re.compile(rf"not\(ancestor-or-self::{_PREFIX}:Signature\)")
"""Of an XPath transform: true for each node that stays."""
_KEPT_HERE: Final = re.compile(
    rf"count\(ancestor-or-self::{_PREFIX}:Signature\|here\(\)/ancestor::(?P=prefix):Signature\[1\]\)"
    r">count\(ancestor-or-self::(?P=prefix):Signature\)"
)
"""The expression by which XML Signature 1.1, 6.6.4, explains the enveloped transform."""
_SPACE: Final = re.compile("[ \t\r\n]+")
_REMOVING: Final = frozenset({ENVELOPED, FILTER2, XPATH})


def split_removals(steps: "Sequence[Element]") -> "tuple[bool, Sequence[Element]]":
    """Return whether a reference's transforms begin by removing the signature; and the others.

    Some tools write the enveloped transform and then a filter, which has nothing left to do. Raises
    `SignatureFailure`, SIG-04, for an expression that is not known to do just that.
    """
    removals = list(takewhile(_is_removal, steps))
    for step in removals:
        _require_removal(step)
    if len({step.get("Algorithm") == ENVELOPED for step in removals}) != len(removals):
        raise _refused("the signature is removed twice in the same way", "Transform")
    return bool(removals), steps[len(removals) :]


def _is_removal(step: "Element") -> bool:
    return step.get("Algorithm") in _REMOVING


def _require_removal(step: "Element") -> None:
    algorithm = step.get("Algorithm")
    if algorithm == ENVELOPED:
        if len(step):
            raise _refused("the enveloped transform takes no parameters", "Transform")
        return
    name = f"{{{FILTER2 if algorithm == FILTER2 else DS}}}XPath"
    if len(step) != 1 or step[0].tag != name or len(step[0]):
        raise _unknown()
    expression = step[0]
    text = expression.text or ""
    text = _SPACE.sub("", text) if len(text) <= _MAX_EXPRESSION else ""
    if algorithm == FILTER2:
        stated = expression.attrib.items() == [("Filter", "subtract")]
        found = _SUBTRACTED.fullmatch(text) or _SUBTRACTED_HERE.fullmatch(text)
    else:
        stated = not expression.attrib
        found = _KEPT.fullmatch(text) or _KEPT_HERE.fullmatch(text)
    if not stated or found is None or expression.nsmap.get(found["prefix"]) != DS:
        raise _unknown()


def _unknown() -> SignatureFailure:
    return _refused(
        "an XPath expression that is not known to remove the signature and no more", "XPath"
    )


def _refused(why: str, field: str) -> SignatureFailure:
    return SignatureFailure(Code.SIG_04, why, field=field, cause=Cause.TRANSFORM)

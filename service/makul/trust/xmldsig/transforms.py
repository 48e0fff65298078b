"""Recognise transforms that remove the signature from its document, and nothing else.

XML Signature 1.1, 6.6.4, calls this the enveloped transform. EU DSS writes an XPath filter instead
by default; other tools write an XPath expression. No code here evaluates an expression. An
expression counts as the enveloped transform under three conditions:

- its text equals one of a few known texts, letter by letter;
- its prefix is bound to the namespace of XML Signature;
- the document contains only one Signature element. The caller must check this condition.
"""

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from signxml.algorithms import SignatureConstructionMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust.base.errors import SignatureFailure
from makul.trust.xmldsig.parsing import DS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element as Element

ENVELOPED: Final = SignatureConstructionMethod.enveloped.value
FILTER2: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
"""The URI of the algorithm XML-Signature XPath Filter 2.0, which is also its namespace."""
XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
"""The URI of the XPath transform (XML Signature 1.1, 6.6.3)."""

_MAX_EXPRESSION: Final = 256
"""The maximum length of an expression in characters. The longest known expression has 110,
including its usual white space."""
_PREFIX: Final = r"(?P<prefix>[A-Za-z_][A-Za-z0-9_.-]{0,31})"
_SUBTRACTED: Final = re.compile(
    rf"(?:/descendant::|//|/descendant-or-self::|here\(\)/ancestor::){_PREFIX}:Signature"
)
"""The node-sets that a filter `subtract` removes, with all their descendants (Filter 2.0, 3). The
last form, like `here()/ancestor::ds:Signature[1]`, depends on `here()`: it names this Signature
even if the document contains others."""
_SUBTRACTED_HERE: Final = re.compile(rf"here\(\)/ancestor::{_PREFIX}:Signature\[1\]")
_KEPT: Final = re.compile(rf"not\(ancestor-or-self::{_PREFIX}:Signature\)")
"""The expression of an XPath transform that is true for each node that stays."""
_KEPT_HERE: Final = re.compile(
    rf"count\(ancestor-or-self::{_PREFIX}:Signature\|here\(\)/ancestor::(?P=prefix):Signature\[1\]\)"
    r">count\(ancestor-or-self::(?P=prefix):Signature\)"
)
"""The expression with which XML Signature 1.1, 6.6.4, explains the enveloped transform."""
_SPACE: Final = re.compile("[ \t\r\n]+")
_REMOVING: Final = frozenset({ENVELOPED, FILTER2, XPATH})


def split_removals(steps: "Sequence[Element]") -> "tuple[bool, Sequence[Element]]":
    """Return whether a reference's transforms begin by removing the signature, and the other steps.

    Some tools write the enveloped transform and then a filter, which has nothing left to remove.
    Raises `SignatureFailure` (SIG-04) for an expression that is not known to do only that.
    """
    removals = list(takewhile(_is_removal, steps))
    for step in removals:
        _require_removal(step)
    if len({step.get("Algorithm") == ENVELOPED for step in removals}) != len(removals):
        raise _transform_failure(
            mark("the signature is removed twice in the same way"), "Transform"
        )
    return bool(removals), steps[len(removals) :]


def _is_removal(step: "Element") -> bool:
    return step.get("Algorithm") in _REMOVING


def _require_removal(step: "Element") -> None:
    algorithm = step.get("Algorithm")
    if algorithm == ENVELOPED:
        if len(step):
            raise _transform_failure(
                mark("the enveloped transform takes no parameters"), "Transform"
            )
        return
    name = f"{{{FILTER2 if algorithm == FILTER2 else DS}}}XPath"
    if len(step) != 1 or step[0].tag != name or len(step[0]):
        raise _unknown_expression()
    expression = step[0]
    text = expression.text or ""
    text = _SPACE.sub("", text) if len(text) <= _MAX_EXPRESSION else ""
    if algorithm == FILTER2:
        stated = expression.attrib.items() == [("Filter", "subtract")]
        match = _SUBTRACTED.fullmatch(text) or _SUBTRACTED_HERE.fullmatch(text)
    else:
        stated = not expression.attrib
        match = _KEPT.fullmatch(text) or _KEPT_HERE.fullmatch(text)
    if not stated or match is None or expression.nsmap.get(match["prefix"]) != DS:
        raise _unknown_expression()


def _unknown_expression() -> SignatureFailure:
    return _transform_failure(
        mark("an XPath expression that is not known to remove the signature and no more"), "XPath"
    )


def _transform_failure(why: str, field: str) -> SignatureFailure:
    return SignatureFailure(Code.SIG_04, why, field=field, cause=Cause.TRANSFORM)

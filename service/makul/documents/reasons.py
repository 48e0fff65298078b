"""Reasons as answers and receipts say them."""

from functools import cache

from makul.documents.canonical_writer import element, group, optional, text
from makul.domain.causes import Cause
from makul.domain.reason_texts import text as text_of_code
from makul.domain.reason_texts import text_of
from makul.domain.reasons import Code, Reason, Side

TYPES = "urn:makul:types:1"
"""The namespace of a reason's parts; in canonical form each of them declares it anew."""


def typed(name: str, value: str) -> str:
    """An element of the types namespace that stands alone in an element of another namespace."""
    return f'<t:{name} xmlns:t="{TYPES}">{text(value)}</t:{name}>'


def answer_reason(reason: Reason) -> str:
    """`reason` of an answer (types.xsd, Reason). `side` is absent where nobody can mend it."""
    parts = [typed("code", reason.code)]
    if reason.because is not None:
        parts.append(typed("because", reason.because))
    parts.append(typed("clause", reason.clause))
    if reason.side is not Side.NOBODY:
        parts.append(typed("side", reason.side))
    parts.append(typed("retry", reason.retry))
    if reason.retry_after is not None:
        parts.append(typed("retryAfter", str(reason.retry_after)))
    if reason.field is not None:
        parts.append(typed("field", reason.field))
    parts.append(_words(reason.code, reason.because, reason.cause))
    return group("reason", *parts)


def receipt_reason(reason: Reason) -> str:
    """`reason` of a receipt (receipt.xsd, Reason): the code, its cause and the field's name."""
    because = optional("because", reason.because)
    return (
        f"<reason>{element('code', reason.code)}{because}{optional('field', reason.field)}</reason>"
    )


def localized(code: Code) -> str:
    """The content of a LocalizedText: what a code says, in the three languages."""
    said = text_of_code(code)
    return typed("ky", said.ky) + typed("ru", said.ru) + typed("en", said.en)


@cache
def _words(code: Code, because: Code | None, cause: Cause | None) -> str:
    """A reason's `text`, which is of the types namespace like its children."""
    said = text_of(Reason(code=code, because=because, cause=cause))
    words = element("t:ky", said.ky) + element("t:ru", said.ru) + element("t:en", said.en)
    return f'<t:text xmlns:t="{TYPES}">{words}</t:text>'

"""Write reasons for answers and receipts."""

from functools import cache

from makul.documents.canonical_writer import element, group, optional, text
from makul.domain.causes import Cause
from makul.domain.reason_texts import find_text
from makul.domain.reason_texts import text as text_of_code
from makul.domain.reasons import Code, Reason, Side

TYPES = "urn:makul:types:1"
"""The namespace of a reason's parts. In canonical form each part declares it again."""


def typed(name: str, value: str) -> str:
    """Return an element of the types namespace, for a parent in another namespace."""
    return f'<t:{name} xmlns:t="{TYPES}">{text(value)}</t:{name}>'


def answer_reason(reason: Reason) -> str:
    """Return the `reason` of an answer (types.xsd, Reason).

    `side` is absent if nobody can correct the cause.
    """
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
    """Return the `reason` of a receipt (receipt.xsd, Reason).

    It has the code, the code that caused it (`because`) and the name of the field.
    """
    because = optional("because", reason.because)
    return (
        f"<reason>{element('code', reason.code)}{because}{optional('field', reason.field)}</reason>"
    )


def localized(code: Code) -> str:
    """Return the content of a LocalizedText: the text of a code in the three languages."""
    text = text_of_code(code)
    return typed("ky", text.ky) + typed("ru", text.ru) + typed("en", text.en)


@cache
def _words(code: Code, because: Code | None, cause: Cause | None) -> str:
    """Return the `text` of a reason; it and its children are in the types namespace."""
    text = find_text(Reason(code=code, because=because, cause=cause))
    languages = element("t:ky", text.ky) + element("t:ru", text.ru) + element("t:en", text.en)
    return f'<t:text xmlns:t="{TYPES}">{languages}</t:text>'

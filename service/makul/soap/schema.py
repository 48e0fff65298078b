"""Validation of elements against the published schemas. Errors name fields, never values."""

import re
from collections.abc import Iterator
from threading import local
from typing import TYPE_CHECKING, Any, Final

import makul_schemas
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.plain_text import has_hidden_character
from makul.domain.reasons import Code, Reason
from makul.net.xml_names import published_names
from makul.soap.envelope import local_name

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_NAMED: Final = re.compile(
    r"^Element '(?:\{[^}']*\})?([^']+)'(?:, attribute '(?:\{[^}']*\})?([^']+)')?"
)
_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( (?:[^()]*, )?(?:\{[^}]*\})?([^ ,]+) \)")
"""The last expected element: libxml2 lists optional elements up to the first required one."""

_MESSAGE_READ: Final = 1024
"""Characters of a message that are searched for names.

The sender chooses the values in it, and they may be megabytes long. This length fits many published
names.
"""

MAX_FIELDS_NAMED: Final = 8
"""Maximum number of fields that a fault names. A developer corrects them one by one anyway."""


class PublishedSchema:
    """One published schema, compiled once for each thread.

    libxml2 can share a compiled schema, but lxml stores the errors of the last validation on it.
    """

    def __init__(self, name: str) -> None:
        self._path = makul_schemas.location() / name
        self._compiled = local()
        self._schema()  # find a broken schema at start-up

    def check(self, element: "Element") -> None:
        """Validate an element. Raises `RejectedError` with a REQ-01 for each invalid field."""
        schema = self._schema()
        if not schema.validate(element):
            log: Any = schema.error_log
            messages = [entry.message for entry in log]
            fields = dict.fromkeys(_fields(messages))
            raise RejectedError(
                *(Reason(code=Code.REQ_01, field=field) for field in fields or (None,))
            )
        for part in element.iter():
            # lxml stores text after a comment as the comment's tail; it belongs to the parent.
            if has_hidden_character(part.tail or "") and part is not element:
                raise RejectedError(_hidden_value_reason(part.getparent()))
            if has_hidden_character(part.text or "") and isinstance(part.tag, str):
                raise RejectedError(_hidden_value_reason(part))

    def _schema(self) -> etree.XMLSchema:
        schema: etree.XMLSchema | None = getattr(self._compiled, "schema", None)
        if schema is None:
            schema = self._compiled.schema = etree.XMLSchema(etree.parse(self._path))
        return schema


def _hidden_value_reason(element: "Element | None") -> Reason:
    """Return the reason. The schema accepted the element, so its name is a published one."""
    return Reason(code=Code.REQ_01, field=None if element is None else local_name(element))


def _fields(messages: list[str]) -> Iterator[str | None]:
    """Yield the published names in libxml2's messages, which also quote values.

    An unpublished name is omitted, because the sender invented it.
    """
    for message in messages[:MAX_FIELDS_NAMED]:
        text = message[:_MESSAGE_READ]
        name_match, expected = _NAMED.match(text), _EXPECTED.search(text)
        missing = expected[1] if expected and "Missing child" in text else None
        candidates = (
            missing,
            *(name_match.groups()[::-1] if name_match else ()),
            expected and expected[1],
        )
        published = [name for name in candidates if name in published_names()]
        yield published[0] if published else None

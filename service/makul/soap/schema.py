"""Elements held against the published schemas. What fails is named, its value never."""

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
"""The last that was expected: libxml2 lists optional elements up to the first that must stand."""

_MESSAGE_READ: Final = 1024
"""Characters of a message that are searched for names. Values in it may be megabytes long, and are
the sender's to choose; names of ours fit many times."""

MAX_FIELDS_NAMED: Final = 8
"""A fault names so many fields and no more; a developer mends them one after the other anyway."""


class PublishedSchema:
    """One published schema, compiled once for each thread.

    libxml2 shares a compiled schema well, but lxml keeps the last validation's errors on it.
    """

    def __init__(self, name: str) -> None:
        self._path = makul_schemas.location() / name
        self._compiled = local()
        self._schema()  # a broken schema is found at start-up

    def check(self, element: "Element") -> None:
        """Pass, or raise `RejectedError` with a REQ-01 for each field that is wrong."""
        schema = self._schema()
        if not schema.validate(element):
            log: Any = schema.error_log
            messages = [entry.message for entry in log]
            fields = dict.fromkeys(_fields(messages))
            raise RejectedError(
                *(Reason(code=Code.REQ_01, field=field) for field in fields or (None,))
            )
        for part in element.iter():
            # Text behind a comment is the comment's tail, and belongs to the element around it.
            if has_hidden_character(part.tail or "") and part is not element:
                raise RejectedError(_hidden(part.getparent()))
            if has_hidden_character(part.text or "") and isinstance(part.tag, str):
                raise RejectedError(_hidden(part))

    def _schema(self) -> etree.XMLSchema:
        schema: etree.XMLSchema | None = getattr(self._compiled, "schema", None)
        if schema is None:
            schema = self._compiled.schema = etree.XMLSchema(etree.parse(self._path))
        return schema


def _hidden(element: "Element | None") -> Reason:
    """The schema passed the element, so its name is one that is published."""
    return Reason(code=Code.REQ_01, field=None if element is None else local_name(element))


def _fields(messages: list[str]) -> Iterator[str | None]:
    """The published names in libxml2's messages, which quote values besides; those stay behind.

    A name that is not published was made up by the sender, so it too stays behind.
    """
    for message in messages[:MAX_FIELDS_NAMED]:
        said = message[:_MESSAGE_READ]
        named, expected = _NAMED.match(said), _EXPECTED.search(said)
        missing = expected[1] if expected and "Missing child" in said else None
        candidates = (missing, *(named.groups()[::-1] if named else ()), expected and expected[1])
        published = [name for name in candidates if name in published_names()]
        yield published[0] if published else None

"""The errors of this package, which name a form that is not kept.

The package knows no language, because the service and witnesses use it too. So an error holds its
message as a template with fields, and programs for people translate it
(`makul.language.translation.translate_error`).
"""

from collections.abc import Mapping
from typing import Any


class LedgerFormError(Exception):
    """A text, a key or a tile does not have its form. The message repeats nothing of a note."""

    template: str
    """The message in English, with its fields in braces."""
    fields: Mapping[str, Any]

    def __init__(self, template: str, /, **fields: Any) -> None:
        super().__init__(template.format_map(fields) if fields else template)
        self.template = template
        self.fields = fields

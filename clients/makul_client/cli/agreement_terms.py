"""What the agreement allows, as the service answered last, kept beside the profile.

`makul-client agreement` keeps it, so that names are checked without asking each time. It is an aid
for who types: the service decides by its own record, and a file that cannot be read is no file.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from makul_client._internal.files import UnreadableFileError, read_bounded, replace_file
from makul_client.cli.vocabulary import require_held

if TYPE_CHECKING:
    from pathlib import Path

    from makul_client.models.response import Agreement

MAX_BYTES: Final = 64 * 1024
"""Twenty attributes and a page of purposes take less than 8 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Names that an agreement holds."""

    number: str
    purposes: tuple[str, ...]
    attributes: tuple[str, ...]
    methods: tuple[str, ...]

    def require(
        self,
        *,
        purpose: str | None = None,
        attributes: tuple[str, ...] = (),
        methods: tuple[str, ...] = (),
    ) -> None:
        """Raise `UnknownNameError` for a name that the agreement does not hold."""
        holder = f"agreement {self.number}"
        if purpose is not None:
            require_held("purpose", (purpose,), self.purposes, holder)
        require_held("attribute", attributes, self.attributes, holder)
        require_held("method", methods, self.methods, holder)


def terms_of(agreement: Agreement) -> Terms:
    """Return the names that an agreement holds, of any purpose it has."""
    return Terms(
        number=agreement.number,
        purposes=agreement.purposes,
        attributes=agreement.attributes,
        methods=agreement.methods,
    )


def terms_file(profile: Path) -> Path:
    """Return where the terms are kept: `bank.agreement.json` beside `bank.toml`."""
    return profile.with_name(f"{profile.stem}.agreement.json")


def load_terms(profile: Path, number: str) -> Terms | None:
    """Return the terms kept of this agreement; None if there are none."""
    try:
        kept: Any = json.loads(read_bounded(terms_file(profile), MAX_BYTES))
        terms = Terms(
            number=str(kept["number"]),
            purposes=_names(kept["purposes"]),
            attributes=_names(kept["attributes"]),
            methods=_names(kept["methods"]),
        )
    except (OSError, UnreadableFileError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return terms if terms.number == number else None


def keep_terms(profile: Path, terms: Terms) -> None:
    """Keep the terms beside the profile; a directory that takes no file is no fault."""
    content = {
        "number": terms.number,
        "purposes": list(terms.purposes),
        "attributes": list(terms.attributes),
        "methods": list(terms.methods),
    }
    with suppress(OSError):
        replace_file(terms_file(profile), json.dumps(content, indent=2).encode() + b"\n")


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("not a list of names")
    return tuple(value)

"""The names that an agreement allows, stored beside the profile as the service last answered them.

`makul-client agreement` stores them, so that the commands can check names without a request. The
check helps the person who types. The service decides by its own records. An unreadable file counts
as a missing file.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from makul_client._internal.files import UnreadableFileError, read_bounded, replace_file
from makul_client.cli.vocabulary import require_contained
from makul_client.translation import mark, translate

if TYPE_CHECKING:
    from pathlib import Path

    from makul_client.models.response import Agreement

MAX_BYTES: Final = 64 * 1024
"""The maximum size of the file: twenty attributes and a page of purposes take less than 8 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The names that an agreement contains."""

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
        """Raise `UnknownNameError` for a name that the agreement does not contain."""
        holder = translate("agreement {number}", number=self.number)
        if purpose is not None:
            require_contained(mark("purpose"), (purpose,), self.purposes, holder)
        require_contained(mark("attribute"), attributes, self.attributes, holder)
        require_contained(mark("method"), methods, self.methods, holder)


def collect_terms(agreement: Agreement) -> Terms:
    """Return the names that an agreement contains, for all of its purposes together."""
    return Terms(
        number=agreement.number,
        purposes=agreement.purposes,
        attributes=agreement.attributes,
        methods=agreement.methods,
    )


def terms_file(profile: Path) -> Path:
    """Return the path of the stored terms: `bank.agreement.json` beside `bank.toml`."""
    return profile.with_name(f"{profile.stem}.agreement.json")


def load_terms(profile: Path, number: str) -> Terms | None:
    """Return the stored terms of this agreement, or None if there are none."""
    try:
        stored: Any = json.loads(read_bounded(terms_file(profile), MAX_BYTES))
        terms = Terms(
            number=str(stored["number"]),
            purposes=_names(stored["purposes"]),
            attributes=_names(stored["attributes"]),
            methods=_names(stored["methods"]),
        )
    except (OSError, UnreadableFileError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return terms if terms.number == number else None


def keep_terms(profile: Path, terms: Terms) -> None:
    """Store the terms beside the profile. Ignore a directory that cannot be written to."""
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

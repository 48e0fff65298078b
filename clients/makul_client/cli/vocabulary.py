"""Names that a person types: are there such, and do the agreement and the consent hold them?

A wrong name costs a refusal that is recorded, or a citizen's signature under a consent that carries
nothing. So it is found before anything is sent or signed. The service decides all the same.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from makul_client.errors import MakulError
from makul_client.models.response import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

METHODS: Final = ("demographic", "face", "finger")
OPERATIONS: Final = ("VerifyPerson", "GetPersonData")


class UnknownNameError(MakulError):
    """A name that was typed is none of those it may be. Nothing was sent."""


def require_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise `UnknownNameError` for a name that does not exist at all."""
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f". There are: {', '.join(known)}"
            raise UnknownNameError(f"{name!r} is no {kind}{hint}")


def require_attributes(names: Iterable[str]) -> None:
    """Raise `UnknownNameError` for an attribute that does not exist."""
    require_known("attribute", names, ATTRIBUTES)


def require_held(kind: str, names: Iterable[str], held: Collection[str], holder: str) -> None:
    """Raise `UnknownNameError` for a name that `holder` does not hold."""
    for name in names:
        if name not in held:
            meant = suggest(name, held) or "."
            listed = f" It holds: {', '.join(held) or 'none'}"
            raise UnknownNameError(f"{holder} does not hold the {kind} {name!r}{meant}{listed}")


def suggest(name: str, known: Collection[str]) -> str:
    """Return ": did you mean NAME?" for what is close to a name; empty if nothing is."""
    plain = {_plain(each): each for each in known}
    close = get_close_matches(_plain(name), list(plain), n=1, cutoff=0.7)
    return f": did you mean {plain[close[0]]}?" if close else ""


def complete_attributes(incomplete: str) -> list[str]:
    """Return the attributes that begin so, for the shell."""
    return [name for name in ATTRIBUTES if name.startswith(incomplete)]


def _plain(name: str) -> str:
    """A name without what is mistyped most: capitals, `_` and `-`."""
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")

"""The check that names typed by a person exist and are allowed by the agreement and the consent.

A wrong name costs a recorded refusal, or a citizen's signature on a consent that permits nothing.
So the check comes before anything is sent or signed. The service decides in any case.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from makul_client.errors import MakulError
from makul_client.models.response import ATTRIBUTES
from makul_client.translation import mark, translate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

METHODS: Final = ("demographic", "face", "finger")
OPERATIONS: Final = ("VerifyPerson", "GetPersonData")


class UnknownNameError(MakulError):
    """The error for a name that is not one of the allowed names. Nothing was sent."""


def require_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raise `UnknownNameError` for a name that does not exist at all. `kind` is marked."""
    for name in names:
        if name not in known:
            every = translate(". There are: {names}", names=", ".join(known))
            hint = suggest(name, known) or every
            raise UnknownNameError(
                translate(
                    "{name} is no {kind}{hint}", name=repr(name), kind=translate(kind), hint=hint
                )
            )


def require_attributes(names: Iterable[str]) -> None:
    """Raise `UnknownNameError` for an attribute that does not exist."""
    require_known(mark("attribute"), names, ATTRIBUTES)


def require_contained(
    kind: str, names: Iterable[str], contained: Collection[str], holder: str
) -> None:
    """Raise `UnknownNameError` for a name that `holder` does not contain. `kind` is marked."""
    for name in names:
        if name not in contained:
            meant = suggest(name, contained) or "."
            every = ", ".join(contained) or translate("none", context="names")
            listed = translate(" It contains: {names}", names=every)
            raise UnknownNameError(
                translate(
                    "{holder} does not contain the {kind} {name}{meant}{listed}",
                    holder=holder,
                    kind=translate(kind),
                    name=repr(name),
                    meant=meant,
                    listed=listed,
                )
            )


def suggest(name: str, known: Collection[str]) -> str:
    """Return ": did you mean NAME?" for the closest known name, or empty text if none is close."""
    plain = {_plain(each): each for each in known}
    close = get_close_matches(_plain(name), list(plain), n=1, cutoff=0.7)
    return translate(": did you mean {name}?", name=plain[close[0]]) if close else ""


def complete_attributes(incomplete: str) -> list[str]:
    """Return the attributes that begin with the text, for completion in the shell."""
    return [name for name in ATTRIBUTES if name.startswith(incomplete)]


def _plain(name: str) -> str:
    """Return a name without its most common typing errors: capitals, spaces, `_` and `-`."""
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")

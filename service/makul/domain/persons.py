"""Citizens as the national database holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LocalizedName:
    """One part of a name in the scripts in which it is held. Its repr does not show the name."""

    ky: str | None = None
    ru: str | None = None
    latin: str | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms held, in the order Kyrgyz, Russian, Latin."""
        return tuple(form for form in (self.ky, self.ru, self.latin) if form)

    def __repr__(self) -> str:
        return "LocalizedName(...)"


AttributeValue = str | date | LocalizedName | bytes


class SampleRef(NamedTuple):
    """A reference to a sample of the body that is stored apart from the record that names it.

    It is a tuple because four are made for each comparison, whether or not a sample is held.
    """

    digest: bytes
    """The keyed digest by which the store finds exactly this sample."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """One version of a person's record. Its repr shows only the masked PIN and the version."""

    pin: Pin
    values: Mapping[Attribute, AttributeValue]
    """Values that were read. An attribute that is neither here nor in `samples` is not held."""
    samples: Mapping[Attribute, SampleRef] = field(default_factory=dict)
    """Samples that this version holds and that were not read with it."""
    disputed: frozenset[Attribute] = frozenset()
    """Attributes that are being corrected under cl. 14; withheld meanwhile (REL-02)."""
    locked: bool = False
    """True if the subject stopped matching on the basis of consent (MAT-05)."""
    version: int = 1

    @property
    def held(self) -> frozenset[Attribute]:
        """Every attribute that this version holds; any other is not held (REL-01)."""
        return frozenset((*self.values, *self.samples))

    def __repr__(self) -> str:
        return f"Person({self.pin.masked}, version={self.version})"

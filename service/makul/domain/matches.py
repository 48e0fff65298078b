"""Is it they? Probes, and what a comparison with the record found (Procedure, cl. 10)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from makul.domain.identifiers import Pin


class MatchMethod(StrEnum):
    """A way to compare a probe with the record."""

    DEMOGRAPHIC = "demographic"
    FACE = "face"
    FINGER = "finger"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DemographicProbe:
    """What the recipient says of the person: the PIN and factors that the PIN does not hold.

    Birth date and sex mostly stand in the PIN and prove nothing, but must agree with the record
    when given. It never prints what it says.
    """

    pin: Pin
    document_number: str | None = None
    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    birth_date: date | None = None
    sex: str | None = None

    @property
    def sufficient(self) -> bool:
        """Return whether there is enough to look at a record: a document number, or a name.

        Some people have one name only, so one is enough here. Whether it is all the names that the
        record holds, the comparison tells: a name that is held cannot be left out.
        """
        return any(map(_says, (self.document_number, self.surname, self.given_name)))

    def __repr__(self) -> str:
        return f"DemographicProbe({self.pin.masked})"


def _says(factor: str | None) -> bool:
    return factor is not None and bool(factor.strip())


class MatchResult(StrEnum):
    """What one comparison found. `UNAVAILABLE`: it could not be made, which is never a match."""

    MATCH = "MATCH"
    NO_MATCH = "NO_MATCH"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodVerdict:
    """One method's finding, and by what it was found."""

    method: MatchMethod
    result: MatchResult
    algorithm: str
    version: str
    score: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class MatchVerdict:
    """The findings of all methods that were used."""

    methods: tuple[MethodVerdict, ...]

    @property
    def result(self) -> MatchResult:
        """`MATCH` only where every method matched; the worst finding otherwise."""
        found = {verdict.result for verdict in self.methods}
        if found == {MatchResult.MATCH}:
            return MatchResult.MATCH
        for result in _WORST_FIRST:
            if result in found:
                return result
        return MatchResult.UNAVAILABLE

    def __bool__(self) -> bool:
        raise TypeError("compare a verdict's result; it has no truth of its own")


_WORST_FIRST = (
    MatchResult.NO_MATCH,
    MatchResult.UNAVAILABLE,
    MatchResult.INCONCLUSIVE,
)

"""Probes, and the results of their comparison with a record (Procedure, cl. 10)."""

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
    """The recipient's statement about the person.

    The PIN and factors that the PIN does not contain. Birth date and sex are mostly contained in
    the PIN and prove nothing. If given, they must agree with the record. The repr shows only the
    masked PIN.
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
        """True if the probe contains enough to read a record: a document number or a name.

        Some people have only one name, so one is enough here. The comparison checks that the probe
        gives all names that the record holds: a name that is held cannot be left out.
        """
        return any(map(_is_stated, (self.document_number, self.surname, self.given_name)))

    def __repr__(self) -> str:
        return f"DemographicProbe({self.pin.masked})"


def _is_stated(factor: str | None) -> bool:
    return factor is not None and bool(factor.strip())


class MatchResult(StrEnum):
    """The result of one comparison.

    `UNAVAILABLE` means that the comparison could not be made, which is never a match.
    """

    MATCH = "MATCH"
    NO_MATCH = "NO_MATCH"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodVerdict:
    """One method's result, with the algorithm that produced it."""

    method: MatchMethod
    result: MatchResult
    algorithm: str
    version: str
    score: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class MatchVerdict:
    """The results of all methods that were used."""

    methods: tuple[MethodVerdict, ...]

    @property
    def result(self) -> MatchResult:
        """`MATCH` only if every method matched; otherwise the worst result."""
        results = {verdict.result for verdict in self.methods}
        if results == {MatchResult.MATCH}:
            return MatchResult.MATCH
        for result in _WORST_FIRST:
            if result in results:
                return result
        return MatchResult.UNAVAILABLE

    def __bool__(self) -> bool:
        raise TypeError("compare a verdict's result; it has no truth of its own")


_WORST_FIRST = (
    MatchResult.NO_MATCH,
    MatchResult.UNAVAILABLE,
    MatchResult.INCONCLUSIVE,
)

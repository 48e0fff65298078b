"""Rules as values, and the rulings that answer them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Generic, TypeVar

from makul.domain.reasons import CATALOGUE, Code, Reason

CaseT = TypeVar("CaseT")


class Verdict(StrEnum):
    """The four answers of a rule. Only `PASSED` and `NOT_APPLICABLE` let a request continue."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    """The answer could not be determined, so nothing is disclosed."""
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule's verdict on one case, with every reason it gives.

    A verdict against a request always has a reason, so that code that reads only reasons cannot
    take it for a pass. Raises `ValueError` otherwise.
    """

    code: Code
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    passed: bool = field(init=False, repr=False, compare=False)
    """True if this rule does not block the request. Cached because it is read on every rule."""

    def __post_init__(self) -> None:
        passed = self.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
        object.__setattr__(self, "passed", passed)
        if self.passed == bool(self.reasons):
            raise ValueError(
                f"{self.code}: reasons stand beside FAILED and UNKNOWN, and only there"
            )

    def __bool__(self) -> bool:
        raise TypeError("compare a ruling's verdict; it has no truth of its own")


@dataclass(frozen=True, slots=True)
class Rule(Generic[CaseT]):
    """A rule of the Procedure: the code it gives when it fails, and the clauses it implements."""

    code: Code
    judge: Callable[[CaseT], Ruling]
    also_clauses: tuple[str, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that this rule implements, its code's own clause first."""
        return (CATALOGUE[self.code].clause, *self.also_clauses)


def holds(code: Code, condition: bool, field: str | None = None) -> Ruling:
    """Return a pass if the condition holds, otherwise a failure with this code."""
    if condition:
        return passes(code)
    return fails(code, Reason(code=code, field=field))


def holds_each(code: Code, **conditions: bool) -> Ruling:
    """Return a pass if every condition holds, otherwise a failure.

    The failure has one reason for each condition that does not hold. Each condition is named after
    the field concerned.
    """
    broken = [field for field, condition in conditions.items() if not condition]
    if not broken:
        return passes(code)
    return fails(code, *(Reason(code=code, field=field) for field in broken))


@cache
def passes(code: Code) -> Ruling:
    """Return a pass. It is cached for each code because nearly every ruling is a pass."""
    return Ruling(code, Verdict.PASSED)


def fails(code: Code, *reasons: Reason) -> Ruling:
    """Return a failure with these reasons."""
    return Ruling(code, Verdict.FAILED, reasons)


def unknown(code: Code, *reasons: Reason) -> Ruling:
    """Return that the answer could not be determined, with these reasons."""
    return Ruling(code, Verdict.UNKNOWN, reasons)


@cache
def not_applicable(code: Code) -> Ruling:
    """Return that the rule does not concern this case."""
    return Ruling(code, Verdict.NOT_APPLICABLE)

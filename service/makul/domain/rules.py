"""How a rule is answered, and the rule itself as a value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Generic, TypeVar

from makul.domain.reasons import CATALOGUE, Code, Reason

CaseT = TypeVar("CaseT")


class Verdict(StrEnum):
    """Four answers. Only `PASSED` and `NOT_APPLICABLE` let a request go on."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    """Could not be told; it will not be disclosed."""
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule's verdict on one case, with every reason it gives.

    A verdict that stands against a request always says why, so that whoever reads reasons alone
    cannot take it for a pass; raises `ValueError` otherwise.
    """

    code: Code
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    passed: bool = field(init=False, repr=False, compare=False)
    """May the request go on, as far as this rule goes? Told once, and asked for all along."""

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
    """A rule of the Procedure: what it concludes when it fails, and the clauses it carries out."""

    code: Code
    judge: Callable[[CaseT], Ruling]
    also_clauses: tuple[str, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that this rule carries out, its code's own clause first."""
        return (CATALOGUE[self.code].clause, *self.also_clauses)


def holds(code: Code, condition: bool, field: str | None = None) -> Ruling:
    """Passed where the condition holds, else failed with this code."""
    if condition:
        return passes(code)
    return fails(code, Reason(code=code, field=field))


def holds_each(code: Code, **conditions: bool) -> Ruling:
    """Passed where every condition holds, else failed with one reason for each field that does not.

    Conditions are named for the fields concerned.
    """
    broken = [field for field, condition in conditions.items() if not condition]
    if not broken:
        return passes(code)
    return fails(code, *(Reason(code=code, field=field) for field in broken))


@cache
def passes(code: Code) -> Ruling:
    """Passed. Nearly every ruling is this one, so there is one for each code."""
    return Ruling(code, Verdict.PASSED)


def fails(code: Code, *reasons: Reason) -> Ruling:
    """Failed, for these reasons."""
    return Ruling(code, Verdict.FAILED, reasons)


def unknown(code: Code, *reasons: Reason) -> Ruling:
    """Could not be told, for these reasons."""
    return Ruling(code, Verdict.UNKNOWN, reasons)


@cache
def not_applicable(code: Code) -> Ruling:
    """The rule does not concern this case."""
    return Ruling(code, Verdict.NOT_APPLICABLE)

"""A check, and the course of checks over one signature."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeVar

from makul.domain.reasons import Code
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import SubIndication
from makul.trust.validation.report import CheckResult, CheckVerdict

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ValidationCheck(Generic[P, R]):
    """One check, with what the report concludes for each reason it may fail for."""

    name: str
    clause: str
    """Of ETSI EN 319 102-1; `local` where the constraint is ours."""
    concludes: Mapping[Code, SubIndication]
    """By reason. SIG-02 is there for every check: it also stands for what could not be processed.

    A failure that says itself what to conclude (`SignatureFailure.sub`) goes before this.
    """
    run: Callable[P, R]
    passed: CheckResult = field(init=False)
    """The verdict that is most often needed, made once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "passed", self.result(CheckVerdict.PASSED))

    def result(
        self,
        verdict: CheckVerdict,
        why: str | None = None,
        *,
        code: Code | None = None,
        sub: SubIndication | None = None,
    ) -> CheckResult:
        """A verdict of this check."""
        return CheckResult(self.name, self.clause, verdict, code, why, sub)


def check(
    name: str, clause: str, **concludes: SubIndication
) -> Callable[[Callable[P, R]], ValidationCheck[P, R]]:
    """Declare a function as the check of that name; it raises `SignatureFailure` where it fails.

    `concludes` is by reason code, as an identifier: `SIG_02=SubIndication.FORMAT_FAILURE`.
    """
    by_code = {Code[code]: sub for code, sub in concludes.items()}
    return lambda run: ValidationCheck(name, clause, by_code, run)


class CheckPipeline:
    """Takes one check after another; the first that fails ends it."""

    def __init__(self, owners: Mapping[Code, ValidationCheck[..., Any]]) -> None:
        """`owners`: whose failure a reason is, whichever check comes upon it."""
        self._owners = owners
        self._results: dict[str, CheckResult] = {}
        self.failure: SignatureFailure | None = None
        self.sub: SubIndication | None = None

    def take(self, check: ValidationCheck[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """What the check gives; raises the `SignatureFailure` that it found, once noted."""
        try:
            given = check.run(*arguments, **named)
        except SignatureFailure as failure:
            self._fail(check, failure)
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's bytes: what breaks us proves nothing
            # The report is kept and shown to people: what broke us is named in the log alone.
            log.warning("check %s met %s", check.name, type(error).__name__)
            broken = SignatureFailure(Code.SIG_02, "could not be processed")
            self._fail(check, broken)
            raise broken from None
        self._results[check.name] = check.passed
        return given

    def note(self, result: CheckResult) -> None:
        """A verdict that does not end the course."""
        self._results[result.check] = result

    def _fail(self, check: ValidationCheck[..., Any], failure: SignatureFailure) -> None:
        owner = self._owners.get(failure.code, check)
        sub = failure.sub or owner.concludes[failure.code]
        uncertain = failure.code is Code.SIG_07
        verdict = CheckVerdict.INDETERMINATE if uncertain else CheckVerdict.FAILED
        self.failure, self.sub = failure, sub
        self.note(owner.result(verdict, failure.why, code=failure.code, sub=sub))

    def results(self, checks: Iterable[ValidationCheck[..., Any]]) -> tuple[CheckResult, ...]:
        """The verdict of each of these; what was not reached was not run."""
        return tuple(
            self._results.get(each.name)
            or each.result(CheckVerdict.NOT_RUN, "an earlier check failed")
            for each in checks
        )

"""Declare validation checks, and run them in order over one signature."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeVar

from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import SubIndication
from makul.trust.validation.report import CheckResult, CheckVerdict

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ValidationCheck(Generic[P, R]):
    """One check, with what the report concludes from each reason for which the check may fail."""

    name: str
    clause: str
    """The clause of ETSI EN 319 102-1; `local` if the constraint is our own."""
    concludes: Mapping[Code, SubIndication]
    """The sub-indication for each reason. Every check must have one for SIG-02, because SIG-02 is
    also the reason for a document that could not be processed.

    A failure with its own sub-indication (`SignatureFailure.sub`) has precedence over this.
    """
    run: Callable[P, R]
    passed: CheckResult = field(init=False)
    """The result for `PASSED`. It is needed most often, so it is created once."""

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
        """Return a result of this check with the given verdict."""
        return CheckResult(self.name, self.clause, verdict, code, why, sub)


def check(
    name: str, clause: str, **concludes: SubIndication
) -> Callable[[Callable[P, R]], ValidationCheck[P, R]]:
    """Declare a function as the check of that name; the function must raise `SignatureFailure`.

    `concludes` maps a reason code, written as an identifier, to its sub-indication:
    `SIG_02=SubIndication.FORMAT_FAILURE`.
    """
    by_code = {Code[code]: sub for code, sub in concludes.items()}
    return lambda run: ValidationCheck(name, clause, by_code, run)


class CheckPipeline:
    """The run of one check after another over a signature; the first failure ends the run."""

    def __init__(self, owners: Mapping[Code, ValidationCheck[..., Any]]) -> None:
        """Start a run.

        `owners` maps a reason to the check that reports it, even if another check finds it.
        """
        self._owners = owners
        self._results: dict[str, CheckResult] = {}
        self.failure: SignatureFailure | None = None
        self.sub: SubIndication | None = None

    def run_check(self, check: ValidationCheck[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Run a check, record its result and return its value.

        Raises the `SignatureFailure` of the check after recording it. An unexpected exception in
        the check becomes SIG-02.
        """
        try:
            value = check.run(*arguments, **named)
        except SignatureFailure as failure:
            self._fail(check, failure)
            raise
        except Exception as error:  # noqa: BLE001 - untrusted bytes: an unexpected error is SIG-02
            # The report is stored and shown to people, so only the log names the exception.
            log.warning("check %s raised %s", check.name, type(error).__name__)
            broken = SignatureFailure(Code.SIG_02, mark("could not be processed"))
            self._fail(check, broken)
            raise broken from None
        self._results[check.name] = check.passed
        return value

    def note(self, result: CheckResult) -> None:
        """Record a result that does not end the run."""
        self._results[result.check] = result

    def _fail(self, check: ValidationCheck[..., Any], failure: SignatureFailure) -> None:
        owner = self._owners.get(failure.code, check)
        sub = failure.sub or owner.concludes[failure.code]
        uncertain = failure.code is Code.SIG_07
        verdict = CheckVerdict.INDETERMINATE if uncertain else CheckVerdict.FAILED
        self.failure, self.sub = failure, sub
        self.note(owner.result(verdict, failure.why, code=failure.code, sub=sub))

    def results(self, checks: Iterable[ValidationCheck[..., Any]]) -> tuple[CheckResult, ...]:
        """Return the result of each of these checks; a check that was not reached is `NOT_RUN`."""
        return tuple(
            self._results.get(each.name)
            or each.result(CheckVerdict.NOT_RUN, mark("an earlier check failed"))
            for each in checks
        )

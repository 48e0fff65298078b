"""One document or message of the corpus, and its expected answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul_testing.pki.authorities import NOW

if TYPE_CHECKING:
    from vectors.attacks.cast import Cast

UNDECIDED = frozenset({Code.SIG_07})
"""Reasons that mean "could not be determined" (ETSI EN 319 102-1, 5.1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A document. `build` signs it again each time, with keys that no file holds."""

    name: str
    """`family/what-is-wrong`."""
    why: str
    """What the attacker would gain, and who described it."""
    build: Callable[["Cast"], bytes]
    code: Code | None
    """The reason for which it is refused, or None if it is accepted."""
    at: datetime = NOW
    within: timedelta | None = None
    """The maximum time of a refusal, if its cost is the attack."""
    schema: bool = True
    """Whether its content would satisfy the published schema."""

    @property
    def family(self) -> str:
        return self.name.partition("/")[0]

    @property
    def status(self) -> ProofStatus:
        if self.code is None:
            return ProofStatus.PASSED
        return ProofStatus.INDETERMINATE if self.code in UNDECIDED else ProofStatus.FAILED

    @property
    def expected(self) -> dict[str, object]:
        """Return the manifest's expectation.

        A consent that fails is CNS-02 because of its own reason.
        """
        outward = {"code": "CNS-02", "because": self.code.value} if self.code else None
        return {
            "status": self.status.value,
            "reason": self.code.value if self.code else None,
            "outward": outward,
        }

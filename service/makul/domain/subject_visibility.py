"""Judge from when on the subject of a decision may see it (Procedure, cl. 5.1).

A statement of cl. 5.1 may keep a decision from its subject until a date. Until then nothing that
the subject sees may depend on the decision (docs/architecture.md, invariant 14). What cannot be
proved visible stays hidden, but only if cl. 5.1 could apply at all: a bank hides nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from makul.domain.agreements import Agreement
from makul.domain.disclosures import AFTER_COMPARISON, GroundKind, Operation, Outcome
from makul.domain.legal_bases import SECRECY_CLAUSE
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientKind

ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""The beginning of what is visible at once."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""The beginning of what cannot be proved visible at any time."""

_OF_CONSENTS: Final = frozenset({Operation.REGISTER_CONSENT, Operation.REVOKE_CONSENT})
_CONSENT_CODES: Final = "CNS-"


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is known of the hiding that a basis statement states."""

    until: datetime | None
    """The end of the hiding; None if the statement hides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInView:
    """The facts of a decision by which its visibility is judged."""

    operation: Operation
    outcome: Outcome
    codes: tuple[str, ...]
    ground_kind: str | None
    decided_at: datetime
    may_hide: bool
    """True if the recipient may invoke a provision of cl. 5.1 (`may_invoke_secrecy`)."""


def find_visible_from(
    decision: DecisionInView, hiding: Hiding | None, *, hidden_at_most: timedelta
) -> datetime:
    """Return the time from which the subject sees a decision.

    `hiding` is what the statement of a basis states; None if that could not be determined.
    """
    if decision.operation in _OF_CONSENTS or decision.ground_kind == GroundKind.CONSENT:
        return ALWAYS
    if decision.ground_kind is None:
        return _without_ground(decision, hidden_at_most)
    if hiding is None:
        return NEVER
    if hiding.until is None:
        return ALWAYS
    refused = decision.outcome not in AFTER_COMPARISON
    if refused and Code.LAW_02 in decision.codes and not decision.may_hide:
        return ALWAYS  # a body that cl. 5.1 does not entitle hides nothing by naming it
    return hiding.until


def _without_ground(decision: DecisionInView, hidden_at_most: timedelta) -> datetime:
    """Return the time for a decision whose ground was not read.

    It may have had a statement of cl. 5.1 that was not examined or not verified. A refusal with a
    reason about consents had none.
    """
    about_consent = any(code.startswith(_CONSENT_CODES) for code in decision.codes)
    if about_consent or not decision.may_hide:
        return ALWAYS
    return decision.decided_at + hidden_at_most


def may_invoke_secrecy(kind: RecipientKind, agreements: Iterable[Agreement]) -> bool:
    """Return whether a recipient may invoke a provision of cl. 5.1 by any of its agreements."""
    return any(
        provision.clause == SECRECY_CLAUSE and provision.open_to(kind)
        for agreement in agreements
        for provision in agreement.provisions
    )

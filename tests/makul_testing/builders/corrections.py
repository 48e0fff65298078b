"""A report of wrong data and its recall, in a store (cl. 14)."""

from collections.abc import Callable
from uuid import uuid4

from makul.app.ports.acts import ActDecision
from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    DEFAULT_TERMS,
    Correction,
    CorrectionKind,
    CorrectionOrigin,
    CorrectionState,
)
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.store import ActRights, Store
from makul_testing.builders.records import NOON
from makul_testing.builders.secrecy import carry_out


def a_correction(reporter: MemberCode) -> Correction:
    """Return a report of a recipient."""
    return Correction(
        correction_id=uuid4(),
        attribute=Attribute.ADDRESS,
        kind=CorrectionKind.WRONG,
        origin=CorrectionOrigin.RECIPIENT,
        reporter=reporter,
        state=CorrectionState.REPORTED,
        reported_at=NOON,
        examine_by=NOON + DEFAULT_TERMS.examine_within,
        resolve_by=NOON + DEFAULT_TERMS.resolve_within,
        changed_at=NOON,
    )


def record_correction(store: Store, recipient: MemberCode, subject: Pin) -> None:
    """Fill the tables of corrections: a report, a value that was entered, and a recall."""
    report = a_correction(recipient)
    due = NOON + DEFAULT_TERMS.acknowledge_within

    def enter(rights: ActRights) -> None:
        rights.enter_value([report], NOON, "operator")
        rights.recall_from(report.correction_id, recipient)

    steps: tuple[Callable[[ActRights], None], ...] = (
        lambda rights: rights.add_report(report, subject, "The customer showed another.", "Osh"),
        lambda rights: rights.set_correction_state([report], CorrectionState.DISPUTED),
        enter,
        lambda rights: rights.set_correction_state([report], CorrectionState.CORRECTED, due),
    )
    for step in steps:
        carry_out(store, recipient, _done(step))


def _done(step: Callable[[ActRights], None]) -> Callable[[ActRights], ActDecision]:
    def decide(rights: ActRights) -> ActDecision:
        step(rights)
        return ActDecision(outcome=Outcome.DONE)

    return decide

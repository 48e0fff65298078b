"""An undertaking of secrecy is asked for again when a decision is recorded (cl. 16)."""

from dataclasses import replace

from makul.app.ports import Committed, Conflict
from makul.app.ports.acts import ActDecision
from makul.domain.calendar import legal_day
from makul.domain.disclosures import Outcome
from makul.domain.reasons import Code
from makul.store import ActRights, Store
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_release
from makul_testing.builders.oversight import AN_UNDERTAKING
from makul_testing.builders.records import BANK, NOON, a_key, an_agreement
from makul_testing.builders.secrecy import carry_out

DEMANDING = an_agreement(undertakings_required=True)


def record(store: Store) -> Committed | tuple[Code, ...]:
    """Record a release to the employee of the undertaking, under an agreement that demands it."""
    key = a_key()
    asker = replace(key.asker, employee=AN_UNDERTAKING.employee)
    result = store.recorder.record(a_release(key=replace(key, asker=asker), terms=DEMANDING))
    if isinstance(result, Conflict):
        return tuple(reason.code for reason in result.reasons)
    assert isinstance(result, Committed)
    return result


def test_an_undertaking_that_ended_meanwhile_stops_the_release(store: Store) -> None:
    """Invariant 4: between the decision and its commit the work may have ended."""
    agree(store.registry, DEMANDING, at=NOON)

    def begin(rights: ActRights) -> ActDecision:
        rights.add_undertaking(AN_UNDERTAKING, b"<Undertaking/>")
        return ActDecision(outcome=Outcome.DONE)

    def end(rights: ActRights) -> ActDecision:
        rights.end_undertaking(BANK, AN_UNDERTAKING.undertaking_id, legal_day(NOON))
        return ActDecision(outcome=Outcome.DONE)

    assert record(store) == (Code.RCP_05,)
    carry_out(store, BANK, begin)
    assert record(store) == Committed()
    carry_out(store, BANK, end)
    assert record(store) == (Code.RCP_05,)

"""Undertakings, incidents and attested deletions of a recipient, in a store (cl. 15 and 16)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from makul.app.ports.acts import ActDecision
from makul.domain.calendar import legal_day
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.incidents import Incident, IncidentKind
from makul.domain.months import month_of
from makul.store import ActRights, Store
from makul_testing.builders.oversight import AN_UNDERTAKING, month_facts
from makul_testing.builders.records import NOON


def an_incident(**changes: object) -> Incident:
    """Return an incident of which all is known."""
    return replace(
        Incident(
            kind=IncidentKind.DISCLOSURE,
            happened_from=NOON - timedelta(hours=2),
            happened_to=NOON - timedelta(hours=1),
            discovered_at=NOON,
            disclosures=(),
            affected=2,
            description="A teller showed a screen to a visitor.",
            measures="The teller has no access any more.",
        ),
        **changes,  # type: ignore[arg-type]
    )


def record_secrecy(store: Store, recipient: MemberCode, disclosure_id: UUID) -> None:
    """Fill each table of secrecy: an undertaking that ended, an incident, an attestation."""
    signed = replace(AN_UNDERTAKING, recipient=recipient)

    def act(rights: ActRights) -> ActDecision:
        rights.add_undertaking(signed, b"<Undertaking/>")
        rights.end_undertaking(recipient, signed.undertaking_id, legal_day(NOON))
        rights.add_incident(recipient, uuid4(), an_incident())
        rights.attest_deletions(recipient, [disclosure_id], legal_day(NOON))
        return ActDecision(outcome=Outcome.DONE)

    carry_out(store, recipient, act)


def carry_out(
    store: Store, recipient: MemberCode, decide: Callable[[ActRights], ActDecision]
) -> None:
    """Run one act of a recipient, which is done."""
    facts = month_facts(recipient, month_of(NOON))
    assert store.acts.carry_out(facts, decide, lambda _: b"DONE") == b"DONE"

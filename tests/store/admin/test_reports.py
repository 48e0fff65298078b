"""A subject's report over a store: the case that it proposes, the lock, and hidden decisions."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from makul.app.oversight.open_case import OpeningRequest
from makul.app.ports import Entry
from makul.app.ports.subject_answers import LinkToken, parse_link_token
from makul.app.subject_acts.report_not_me import DenialRequest
from makul.domain.identifiers import Pin
from makul.domain.months import month_of
from makul.domain.oversight_cases import (
    CaseChoice,
    CaseParty,
    CaseState,
    OversightCase,
    period_of_month,
    propose_from_report,
)
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.entries import a_metered_release, a_release
from makul_testing.builders.notifications import (
    PREFIX,
    RecordingChannel,
    a_notification,
    a_sender,
)
from makul_testing.builders.oversight import a_month, an_officer, build_operations, caller_of
from makul_testing.builders.records import AZAMAT, BANK, GULNARA, NOON, a_basis, a_key
from makul_testing.builders.subject import (
    PORTAL_CALLER,
    a_token,
    build_subject_operations,
    lock_matching,
)
from makul_testing.raw_sql import count, raw
from makul_testing.tlog.builder import a_draft, build_recording, check_ledger, sequence

MONTH = month_of(NOON)
HIDDEN = a_notification(visible_at=NOON + timedelta(days=90), provision="OPERATIONAL_SEARCH")
OVR_06 = b"REFUSED OVR-06"


def notify(store: Store) -> Sequence[LinkToken]:
    """Send what is due, and return the tokens of the links."""
    channel = RecordingChannel()
    sender = a_sender(store.outbox, channel, lambda: NOON)
    links = replace(sender.links, new_token=lambda: secrets.token_bytes(32))
    sender = replace(sender, links=links)
    while sender.run_once().claimed:
        pass
    return [parse_link_token(each.link.url.removeprefix(PREFIX)) for each in channel.sent]


def linked(store: Store, entry: Entry | None = None) -> LinkToken:
    """Record a release, and return the token of its link."""
    store.recorder.record(entry or a_release(a_notification(), key=a_key()))
    (link,) = notify(store)
    return link


def report(
    store: Store,
    link: LinkToken,
    *,
    lock: bool | None = None,
    pin: Pin | None = None,
    request_id: UUID | None = None,
) -> bytes:
    request_id = request_id or uuid4()
    request = DenialRequest(
        request_id=request_id,
        digest=b"1" * 32,
        link_token=link,
        id_token=a_token(pin, request_id) if pin is not None else None,
        lock_matching=lock,
    )
    return build_subject_operations(store)["ReportNotMe"](request, PORTAL_CALLER)


def decide(store: Store, case: OversightCase, choice: CaseChoice) -> None:
    """Open or dismiss a case as an officer."""
    officer = an_officer(1)
    if store.oversight.officer(officer.fingerprint) is None:
        store.registry.add_officer(officer, at=NOON)
    request = OpeningRequest(
        request_id=uuid4(),
        digest=b"2" * 32,
        case_id=case.case_id,
        choice=choice,
        recipient=None,
        first_day=None,
        last_day=None,
        scope=None,
        justification="t",
    )
    assert build_operations(store)["OpenCase"](request, caller_of(officer)) == b"DONE"


def cases(store: Store) -> Sequence[OversightCase]:
    return store.oversight.cases(referred=False)


def locks(place: DatabaseLocation) -> list[str]:
    """Return the state of each lock."""
    with raw(place) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM matching_lock").fetchall()]


def test_a_report_proposes_a_case_about_the_recipient_and_the_month(store: Store) -> None:
    """Cl. 12: the subject says that the consent was absent."""
    assert report(store, linked(store)) == b"DONE"

    (case,) = cases(store)
    assert (case.recipient, case.period) == (BANK, period_of_month(MONTH))
    assert case.state is CaseState.PROPOSED
    (step,) = store.oversight.case_steps(case.case_id)
    assert (step.party, step.text) == (CaseParty.SUBJECT, f"{MONTH}: DENIED_BY_SUBJECT 1")
    assert propose_from_report(BANK, MONTH).reason == step.text


def test_a_refused_report_proposes_nothing_and_locks_nothing(
    store: Store, place: DatabaseLocation
) -> None:
    """An unknown link, another citizen, and a link that was used."""
    link = linked(store)
    assert report(store, LinkToken(b"u" * 32), lock=True) == OVR_06
    assert report(store, link, lock=True, pin=GULNARA) == OVR_06
    assert (cases(store), locks(place), count(place, "subject_answer")) == ([], [], 0)

    assert report(store, link) == b"DONE"
    assert report(store, link, lock=True) == OVR_06
    assert locks(place) == []


@pytest.mark.parametrize("choice", [None, CaseChoice.OPEN])
def test_a_case_that_goes_on_takes_no_further_report(
    store: Store, choice: CaseChoice | None
) -> None:
    """A second report changes neither a proposed case nor an open one."""
    assert report(store, linked(store)) == b"DONE"
    if choice is not None:
        decide(store, cases(store)[0], choice)
    (before,) = cases(store)
    steps = store.oversight.case_steps(before.case_id)

    assert report(store, linked(store)) == b"DONE"

    assert cases(store) == [before]
    assert store.oversight.case_steps(before.case_id) == steps


def test_a_report_after_a_dismissal_proposes_a_new_case(store: Store) -> None:
    """What the officer dismissed did not have this report."""
    assert report(store, linked(store)) == b"DONE"
    decide(store, cases(store)[0], CaseChoice.DISMISS)

    assert report(store, linked(store)) == b"DONE"

    states = sorted(each.state for each in cases(store))
    assert states == [CaseState.DISMISSED, CaseState.PROPOSED]


def test_an_issued_month_adds_its_facts_to_the_case_of_a_report(store: Store) -> None:
    """One case for one month, whichever proposes it first."""
    assert report(store, linked(store)) == b"DONE"
    proposal = replace(propose_from_report(BANK, MONTH), party=CaseParty.OPERATOR)

    store.registry.issue_month(
        replace(a_month(BANK), month=MONTH), b"head", at=NOON, proposal=proposal
    )

    (case,) = cases(store)
    parties = [step.party for step in store.oversight.case_steps(case.case_id)]
    assert parties == [CaseParty.SUBJECT, CaseParty.OPERATOR]


@pytest.mark.parametrize("pin", [None, AZAMAT])
def test_a_report_locks_matching_if_the_subject_wants_it(
    store: Store, place: DatabaseLocation, pin: Pin | None
) -> None:
    """Cl. 4: the link alone suffices, because a lock only restricts."""
    assert report(store, linked(store), pin=pin) == b"DONE"
    assert report(store, linked(store), lock=False, pin=pin) == b"DONE"
    assert locks(place) == []

    request_id = uuid4()
    link = linked(store)
    for _ in range(2):  # a retry gets the stored answer
        assert report(store, link, lock=True, pin=pin, request_id=request_id) == b"DONE"

    assert locks(place) == ["LOCKED"]
    assert is_locked(store, AZAMAT)
    assert not is_locked(store, GULNARA)


def is_locked(store: Store, citizen: Pin) -> bool:
    """Return whether a further lock by the citizen is refused."""
    try:
        lock_matching(store, citizen)
    except AssertionError:
        return True
    return False


def test_a_lock_that_is_set_already_is_no_error(store: Store, place: DatabaseLocation) -> None:
    """The report matters more, and its answer does not show that there was a lock."""
    lock_matching(store, AZAMAT)

    assert report(store, linked(store), lock=True) == b"DONE"

    assert locks(place) == ["LOCKED"]


def test_a_hidden_decision_can_never_be_reported(store: Store, place: DatabaseLocation) -> None:
    """Cl. 5.1: there is no link of it before its date."""
    store.recorder.record(a_metered_release(a_basis(), HIDDEN, key=a_key()))

    assert notify(store) == []
    assert count(place, "notification_link") == 0
    assert cases(store) == []


def test_the_ledger_states_the_case_and_the_lock(store: Store, signer: NoteSigner) -> None:
    """Invariant 13: every row of a report stands behind an act."""
    build_recording(store).record_and_render(a_draft(a_notification()))
    (link,) = notify(store)
    assert report(store, link, lock=True) == b"DONE"
    sequence(store, signer)

    assert check_ledger(store, signer).finding is None

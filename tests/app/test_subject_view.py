"""Invariant 14: a hidden decision changes nothing that its subject can see, until its date."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from makul.app.find_usage import FindUsage, UsageQuery
from makul.app.ports.subject import (
    DecisionSelection,
    PagePosition,
    Repetitions,
    SubjectDecision,
)
from makul.app.subject_view import SubjectView
from makul.documents.adapter import XmlDocuments
from makul.domain.agreements import Agreement
from makul.domain.disclosures import HIDDEN_AT_MOST, Operation, Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.legal_bases import Provision
from makul.domain.recipients import Recipient, RecipientKind, RecipientState
from makul.domain.subject_visibility import Hiding
from makul.store.db.codecs import micros
from makul_testing.builders.records import BANK, POLICE, an_agreement

AT = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
PIN = Pin("20101199000017")
DOCUMENTS = XmlDocuments(MemberCode("GOV/70000001"))
UNREADABLE = b"\0" * 32


@dataclass(frozen=True)
class MemoryRecord:
    """A record in memory, which reads at most three rows at once."""

    rows: tuple[SubjectDecision, ...]

    def decisions(
        self, subject: Pin, selection: DecisionSelection, *, limit: int
    ) -> Sequence[SubjectDecision]:
        """Return at most `limit` rows, latest first."""
        key = lambda each: (each.decided_at, each.disclosure_id.bytes)  # noqa: E731
        after = selection.after
        found = [
            each
            for each in sorted(self.rows, key=key, reverse=True)
            if (selection.since is None or each.decided_at >= selection.since)
            and (selection.until is None or each.decided_at < selection.until)
            and (
                after is None
                or (micros(each.decided_at), each.disclosure_id.bytes)
                < (after.decided_at, after.disclosure_id.bytes)
            )
        ]
        return found[:limit]

    def repetitions(self, disclosure_id: UUID) -> Repetitions:
        return Repetitions(count=0, latest=())

    def recipient(self, code: MemberCode) -> Recipient | None:
        kind = RecipientKind.BANK if code == BANK else RecipientKind.LAW_ENFORCEMENT
        return Recipient(code=code, kind=kind, name=code, state=RecipientState.ACTIVE)

    def agreements_of(self, code: MemberCode) -> Sequence[Agreement]:
        return [an_agreement(recipient=code, provisions=frozenset({Provision.JUDICIAL}))]

    def document(self, recipient: MemberCode, digest: bytes) -> bytes | None:
        return None  # as if every document were lost


def a_decision(**changes: Any) -> SubjectDecision:
    """Return a decision; its position follows its time and id."""
    stated: dict[str, Any] = {
        "disclosure_id": uuid4(),
        "recipient": BANK,
        "operation": Operation.GET_PERSON_DATA,
        "outcome": Outcome.RELEASED,
        "codes": (),
        "released": ("surname",),
        "purpose": "ACCOUNT_OPENING",
        "ground_kind": "CONSENT",
        "ground_id": UUID(int=1),
        "ground_digest": UNREADABLE,
        "decided_at": AT - timedelta(days=1),
        "hiding": None,
    } | changes
    at, disclosure_id = stated["decided_at"], stated["disclosure_id"]
    return SubjectDecision(position=PagePosition(micros(at), disclosure_id), **stated)


TIMES = st.integers(0, 20).map(lambda hours: AT - timedelta(hours=hours))
"""Few values, so that decisions of one time occur."""

VISIBLE = st.builds(
    lambda at, facts: a_decision(decided_at=at, **facts),
    TIMES,
    st.sampled_from(
        [
            {},
            {"outcome": Outcome.REFUSED, "codes": ("CNS-05",), "released": ()},
            {"recipient": POLICE, "ground_kind": "BASIS", "hiding": Hiding(None)},
            {
                "recipient": POLICE,
                "ground_kind": "BASIS",
                "hiding": Hiding(AT - timedelta(seconds=1)),
            },
            {"ground_kind": None, "outcome": Outcome.REFUSED, "codes": ("RCP-02",)},
        ]
    ),
)
HIDDEN = st.builds(
    lambda at, facts: a_decision(decided_at=at, recipient=POLICE, **facts),
    TIMES,
    st.sampled_from(
        [
            {"ground_kind": "BASIS", "hiding": Hiding(AT + timedelta(seconds=1))},
            {"ground_kind": "BASIS", "hiding": None},
            {"ground_kind": "BASIS", "hiding": None, "ground_digest": None},
            {"ground_kind": None, "outcome": Outcome.REFUSED, "codes": ("LAW-09",)},
            {"ground_kind": None, "outcome": Outcome.UNDETERMINED, "codes": ("OPS-01",)},
            {
                "ground_kind": "BASIS",
                "outcome": Outcome.REFUSED,
                "codes": ("LAW-07",),
                "hiding": Hiding(AT + timedelta(days=1)),
            },
        ]
    ),
)


def view_of(rows: Sequence[SubjectDecision], at: datetime = AT) -> SubjectView:
    record: Any = MemoryRecord(tuple(rows))
    return SubjectView(
        record=record, documents=DOCUMENTS, subject=PIN, at=at, hidden_at_most=HIDDEN_AT_MOST
    )


def answers(rows: Sequence[SubjectDecision], limit: int) -> list[bytes]:
    """Return every page, as it leaves the service."""
    view, selection, pages = view_of(rows), DecisionSelection(), []
    while True:
        entries, following = view.page(selection, limit=limit)
        pages.append(DOCUMENTS.subject_entries(entries, following))
        if following is None:
            return pages
        selection = DecisionSelection(after=following)


def usages(rows: Sequence[SubjectDecision], query: UsageQuery) -> str:
    services: Any = type(
        "Services",
        (),
        {
            "record": MemoryRecord(tuple(rows)),
            "documents": DOCUMENTS,
            "hidden_at_most": HIDDEN_AT_MOST,
        },
    )
    return json.dumps(FindUsage(services=services).count(query, at=AT))


@given(st.lists(VISIBLE, max_size=8), st.lists(HIDDEN, min_size=1, max_size=5), st.integers(1, 4))
def test_answers_are_equal_with_and_without_hidden_decisions(
    visible: list[SubjectDecision], hidden: list[SubjectDecision], limit: int
) -> None:
    """Lists, pages, their positions, counts and usages are equal to the byte."""
    assert answers([*visible, *hidden], limit) == answers(visible, limit)
    for offset in (0, limit):
        query = UsageQuery(request_id=UUID(int=1), user=PIN, offset=offset, limit=limit)
        assert usages([*visible, *hidden], query) == usages(visible, query)
    view = view_of(visible)
    assert all(view.is_visible(each) for each in visible)
    assert not any(view.is_visible(each) for each in hidden)


@given(st.lists(VISIBLE, max_size=8), TIMES)
def test_a_decision_appears_at_its_date(visible: list[SubjectDecision], at: datetime) -> None:
    """It then has its own time and place in the list."""
    until = AT + timedelta(days=30)
    hidden = a_decision(decided_at=at, recipient=POLICE, ground_kind="BASIS", hiding=Hiding(until))

    before = view_of([*visible, hidden], until - timedelta(microseconds=1))
    after = view_of([*visible, hidden], until)

    assert hidden not in before.visible(DecisionSelection())
    assert hidden in after.visible(DecisionSelection())

"""A month's decisions are counted and listed (Procedure, cl. 11)."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.dialects.sqlite import dialect

from makul.app.ports import ExportOptions, MonthCount
from makul.domain.disclosures import Outcome
from makul.domain.months import Month
from makul.domain.reasons import Code
from makul.store import Store, StoreKeys
from makul.store.db.location import DatabaseLocation
from makul.store.encryption import fields as crypto
from makul.store.reads import disclosures as listing
from makul.store.reads.monthly_counts import MONTH_COUNTS
from makul_testing.builders.entries import a_failed_match, a_refusal, a_release
from makul_testing.builders.records import AZAMAT, BANK, NOON, POLICE, PURPOSE, a_consent, a_key
from makul_testing.raw_sql import count, raw

NOVEMBER = Month(2026, 11)
MASKED = ExportOptions(revealed=False, reason=None)
INSTANT = timedelta(microseconds=1)
WITHIN = [NOVEMBER.begins, NOON, NOVEMBER.ends - INSTANT]
OUTSIDE = [NOVEMBER.begins - INSTANT, NOVEMBER.ends]


@pytest.fixture
def month(store: Store) -> Store:
    """Record three releases by consent, a failed match, another's refusal, and two outside the
    month.
    """
    for at in WITHIN + OUTSIDE:
        store.recorder.record(a_release(decided_at=at, ground=a_consent()))
    store.recorder.record(a_failed_match())
    store.recorder.record(a_refusal(Code.RCP_01, key=a_key(recipient=POLICE), purpose=None))
    return store


def test_equal_decisions_are_counted_together(month: Store) -> None:
    """The counts are by recipient, purpose, outcome and ground, in the Republic's month."""
    assert month.registry.statistics(NOVEMBER) == [
        MonthCount(
            recipient=BANK,
            purpose=PURPOSE,
            outcome=outcome,
            ground_kind=ground,
            decisions=decisions,
        )
        for outcome, ground, decisions in (
            (Outcome.NOT_MATCHED, None, 1),
            (Outcome.RELEASED, "CONSENT", 3),
        )
    ] + [
        MonthCount(
            recipient=POLICE,
            purpose=None,
            outcome=Outcome.REFUSED,
            ground_kind=None,
            decisions=1,
        )
    ]


def test_a_month_without_decisions_counts_none(month: Store) -> None:
    """A combination that does not occur is absent."""
    assert month.registry.statistics(Month(2025, 11)) == []


@pytest.mark.parametrize("page", [1, 2, 3, 4, 5, 6])
def test_every_decision_is_listed_once_and_in_order(
    month: Store, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Entries at a page's edge are included, also two decisions of one instant."""
    monkeypatch.setattr(listing, "PAGE_ROWS", page)
    monkeypatch.setattr(listing, "_PAGES", {False: listing._page(), True: listing._page()})

    rows = list(month.registry.export(NOVEMBER, None, MASKED, at=NOON))

    assert sorted(row.decided_at for row in rows) == [row.decided_at for row in rows]
    assert [row.decided_at for row in rows] == sorted([*WITHIN, NOON, NOON])
    assert len({row.disclosure_id for row in rows}) == 5


def test_one_recipients_decisions_are_listed_alone(month: Store) -> None:
    """Each decision has its ground, by which the consent is found."""
    rows = list(month.registry.export(NOVEMBER, BANK, MASKED, at=NOON))

    assert {row.recipient for row in rows} == {BANK}
    assert [isinstance(row.ground_id, UUID) for row in rows if row.ground_kind] == [True] * 3


def test_an_export_is_recorded_before_it_returns_anything(
    month: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """Procedure, cl. 13 and 16: the record has who, when, which month, whether PINs
    show, and why.
    """
    before = count(place, "desk_log")
    month.registry.export(NOVEMBER, BANK, ExportOptions(revealed=True, reason="check 9"), at=NOON)

    with raw(place) as connection:
        ((entry, target, sealed),) = connection.execute(
            "SELECT entry_id, target, sealed FROM desk_log WHERE action = 'disclosure.export'"
        ).fetchall()
    facts = json.loads(
        crypto.FieldCipher(keys).decrypt(
            sealed, crypto.field_associated_data("desk_log", "sealed", entry)
        )
    )
    assert count(place, "desk_log") == before + 1
    assert target == BANK
    assert facts == {"month": "2026-11", "revealed": True, "reason": "check 9"}


def test_an_unrecordable_export_returns_nothing(month: Store, place: DatabaseLocation) -> None:
    """The error comes at the request, not at the first row."""
    with raw(place) as connection:
        connection.execute("DROP TABLE desk_log")

    with pytest.raises(Exception, match="the record store failed"):
        month.registry.export(NOVEMBER, None, MASKED, at=NOON)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_pins_are_never_shown_without_a_reason(reason: str | None) -> None:
    """The store refuses it, even if a command forgets to ask."""
    with pytest.raises(ValueError, match="reason"):
        ExportOptions(revealed=True, reason=reason)


def test_a_listed_decision_prints_without_the_pin(month: Store) -> None:
    """A traceback or log does not contain it."""
    (row, *_) = month.registry.export(NOVEMBER, None, MASKED, at=NOON)

    assert row.subject == AZAMAT
    assert AZAMAT.digits not in repr(row)


def _plan(path: Path, statement: Any) -> str:
    compiled = statement.compile(dialect=dialect(paramstyle="named"))
    values = dict.fromkeys(compiled.params, 1)
    with raw(path) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {compiled}", values).fetchall()
    return "; ".join(row[3] for row in rows)


def test_a_month_is_counted_without_reading_a_record(path: Path) -> None:
    """The index holds everything that is counted."""
    assert "USING COVERING INDEX ix_disclosure_month" in _plan(path, MONTH_COUNTS)


@pytest.mark.parametrize(
    ("narrowed", "index"),
    [(False, "ix_disclosure_month"), (True, "ix_disclosure_recipient_decided_at")],
)
def test_a_page_is_found_by_an_index_and_needs_no_sorting(
    path: Path, narrowed: bool, index: str
) -> None:
    """The millionth page is found as fast as the first."""
    plan = _plan(path, listing._PAGES[narrowed])

    assert index in plan
    assert "TEMP B-TREE" not in plan

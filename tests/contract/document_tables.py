"""Tables of documentation that must equal the programs: security events and metrics."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from document_pages import Page

from makul.app.ports.ledger import LedgerState
from makul.app.ports.notifications import OutboxState
from makul.observability.metrics import instruments
from makul.observability.metrics_server import MetricsSource
from makul.observability.security_events import Event
from makul.trust.pki.status_report import Freshness

Problem = tuple[str, int, str]
Cells = tuple[str, ...]

EVENTS = "docs/operating/events.md"
METRICS = "docs/operating/metrics.md"


def event_rows() -> dict[str, Cells]:
    """Return the expected row of every event, by code."""
    return {
        entry.code: (
            entry.code,
            entry.action,
            entry.severity.name.lower(),
            f"{entry.category}, {entry.kind}, {entry.outcome}",
            " ".join(code.value for code in entry.reasons) or "–",
            entry.meaning,
        )
        for entry in (event.value for event in Event)
    }


def metric_rows() -> dict[str, Cells]:
    """Return the expected row of every metric, by name."""
    found = instruments()
    counted = [getattr(found, name) for name in found.__dataclass_fields__]
    rows = {}
    for each in counted:
        name = each._name + ("_total" if each._type == "counter" else "")
        labels = " ".join(each._labelnames)
        rows[name] = (name, each._type, labels or "–", each._documentation)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fresh = Freshness(stale=0, silent=0, oldest=now, ends=now)
    log = LedgerState(
        size=0,
        root=b"",
        waiting=0,
        waiting_since=None,
        checkpoint_size=0,
        checkpoint_at=now,
        cosigned_size=0,
        holder=None,
        held_until=None,
    )
    outbox = OutboxState(waiting=0, oldest=None, given_up=0)
    whole = MetricsSource(
        {"documents": lambda _: fresh}, lambda: now, lambda: log, lambda _: outbox
    )
    for family in whole.collect():
        labels = " ".join(family.samples[0].labels)
        rows[family.name] = (family.name, family.type, labels or "–", family.documentation)
    return rows


def table_problems(pages: Mapping[str, Page]) -> Iterator[Problem]:
    """Yield what these tables lack, and what differs from the programs."""
    for name, heading, rows in (
        (EVENTS, "Event", event_rows()),
        (METRICS, "Metric", metric_rows()),
    ):
        yield from _problems(pages.get(name, Page(name, "")), heading, rows)


def facts_in_tables() -> int:
    """Return how many rows are compared."""
    return len(event_rows()) + len(metric_rows())


def _problems(page: Page, heading: str, rows: Mapping[str, Cells]) -> Iterator[Problem]:
    listed = {row.cells[0]: row for row in page.table(heading)}
    for name in rows.keys() - listed.keys():
        yield page.name, 1, f"{name} is not documented"
    for name, row in listed.items():
        if row.cells != rows.get(name):
            expected = " | ".join(rows[name]) if name in rows else "no such row"
            yield page.name, row.number, f"{name} should read: {expected}"

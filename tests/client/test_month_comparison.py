"""The comparison of lines and receipts as pure code, and the directory of receipts."""

import errno
import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul_client import DifferenceKind
from makul_client.errors import OutputError, ProfileError
from makul_client.models.months import (
    LineException,
    MonthlyStatement,
    StatementLine,
    is_month,
    month_bounds,
    month_of,
)
from makul_client.models.response import GroundRef, Receipt
from makul_client.months.comparison import compare_line, differing_fields
from makul_client.months.decision_set import DecisionSet
from makul_client.months.line_counts import LineCounts
from makul_client.receipts.directory import ReceiptDirectory

BEGINS, ENDS = month_bounds("2026-10")
INSTANTS = st.datetimes(
    min_value=BEGINS.replace(tzinfo=None),
    max_value=(ENDS - timedelta(microseconds=1)).replace(tzinfo=None),
    timezones=st.just(UTC),
)
DIGESTS = st.binary(min_size=32, max_size=32)
GROUNDS = st.none() | st.builds(
    GroundRef, kind=st.sampled_from(("CONSENT", "BASIS")), id=st.uuids(), digest=DIGESTS
)
RECEIPTS = st.builds(
    Receipt,
    receipt_id=st.uuids(),
    request_id=st.uuids(),
    request_digest=DIGESTS,
    operation=st.sampled_from(("VerifyPerson", "GetPersonData", "RegisterConsent")),
    recipient=st.just("COM/60000001"),
    agreement=st.none(),
    outcome=st.sampled_from(("RELEASED", "MATCHED", "REFUSED", "UNDETERMINED")),
    reasons=st.just(()),
    released=st.frozensets(st.sampled_from(("pin", "surname", "address"))),
    payload_digest=st.none(),
    answer_digest=st.none(),
    ground=GROUNDS,
    decided_at=INSTANTS,
    leaf_hash=DIGESTS,
    operator=st.just("GOV/70000001"),
    document=st.binary(min_size=1, max_size=64),
)
CHANGES = {
    "disclosureId": {"disclosure_id": UUID(int=5)},
    "requestId": {"request_id": UUID(int=6)},
    "operation": {"operation": "RevokeConsent"},
    "outcome": {"outcome": "ACCEPTED"},
    "attribute": {"attributes": frozenset({"birthDate"})},
    "ground": {"ground_kind": "OTHER", "ground_digest": bytes(32)},
    "decidedAt": {"decided_at": BEGINS - timedelta(days=1)},
    "receiptDigest": {"receipt_digest": b"\1" * 32},
}
"""By the name of what differs: values that no line of an honest statement above has."""


def line_of(receipt: Receipt) -> StatementLine:
    """Return the line that an honest operator writes for a receipt."""
    return StatementLine(
        disclosure_id=receipt.receipt_id,
        decided_at=receipt.decided_at,
        request_id=receipt.request_id,
        operation=receipt.operation,
        outcome=receipt.outcome,
        attributes=receipt.released,
        ground_kind=receipt.ground.kind if receipt.ground else None,
        ground_digest=receipt.ground.digest if receipt.ground else None,
        receipt_digest=hashlib.sha256(receipt.document).digest(),
    )


@given(RECEIPTS)
def test_the_line_of_a_receipt_is_equal_to_it(receipt: Receipt) -> None:
    """An honest statement has no difference."""
    assert compare_line(line_of(receipt), [receipt]) is None


@given(RECEIPTS, st.sets(st.sampled_from(sorted(CHANGES)), min_size=1))
def test_exactly_what_differs_is_named(receipt: Receipt, names: set[str]) -> None:
    """Each part is compared by itself, so one change never hides another."""
    line = line_of(receipt)
    for name in names:
        line = replace(line, **CHANGES[name])  # type: ignore[arg-type]

    assert set(differing_fields(line, receipt)) == names
    found = compare_line(line, [receipt])
    assert found is not None
    assert (found.kind, set(found.fields)) == (DifferenceKind.CONTENT, names)


@given(RECEIPTS, RECEIPTS)
def test_an_equal_receipt_does_not_hide_another(first: Receipt, second: Receipt) -> None:
    """Two receipts with one id are a difference, in any order, unless they are the same."""
    line = line_of(first)
    other = replace(second, receipt_id=first.receipt_id)
    differs = compare_line(line, [other]) is not None

    assert (compare_line(line, [first, other]) is not None) is differs
    assert (compare_line(line, [other, first]) is not None) is differs


@given(RECEIPTS)
def test_a_line_without_receipts_has_none(receipt: Receipt) -> None:
    found = compare_line(line_of(receipt), [])
    assert found is not None
    assert (found.kind, found.fields) == (DifferenceKind.NO_RECEIPT, ())


def statement_of(lines: list[StatementLine]) -> MonthlyStatement:
    """Return the head that an honest operator signs for lines."""
    counts = LineCounts()
    for line in lines:
        counts.add(line)
    return MonthlyStatement(
        month="2026-10",
        draft=False,
        operator="GOV/70000001",
        recipient="COM/60000001",
        recipient_name="Bank",
        agreements=(),
        built_at=ENDS,
        checkpoint=b"",
        lines=counts.lines,
        disclosures=counts.disclosures,
        subjects=0,
        repetitions=0,
        totals={
            **{name: dict(total) for name, total in counts.by.items()},
            "purposeTotal": {"LOAN": len(lines)} if lines else {},
            "refusalTotal": {},
        },
        exceptions=tuple(counts.listed),
        pages=(),
        document=b"",
    )


@given(st.lists(RECEIPTS, max_size=8), st.data())
def test_totals_are_those_of_exactly_these_lines(
    receipts: list[Receipt], data: st.DataObject
) -> None:
    """One line more or less, or one number changed, is found."""
    found = LineException(kind="NO_GROUND", fact="GROUND_NOT_NAMED")
    lines = [replace(line_of(each), exceptions=(found,)) for each in receipts]
    statement = statement_of(lines)
    counts = LineCounts()
    for line in lines:
        counts.add(line)
    assert counts.are_those_of(statement)

    if lines:
        names = [name for name, total in statement.totals.items() if total]
        name = data.draw(st.sampled_from(sorted(names)))
        key = data.draw(st.sampled_from(sorted(statement.totals[name])))
        total = {**statement.totals[name], key: statement.totals[name][key] + 1}
        assert not counts.are_those_of(replace(statement, totals={**statement.totals, name: total}))
        assert not statement_is_of(lines[1:], statement)
    assert not counts.are_those_of(replace(statement, subjects=counts.disclosures + 1))


def statement_is_of(lines: list[StatementLine], statement: MonthlyStatement) -> bool:
    counts = LineCounts()
    for line in lines:
        counts.add(line)
    return counts.are_those_of(statement)


@given(st.lists(st.integers(0, 20), max_size=60))
def test_seen_decisions_are_a_set(numbers: list[int]) -> None:
    """It behaves like the set of Python, outside the memory of the process."""
    expected: set[int] = set()
    with DecisionSet() as seen:
        for number in numbers:
            assert seen.add(UUID(int=number)) is (number not in expected)
            expected.add(number)
        assert [UUID(int=n) in seen for n in range(21)] == [n in expected for n in range(21)]


@given(INSTANTS)
def test_an_instant_is_of_the_month_that_contains_it(at: datetime) -> None:
    assert month_of(at) == "2026-10"
    assert is_month(month_of(at))


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 9, 30, 17, 59, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 9, 30, 18, 0, tzinfo=UTC), "2026-10"),
        (datetime(2026, 12, 31, 18, 0, tzinfo=UTC), "2027-01"),
    ],
)
def test_a_month_begins_in_bishkek(at: datetime, month: str) -> None:
    """Midnight in Bishkek is 18:00 UTC of the day before."""
    begins, ends = month_bounds(month)
    assert month_of(at) == month
    assert begins <= at < ends


# --- the directory ----------------------------------------------------------------------------


def a_receipt(document: bytes = b"<Receipt/>", **changes: object) -> Receipt:
    facts: dict[str, object] = {
        "receipt_id": uuid4(),
        "request_id": uuid4(),
        "request_digest": bytes(32),
        "operation": "VerifyPerson",
        "recipient": "COM/60000001",
        "agreement": None,
        "outcome": "MATCHED",
        "reasons": (),
        "released": frozenset(),
        "payload_digest": None,
        "answer_digest": None,
        "ground": None,
        "decided_at": BEGINS,
        "leaf_hash": bytes(32),
        "operator": "GOV/70000001",
        "document": document,
    }
    return Receipt(**{**facts, **changes})  # type: ignore[arg-type]


def test_a_receipt_is_kept_once_and_never_replaced(tmp_path: Path) -> None:
    """Equal bytes are one file; other bytes with the same id are a second file."""
    directory, receipt = ReceiptDirectory(tmp_path / "receipts"), a_receipt()
    directory.require_writable()
    file = directory.keep(receipt)
    again = directory.keep(receipt)
    other = directory.keep(replace(receipt, document=b"<Other/>"))

    assert file == again == tmp_path / "receipts" / "2026-10" / f"{receipt.receipt_id}.xml"
    assert other.name == f"{receipt.receipt_id}-2.xml"
    assert directory.read("2026-10", receipt.receipt_id) == (b"<Receipt/>", b"<Other/>")
    assert {name for _, name in directory.files_of("2026-10")} == {receipt.receipt_id}
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(each.name for each in file.parent.iterdir()) == sorted([file.name, other.name])


def test_a_receipt_of_another_process_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes the same name after this one saw that it is free."""
    directory, receipt = ReceiptDirectory(tmp_path), a_receipt()
    directory.keep(receipt)
    with monkeypatch.context() as race:
        race.setattr("makul_client.receipts.directory._exists", lambda _: False)
        again = directory.keep(receipt)
        directory.keep(replace(receipt, document=b"<Other/>"))

    assert again.name == f"{receipt.receipt_id}.xml"
    assert directory.read("2026-10", receipt.receipt_id) == (b"<Receipt/>", b"<Other/>")
    assert len(list(again.parent.iterdir())) == 2


def test_a_file_system_without_hard_links_keeps_receipts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems of Windows and of removable disks have none."""

    def link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", link)
    directory, receipt = ReceiptDirectory(tmp_path), a_receipt()
    file = directory.keep(receipt)

    assert file.read_bytes() == receipt.document
    assert list(file.parent.iterdir()) == [file]


def test_too_many_receipts_with_one_id_are_an_error(tmp_path: Path) -> None:
    directory, receipt = ReceiptDirectory(tmp_path), a_receipt()
    for number in range(9):
        directory.keep(replace(receipt, document=b"%d" % number))
    with pytest.raises(OutputError):
        directory.keep(receipt)


@pytest.mark.parametrize("planted", ["file", "link"])
def test_a_directory_that_is_none_is_an_error(tmp_path: Path, planted: str) -> None:
    """It is found before anything is sent."""
    path = tmp_path / "receipts"
    if planted == "file":
        path.write_bytes(b"")
    else:
        path.symlink_to(tmp_path / "nowhere" / "below")
        (tmp_path / "nowhere").write_bytes(b"")
    with pytest.raises(ProfileError, match="receipts"):
        ReceiptDirectory(path).require_writable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ProfileError, match="receipts"):
        ReceiptDirectory(tmp_path).require_writable()


def test_an_absent_month_has_no_files(tmp_path: Path) -> None:
    assert list(ReceiptDirectory(tmp_path).files_of("2026-10")) == []

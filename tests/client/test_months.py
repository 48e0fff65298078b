"""A month's check by the client: what a hostile or careless operator states is refused (cl. 11)."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest

from makul_client import (
    ContestedItem,
    DifferenceKind,
    LedgerError,
    LedgerFlaw,
    MakulError,
    MonthCheck,
    ProfileError,
    ReceiptFlaw,
    StatementError,
    StatementFlaw,
    TransportError,
)
from makul_client._internal import soap_messages
from makul_client.months import check as month_check
from makul_client.months import statement_page
from makul_testing.client.ledger import World
from makul_testing.client.months import (
    MONTH,
    FakeMonth,
    Line,
    a_line,
    a_month,
    keep,
    month_client,
    sign_receipt,
)
from makul_testing.client.world import client_for, parties, write_profile
from makul_testing.servers.fake_service import run_fake_service
from makul_testing.tlog.published import leaves

MANY = 20_000
"""More lines than a page may have."""
Change = Callable[[FakeMonth], object]


def check(folder: Path, month: FakeMonth, *, extra: str = "", sample: int = 0) -> MonthCheck:
    """Return the comparison with every receipt kept, unless the test kept others before."""
    if not (folder / "receipts").exists():
        keep(folder, [line for page in month.pages for line in page])
    with (
        run_fake_service(month.reply()) as service,
        month_client(folder, service.url, extra=extra) as client,
    ):
        return client.check_month(MONTH, sample=sample)


def test_an_honest_month_has_no_differences(tmp_path: Path) -> None:
    """Every line has its receipt, and every page is read once."""
    month = a_month()
    found = check(tmp_path, month)

    assert (found.matched, found.has_differences, found.unusable_files) == (3, False, 0)
    assert (found.checkpoint, found.proved) == (None, 0)
    assert (found.issued.statement.lines, found.issued.status.state) == (3, "ISSUED")


def test_an_empty_month_has_no_pages(tmp_path: Path) -> None:
    """A recipient that asked nothing confirms a statement without lines."""
    found = check(tmp_path, a_month(pages=[]))
    assert (found.matched, found.has_differences) == (0, False)


# --- hostile statements -----------------------------------------------------------------------


def _repeat(month: FakeMonth) -> object:
    first = month.pages[0][0]
    return month.pages[1].append(first)


def _repeat_later(month: FakeMonth) -> object:
    first = month.pages[0][0]
    return month.pages[1].append(replace(first, decided_at=first.decided_at + timedelta(hours=1)))


def _swap(month: FakeMonth) -> object:
    return month.pages[0].reverse()


def _outside(month: FakeMonth) -> object:
    return month.pages[1].append(a_line(60 * 24 * 30))


def _with_total(name: str, key: str, number: int) -> Change:
    return lambda month: month.totals.update({name: {key: number}})


def _many_lines(page: bytes) -> bytes:
    line = page[page.rindex(b"<line>") : page.rindex(b"</StatementPage>")]
    return page.replace(b"</StatementPage>", line * MANY + b"</StatementPage>")


def _set(**values: object) -> Change:
    return lambda month: [setattr(month, name, value) for name, value in values.items()]


def _in_page(old: bytes, new: bytes) -> Change:
    return _set(page=lambda page: page.replace(old, new, 1))


HOSTILE: dict[str, tuple[Change, StatementFlaw | ReceiptFlaw]] = {
    "foreign-key": (_set(signer=parties().recipient), ReceiptFlaw.SIGNER),
    "altered-head": (
        _set(head_on_its_way=lambda head: head.replace(b">Bank<", b">Bang<")),
        ReceiptFlaw.SIGNATURE,
    ),
    "no-xml": (_set(head_on_its_way=lambda _: b"no XML"), ReceiptFlaw.SIGNATURE),
    "other-recipient": (_set(recipient="COM/60000002"), StatementFlaw.OTHER),
    "other-month": (_set(month="2026-09"), StatementFlaw.OTHER),
    "draft": (_set(draft="true"), StatementFlaw.OTHER),
    "other-digest": (_set(status={"statementDigest": "A" * 43 + "="}), StatementFlaw.OTHER),
    "head-breaks-schema": (_set(draft="maybe"), ReceiptFlaw.UNREADABLE),
    "pages-from-2": (
        _set(references=lambda pages: [(n + 1, size, digest) for n, size, digest in pages]),
        StatementFlaw.PAGES,
    ),
    "page-twice": (_set(references=lambda pages: [*pages, pages[0]]), StatementFlaw.PAGES),
    "page-not-named": (_set(references=lambda pages: pages[:1]), StatementFlaw.TOTALS),
    "changed-page": (
        _set(page_on_its_way=lambda page: page.replace(b"VerifyPerson", b"GetPersonData")),
        StatementFlaw.DIGEST,
    ),
    "missing-page": (_set(page_on_its_way=lambda _: None), StatementFlaw.MISSING),
    "empty-page": (_set(page_on_its_way=lambda _: b""), StatementFlaw.MISSING),
    "page-of-another-month": (_set(page_month="2026-09"), StatementFlaw.CONTENT),
    "page-of-another-recipient": (_set(page_recipient="COM/60000002"), StatementFlaw.CONTENT),
    "page-of-another-number": (_set(page_number=1), StatementFlaw.CONTENT),
    "page-with-fewer-lines": (
        _set(
            references=lambda pages: [(n, size + 1, digest) for n, size, digest in pages], lines=5
        ),
        StatementFlaw.CONTENT,
    ),
    "many-lines": (_set(page=_many_lines), StatementFlaw.CONTENT),
    "page-is-no-xml": (_set(page=lambda _: b"\0"), StatementFlaw.CONTENT),
    "page-with-dtd": (
        _set(page=lambda page: b'<!DOCTYPE a [<!ENTITY b "c">]>' + page),
        StatementFlaw.CONTENT,
    ),
    "page-with-comment": (_in_page(b"<line>", b"<!-- --><line>"), StatementFlaw.CONTENT),
    "page-with-instruction": (_in_page(b"<line>", b"<?a b?><line>"), StatementFlaw.CONTENT),
    "page-with-another-root": (
        _set(page=lambda page: page.replace(b"StatementPage", b"Statement")),
        StatementFlaw.CONTENT,
    ),
    "nested-page": (
        _in_page(b"<line>", b"<line>" * 100_000),
        StatementFlaw.CONTENT,
    ),
    "line-breaks-schema": (_in_page(b"VerifyPerson", b"Verify Person!"), StatementFlaw.CONTENT),
    "line-without-receipt": (
        _set(page=lambda page: page.replace(b"receiptDigest", b"receipt")),
        StatementFlaw.CONTENT,
    ),
    "header-twice": (
        _in_page(b"<number>", b"<month>2026-10</month><number>"),
        StatementFlaw.CONTENT,
    ),
    "line-repeated": (_repeat, StatementFlaw.ORDER),
    "line-repeated-later": (_repeat_later, StatementFlaw.REPEATED),
    "lines-out-of-order": (_swap, StatementFlaw.ORDER),
    "line-of-another-month": (_outside, StatementFlaw.ORDER),
    "lines-in-head": (_set(lines=4), StatementFlaw.TOTALS),
    "outcomes": (_with_total("outcomeTotal", "REFUSED", 3), StatementFlaw.TOTALS),
    "operations": (_with_total("operationTotal", "VerifyPerson", 2), StatementFlaw.TOTALS),
    "days": (_with_total("dayTotal", "2026-10-04", 3), StatementFlaw.TOTALS),
    "grounds": (_with_total("groundTotal", "CONSENT", 3), StatementFlaw.TOTALS),
    "attributes": (_with_total("attributeTotal", "surname", 1), StatementFlaw.TOTALS),
    "exceptions": (_with_total("exceptionTotal", "NO_GROUND", 1), StatementFlaw.TOTALS),
    "purposes": (_with_total("purposeTotal", "LOAN", 2), StatementFlaw.TOTALS),
    "refusals": (_with_total("refusalTotal", "CNS-01", 4), StatementFlaw.TOTALS),
}
"""By name: how a month is changed before it is signed, and the flaw that is found."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_statement_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing of it is returned, and the message names the flaw without a value."""
    change, flaw = HOSTILE[name]
    month = a_month()
    change(month)

    with pytest.raises(StatementError) as refused:
        check(tmp_path, month)

    assert refused.value.flaw is flaw, str(refused.value)
    assert len(str(refused.value)) < 200
    assert str(refused.value).startswith("the statement must not be trusted: ")


@pytest.mark.parametrize(
    "status", [{"recipient": "COM/60000002"}, {"month": "2026-09"}, {"state": "OTHER"}]
)
def test_the_state_of_another_month_is_refused(tmp_path: Path, status: dict[str, str]) -> None:
    """The state is proved by the receipt of the answer, and must be that of this month."""
    with pytest.raises(TransportError):
        check(tmp_path, a_month(status=status))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP, identity"])
def test_a_compressed_answer_is_not_unpacked(tmp_path: Path, encoding: str) -> None:
    """A thousand bytes could become a million. The client asks for none, and reads none."""
    reply = a_month().reply()
    with (
        run_fake_service(
            lambda request: (reply(request)[0], gzip.compress(reply(request)[1]))
        ) as service,
        month_client(tmp_path, service.url) as client,
    ):
        service.extra_headers["Content-Encoding"] = encoding
        with pytest.raises(TransportError, match="compressed"):
            client.monthly_statement(MONTH)
    assert service.headers[0]["Accept-Encoding"] == "identity"


def test_a_large_answer_is_not_read(tmp_path: Path) -> None:
    """The limit holds for what arrives; a page is read only up to it."""
    with (
        patch.dict(soap_messages.LARGE_ANSWERS, {"GetMonthlyStatement": 20_000}),
        pytest.raises(TransportError, match="too large"),
    ):
        check(tmp_path, a_month(page=lambda page: page + b" " * 30_000))


def test_an_oversize_page_is_not_parsed(tmp_path: Path) -> None:
    """A page has at most 32 MiB, also if the head names its digest."""
    with (
        patch.object(statement_page, "MAX_PAGE", 30_000),
        pytest.raises(StatementError, match="too large"),
    ):
        check(tmp_path, a_month(page=lambda page: page + b" " * 30_000))


def test_a_page_of_ten_million_letters_is_read(tmp_path: Path) -> None:
    """libxml2 limits a text to ten million bytes; a page with many exceptions is longer."""
    found = check(tmp_path, a_month(page=lambda page: page + b" " * 9_000_000))
    assert found.matched == 3


# --- the log ----------------------------------------------------------------------------------


def ledger(world: World, **changes: str) -> str:
    keys = ", ".join(f'"{each.vkey}"' for each in world.witnesses)
    rows = {"key": f'"{world.log.signer.vkey}"', "witnesses": f"[{keys}]"} | changes
    return "[ledger]\n" + "\n".join(f"{name} = {value}" for name, value in rows.items())


def test_the_checkpoint_is_verified(tmp_path: Path, world: World) -> None:
    """The log signed it, and enough witnesses cosigned it."""
    month = a_month(checkpoint=world.checkpoint(world.hashes))
    found = check(tmp_path, month, extra=ledger(world))

    assert found.checkpoint is not None
    assert (found.checkpoint.size, len(found.checkpoint.cosigned_by)) == (20, 2)


@pytest.mark.parametrize(
    ("make", "flaw"),
    [
        (lambda world: world.checkpoint(world.hashes, witnesses=0), LedgerFlaw.QUORUM),
        (lambda world: world.checkpoint(world.hashes)[:-8] + b"AAAAAAA\n", LedgerFlaw.QUORUM),
        (lambda _: b"no checkpoint", LedgerFlaw.CHECKPOINT),
        (
            lambda world: world.checkpoint(world.hashes).replace(b"\n20\n", b"\n21\n"),
            LedgerFlaw.CHECKPOINT,
        ),
    ],
    ids=["no-witness", "bad-cosignature", "no-note", "altered"],
)
def test_a_checkpoint_that_is_not_the_logs_is_refused(
    tmp_path: Path, world: World, make: Callable[[World], bytes], flaw: LedgerFlaw
) -> None:
    """One hour after the statement was built, the promise of the log has run out."""
    with pytest.raises(LedgerError) as refused:
        check(tmp_path, a_month(checkpoint=make(world)), extra=ledger(world))
    assert refused.value.flaw is flaw


def test_a_fork_is_found(tmp_path: Path, world: World) -> None:
    """The client remembers the checkpoint of last month's statement."""
    extra = ledger(world, state='"seen.json"')
    check(tmp_path, a_month(checkpoint=world.checkpoint(world.hashes)), extra=extra)
    other = world.checkpoint([*world.hashes[:-1], leaves(21)[-1]])

    with pytest.raises(LedgerError) as refused:
        check(tmp_path, a_month(checkpoint=other), extra=extra)

    assert refused.value.flaw is LedgerFlaw.FORKED


# --- differences ------------------------------------------------------------------------------


def three_lines() -> list[Line]:
    return [a_line(0), a_line(1), a_line(2)]


def kinds(found: MonthCheck) -> dict[DifferenceKind, int]:
    return {kind: number for kind, number in found.counts.items() if number}


def test_a_line_without_a_receipt_is_shown(tmp_path: Path) -> None:
    """The recipient looks for the request in its own records."""
    lines = three_lines()
    keep(tmp_path, lines[1:])
    found = check(tmp_path, a_month(pages=[lines]))

    (difference,) = found.differences
    assert (difference.kind, difference.disclosure_id, difference.request_id) == (
        DifferenceKind.NO_RECEIPT,
        lines[0].disclosure_id,
        lines[0].request_id,
    )
    item = ContestedItem.of(difference, "not ours")
    assert (item.is_unreported, item.receipt) == (True, None)


def test_a_receipt_without_a_line_is_shown_with_its_proof(tmp_path: Path) -> None:
    """The operator signed it, so it is what the recipient sends."""
    lines = three_lines()
    keep(tmp_path, lines)
    found = check(tmp_path, a_month(pages=[lines[:2]]))

    (difference,) = found.differences
    assert difference.kind is DifferenceKind.NOT_LISTED
    assert ContestedItem.of(difference, "ours").receipt == lines[2].receipt


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"outcome": "REFUSED"}, ("outcome",)),
        ({"operation": "GetPersonData"}, ("operation",)),
        ({"request_id": uuid4()}, ("requestId",)),
        ({"receipt_digest": bytes(32)}, ("receiptDigest",)),
    ],
    ids=["outcome", "operation", "request", "digest"],
)
def test_a_line_that_contradicts_its_receipt_is_shown(
    tmp_path: Path, changes: dict[str, object], names: tuple[str, ...]
) -> None:
    """Both are signed by the operator, so one of them is wrong."""
    line = a_line(0)
    keep(tmp_path, [line])
    found = check(tmp_path, a_month(pages=[[replace(line, **changes)]]))  # type: ignore[arg-type]

    (difference,) = found.differences
    assert (difference.kind, difference.fields) == (DifferenceKind.CONTENT, names)
    assert not ContestedItem.of(difference, "wrong").is_unreported


def test_two_receipts_of_one_decision_are_shown(tmp_path: Path) -> None:
    """The operator signed two different receipts with one id, and the line has one of them."""
    line = a_line(0)
    directory = keep(tmp_path, [line])
    other = sign_receipt(line.disclosure_id, line.request_id, line.decided_at, outcome="REFUSED")
    (directory / f"{line.disclosure_id}-2.xml").write_bytes(other)

    found = check(tmp_path, a_month(pages=[[line]]))

    assert kinds(found) == {DifferenceKind.CONTENT: 1}
    assert found.differences[0].fields == ("outcome", "receiptDigest")


def test_what_the_operator_did_not_sign_is_no_receipt(tmp_path: Path) -> None:
    """Files of others, altered files and other names are shown, and prove nothing."""
    lines = three_lines()
    directory = keep(tmp_path, lines)
    at, new = lines[0].decided_at, uuid4
    files = {
        "notes.txt": b"notes",
        f"{new()}.xml": b"<Receipt/>",
        f"{(other := new())}.xml": sign_receipt(other, new(), at, recipient="COM/60000002"),
        f"{(forged := new())}.xml": sign_receipt(forged, new(), at, signer=parties().recipient),
        f"{new()}.xml ": lines[0].receipt,
        f"{(act := new())}.xml": sign_receipt(act, new(), at, operation="ConfirmMonth"),
        f"{(early := new())}.xml": sign_receipt(early, new(), at - timedelta(days=30)),
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)
    (directory / f"{lines[1].disclosure_id}.xml").write_bytes(
        lines[1].receipt.replace(b"NOT_MATCHED", b"NOT_MATCHEE")
    )
    (directory / ".7d9a.xml.new").write_bytes(b"half")

    found = check(tmp_path, a_month(pages=[lines]))

    assert kinds(found) == {DifferenceKind.NO_RECEIPT: 1}
    assert found.unusable_files == len(files) + 1
    assert {*files, f"{lines[1].disclosure_id}.xml"} == {name for name, _ in found.unusable}


def test_refusals_are_recounted_from_the_receipts(tmp_path: Path) -> None:
    """Lines have no reasons. The receipts have them, and the head counts them."""
    month = a_month(totals={"refusalTotal": {"CNS-02": 1}})
    found = check(tmp_path, month)
    assert (found.refusals_differ, found.has_differences) == (("CNS-02",), True)


def test_only_some_differences_are_held(tmp_path: Path) -> None:
    """Memory does not grow with the differences; those that are contested are all there."""
    lines = three_lines()
    keep(tmp_path, [])
    with (
        patch.object(month_check, "MAX_DIFFERENCES", 1),
        run_fake_service(a_month(pages=[lines]).reply()) as service,
        month_client(tmp_path, service.url) as client,
    ):
        found = client.check_month(MONTH, contested={lines[2].disclosure_id})

    assert kinds(found) == {DifferenceKind.NO_RECEIPT: 3}
    held = [each.disclosure_id for each in found.differences]
    assert held == [lines[0].disclosure_id, lines[2].disclosure_id]


def test_a_profile_without_a_directory_cannot_compare(tmp_path: Path) -> None:
    """The error names the key, and nothing is sent."""
    with run_fake_service(a_month().reply()) as service:
        file = write_profile(tmp_path, service.url)
        with client_for(file) as client, pytest.raises(ProfileError, match="receipts"):
            client.check_month(MONTH)
    assert service.requests == []


@pytest.mark.parametrize("month", ["2026-13", "2026", "../2026-10", ""])
def test_what_is_no_month_is_not_sent(tmp_path: Path, month: str) -> None:
    """The schema refuses it before anything is sent."""
    with (
        run_fake_service(a_month().reply()) as service,
        month_client(tmp_path, service.url) as client,
        pytest.raises(MakulError),
    ):
        client.check_month(month)
    assert service.requests == []


def test_progress_is_reported_by_page(tmp_path: Path) -> None:
    """The caller draws the bar."""
    seen: list[tuple[int, int]] = []
    month = a_month()
    with (
        run_fake_service(month.reply()) as service,
        month_client(tmp_path, service.url) as client,
    ):
        client.check_month(MONTH, report=lambda read, lines: seen.append((read, lines)))
    assert seen == [(2, 3), (3, 3)]

"""The output of a month's comparison: tables for people, facts for programs. No personal data."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from makul_client.cli.output import local_time, print_line, print_pairs
from makul_client.models.months import (
    ContestedItem,
    DifferenceKind,
    MonthAct,
    MonthCheck,
)
from makul_client.translation import mark, translate

MAX_SHOWN: Final = 20
"""The maximum number of differences and files that are shown. --json has more."""

_KINDS: Final = {
    DifferenceKind.NO_RECEIPT: mark("no receipt is kept: did we request it?"),
    DifferenceKind.NOT_LISTED: mark("a receipt is kept, and the statement has no line of it"),
    DifferenceKind.CONTENT: mark("the line differs from the receipt"),
}


def month_facts(check: MonthCheck) -> dict[str, Any]:
    """Return a comparison as JSON has it."""
    issued, statement = check.issued, check.issued.statement
    return {
        "month": statement.month,
        "recipient": statement.recipient,
        "state": issued.status.state,
        "confirm_by": issued.status.confirm_by,
        "overdue": issued.status.overdue,
        "statement_digest": issued.status.statement_digest.hex(),
        "lines": statement.lines,
        "disclosures": statement.disclosures,
        "subjects": statement.subjects,
        "repetitions": statement.repetitions,
        "totals": statement.totals,
        "matched": check.matched,
        "counts": check.counts,
        "differences": [
            {
                "kind": each.kind,
                "disclosure_id": each.disclosure_id,
                "request_id": each.request_id,
                "operation": each.operation,
                "outcome": each.outcome,
                "decided_at": each.decided_at,
                "fields": each.fields,
            }
            for each in check.differences
        ],
        "refusals_differ": check.refusals_differ,
        "unusable_files": check.unusable_files,
        "unusable": [{"file": name, "cause": cause} for name, cause in check.unusable],
        "checkpoint": check.checkpoint,
        "proved": check.proved,
        "unproved": check.unproved,
        "contested": issued.contested,
    }


def print_check(check: MonthCheck) -> None:
    """Print a comparison: the month, the differences, the files, the contested lines."""
    statement, status = check.issued.statement, check.issued.status
    print_pairs(
        translate("Month {month} of {code}", month=statement.month, code=statement.recipient),
        [
            (translate("state"), status.state),
            (translate("confirm by"), local_time(status.confirm_by)),
            (translate("overdue"), translate("yes") if status.overdue else translate("no")),
            (translate("decisions"), str(statement.lines)),
            (translate("disclosures"), str(statement.disclosures)),
            (translate("persons"), str(statement.subjects)),
            (translate("equal to your receipts"), str(check.matched)),
            (translate("ledger"), _describe_checkpoint(check)),
        ],
    )
    _print_differences(check)
    for name, cause in check.unusable[:MAX_SHOWN]:
        print_line(translate("not a usable receipt: {file}: {cause}", file=name, cause=cause))
    if check.unusable_files > MAX_SHOWN:
        print_line(_more(check.unusable_files - MAX_SHOWN))
    _print_contested(check)


def print_planned(title: str, check: MonthCheck, items: Sequence[ContestedItem]) -> None:
    """Print an act before it is sent."""
    rows = [
        (translate("month"), check.issued.statement.month),
        (translate("statement"), check.issued.status.statement_digest.hex()),
        *((str(each.disclosure_id), f"{_exception_of(each)}{each.reason}") for each in items),
    ]
    print_pairs(translate("Would do: {act}", act=title), rows)


def describe_act(done: MonthAct) -> Iterator[str]:
    """Yield the lines that report an act that was done."""
    yield translate(
        "The month {month} is {state}.", month=done.status.month, state=done.status.state
    )
    yield translate("Recorded as act {act_id}.", act_id=done.act.act_id)


def _exception_of(item: ContestedItem) -> str:
    if item.receipt is not None:
        return "UNKNOWN_TO_OPERATOR: "
    return "UNREPORTED_BY_RECIPIENT: " if item.is_unreported else ""


def _describe_checkpoint(check: MonthCheck) -> str:
    if check.checkpoint is None:
        return translate("not verified: the profile has no table [ledger]")
    return translate(
        "checkpoint of {size} leaves, witnesses: {witnesses}; receipts proved: {proved}, not yet:"
        " {unproved}",
        size=check.checkpoint.size,
        witnesses=", ".join(check.checkpoint.cosigned_by) or "–",
        proved=check.proved,
        unproved=check.unproved,
    )


def _print_differences(check: MonthCheck) -> None:
    if not check.has_differences:
        print_line(translate("No differences."))
        return
    print_line(translate("Differences"))
    for each in check.differences[:MAX_SHOWN]:
        what = translate(_KINDS[each.kind])
        if each.fields:
            what = f"{what}: {', '.join(each.fields)}"
        at = local_time(each.decided_at)
        print_line(f"{each.disclosure_id}  {each.operation} {each.outcome} {at}")
        print_line(f"  {what}")
        print_line(f"  {translate('request')} {each.request_id}")
    remaining = sum(check.counts.values()) - min(len(check.differences), MAX_SHOWN)
    if remaining:
        print_line(_more(remaining))
    for code in check.refusals_differ:
        print_line(
            translate("the total of refusals by {code} is not that of your receipts", code=code)
        )


def _print_contested(check: MonthCheck) -> None:
    if not check.issued.contested:
        return
    print_line(translate("Contested lines"))
    for each in check.issued.contested:
        print_line(f"{each.disclosure_id}  {each.exception or ''}".rstrip())
        print_line(f"  {translate('your reason')}: {each.reason}")
        if each.answer is None:
            print_line(f"  {translate('not answered yet')}")
        else:
            print_line(f"  {translate('answer')}: {each.answer}: {each.answer_reason or ''}")


def _more(number: int) -> str:
    return translate("and {number} more; --json shows the first thousand", number=number)

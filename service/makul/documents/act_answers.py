"""Render the answers of acts (schemas of the ports), each as the child of a SOAP Body."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from makul.app.ports import MonthCount
from makul.app.ports.acts import ActFacts, RecordedAct
from makul.app.ports.secrecy import DeletionsPage
from makul.documents.answers import RenderedDecision
from makul.documents.canonical_writer import binary, element, group, instant, optional
from makul.documents.persons import RECIPIENT
from makul.documents.reasons import answer_reason, typed
from makul.domain.month_closing import ContestedLine, IssuedMonth

NAMESPACES: Final = {
    "oversight": "urn:makul:oversight:1",
    "recipient": RECIPIENT,
    "subject": "urn:makul:subject:1",
}
"""The namespace of the messages of each port."""


def render_act(facts: ActFacts, recorded: RecordedAct) -> RenderedDecision:
    """Render the answer of an act without its receipt.

    The order is that of every answer: the request, the decision, and then what only this operation
    returns.
    """
    decision = recorded.decision
    parts = (
        element("requestId", str(facts.request_id)),
        element("outcome", decision.outcome),
        *map(answer_reason, decision.reasons),
        element("actId", str(recorded.act_id)),
        element("decidedAt", instant(facts.at)),
        *(element(name, value) for name, value in decision.results.items()),
    )
    name = f"{facts.operation}Response"
    start = f'<{name} xmlns="{NAMESPACES[facts.port]}">{"".join(parts)}'
    return RenderedDecision(start.encode() + decision.content, f"</{name}>".encode())


def render_month_counts(counts: Iterable[MonthCount]) -> bytes:
    """Render the elements `count` of GetStatistics."""
    return "".join(
        group(
            "count",
            element("recipient", count.recipient),
            optional("purpose", count.purpose),
            element("outcome", count.outcome),
            optional("groundKind", count.ground_kind),
            element("decisions", str(count.decisions)),
            element("repetitions", str(count.repetitions)),
        )
        for count in counts
    ).encode()


def render_month_status(issued: IssuedMonth, *, at: datetime) -> bytes:
    """Render the element `status`, whose parts are those of types.xsd, MonthStatus."""
    return group(
        "status",
        typed("recipient", issued.recipient),
        typed("month", str(issued.month)),
        typed("state", issued.state),
        typed("issuedAt", instant(issued.issued_at)),
        typed("confirmBy", instant(issued.confirm_by)),
        typed("overdue", "true" if issued.is_overdue(at) else "false"),
        typed("statementDigest", binary(issued.head)),
    ).encode()


def render_deletions_due(page: DeletionsPage, *, at: datetime) -> bytes:
    """Render the elements `due`, and `next` with the decision after which the list goes on."""
    due = "".join(
        group(
            "due",
            element("disclosureId", str(each.disclosure_id)),
            element("decidedAt", instant(each.decided_at)),
            element("eraseBy", instant(each.erase_by)),
            element("overdue", "true" if each.erase_by <= at else "false"),
        )
        for each in page.due
    )
    following = page.following
    return (due + optional("next", str(following) if following is not None else None)).encode()


def render_contested_lines(lines: Iterable[ContestedLine]) -> bytes:
    """Render the elements `contestedLine` (types.xsd, AnsweredLine)."""
    return "".join(
        group(
            "contestedLine",
            typed("disclosureId", str(line.disclosure_id)),
            typed("reason", line.reason),
            typed("contestedAt", instant(line.contested_at)),
            typed("exception", line.exception) if line.exception is not None else "",
            typed("answer", line.answer) if line.answer is not None else "",
            typed("answerReason", line.answer_reason) if line.answer_reason is not None else "",
        )
        for line in lines
    ).encode()

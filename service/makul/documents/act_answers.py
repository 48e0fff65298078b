"""Render the answers of the oversight port (oversight.xsd), each as the child of a SOAP Body."""

from collections.abc import Iterable

from makul.app.ports import MonthCount
from makul.app.ports.acts import ActFacts, RecordedAct
from makul.documents.answers import RenderedDecision
from makul.documents.canonical_writer import element, group, instant, optional
from makul.documents.reasons import answer_reason

OVERSIGHT = "urn:makul:oversight:1"


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
    start = f'<{name} xmlns="{OVERSIGHT}">{"".join(parts)}'
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

"""Render what a subject sees of the record (subject.xsd). It contains no value of a person."""

from collections.abc import Sequence

from makul.app.ports.subject import PagePosition, SubjectEntry
from makul.documents.canonical_writer import element, group, instant, optional


def render_entries(entries: Sequence[SubjectEntry], following: PagePosition | None) -> bytes:
    """Render the elements `disclosure`, and `next` if there are more."""
    lines = "".join(map(_entry, entries))
    return (lines + optional("next", str(following) if following is not None else None)).encode()


def _entry(entry: SubjectEntry) -> str:
    decision = entry.decision
    ground_id = decision.ground_id
    return group(
        "disclosure",
        element("disclosureId", str(decision.disclosure_id)),
        element("decidedAt", instant(decision.decided_at)),
        element("recipient", decision.recipient),
        optional("recipientName", entry.recipient_name),
        element("operation", decision.operation),
        element("outcome", decision.outcome),
        *(element("reasonCode", code) for code in decision.codes),
        optional("purpose", decision.purpose),
        optional("groundKind", decision.ground_kind),
        optional("groundId", str(ground_id) if ground_id is not None else None),
        *(element("attribute", name) for name in decision.released),
        element("repetitions", str(entry.repetitions.count)),
        *(element("repeatedAt", instant(at)) for at in entry.repetitions.latest),
    )

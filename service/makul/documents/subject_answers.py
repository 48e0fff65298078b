"""Render what a subject sees of the record (subject.xsd). It contains no value of a person."""

from collections.abc import Sequence
from datetime import datetime

from makul.app.ports.subject import ConsentPosition, PagePosition, SubjectConsent, SubjectEntry
from makul.documents.canonical_writer import element, group, instant, optional
from makul.domain.consents import consent_state
from makul.domain.reasons import Code


def render_entries(entries: Sequence[SubjectEntry], following: PagePosition | None) -> bytes:
    """Render the elements `disclosure`, and `next` if there are more."""
    lines = "".join(map(_entry, entries))
    return (lines + optional("next", str(following) if following is not None else None)).encode()


def _entry(entry: SubjectEntry) -> str:
    decision = entry.decision
    # The consent of another person that was presented for this one is not this one's to know.
    foreign = Code.CNS_14 in decision.codes
    ground_id, usage = decision.ground_id if not foreign else None, decision.usage
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
        optional("statedReason", usage.reason if usage is not None else None),
        optional("statedSystem", usage.system if usage is not None else None),
    )


def render_consents(
    consents: Sequence[SubjectConsent], following: ConsentPosition | None, *, at: datetime
) -> bytes:
    """Render the elements `consent`, and `next` if there are more."""
    lines = "".join(_consent(each, at) for each in consents)
    return (lines + optional("next", str(following) if following is not None else None)).encode()


def _consent(consent: SubjectConsent, at: datetime) -> str:
    row, document = consent.row, consent.document
    state = consent_state(
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        allowed=row.allowed,
        used=row.used,
        revoked=row.revoked_at is not None,
        at=at,
    )
    return group(
        "consent",
        element("consentId", str(row.consent_id)),
        element("recipient", row.recipient),
        optional("recipientName", consent.recipient_name),
        element("state", state),
        element("forAnother", "true" if row.given_for_other else "false"),
        optional("purpose", document.purpose if document is not None else None),
        *(element("attribute", name) for name in sorted(document.attributes if document else ())),
        element("validFrom", instant(row.valid_from)),
        element("validTo", instant(row.valid_to)),
        element("maxDisclosures", str(row.allowed)),
        element("used", str(row.used)),
        optional("registeredAt", instant(row.registered_at) if row.registered_at else None),
        optional("revokedAt", instant(row.revoked_at) if row.revoked_at else None),
    )

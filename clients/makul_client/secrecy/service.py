"""The operations of secrecy: undertakings, incidents and deletions (Procedure, cl. 15 and 16)."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from makul_client._internal.act_exchange import unsuitable_answer
from makul_client._internal.exchange import Exchange
from makul_client._internal.request_sender import Context
from makul_client.models.acts import Act
from makul_client.models.secrecy import (
    AttestedDeletions,
    DeletionDue,
    IncidentReport,
    RecordedUndertaking,
    ReportedIncident,
)

_NO_CONTEXT: Final = Context()


class SecrecyService:
    """The service, as far as a recipient's secrecy needs it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def record(self, document: bytes, *, context: Context = _NO_CONTEXT) -> RecordedUndertaking:
        """Record an undertaking that the employee signed. Raises `RefusedError` (RCP-05)."""
        return self._undertaking({"document": document}, context)

    def end(
        self, undertaking_id: UUID, ended_on: date, *, context: Context = _NO_CONTEXT
    ) -> RecordedUndertaking:
        """End an undertaking, because the employee stopped working with the data."""
        fields = {"undertakingId": str(undertaking_id), "endedOn": ended_on}
        ended = self._undertaking(fields, context)
        if ended.undertaking_id != undertaking_id:
            raise unsuitable_answer()
        return ended

    def report(
        self, incident: IncidentReport, *, context: Context = _NO_CONTEXT
    ) -> ReportedIncident:
        """Report an incident."""
        fields = {
            "kind": incident.kind,
            "happenedFrom": incident.happened_from,
            "happenedTo": incident.happened_to,
            "discoveredAt": incident.discovered_at,
            "disclosureId": [str(each) for each in incident.disclosures],
            "affected": incident.affected,
            "description": incident.description,
            "measures": incident.measures,
        }

        def read(answer: Any, act: Act) -> ReportedIncident:
            return ReportedIncident(incident_id=_uuid(answer.incidentId), act=act)

        return self._exchange.carry_out("ReportIncident", _present(fields), context, read)

    def attest(
        self, disclosures: Sequence[UUID], erased_on: date, *, context: Context = _NO_CONTEXT
    ) -> AttestedDeletions:
        """Attest that the data of these decisions were erased: all of it counts, or nothing."""
        fields = {"disclosureId": [str(each) for each in disclosures], "erasedOn": erased_on}

        def read(answer: Any, act: Act) -> AttestedDeletions:
            if answer.attested != len(disclosures):
                raise unsuitable_answer()
            return AttestedDeletions(attested=answer.attested, act=act)

        return self._exchange.carry_out("AttestDeletion", fields, context, read)

    def due(self, *, context: Context = _NO_CONTEXT) -> Iterator[DeletionDue]:
        """Yield the data that must be erased, the earliest decision first, as they are read."""
        after: UUID | None = None
        while True:
            fields = {"after": str(after)} if after is not None else {}
            found, following = self._exchange.carry_out(
                "AttestDeletion", fields, context, _read_due
            )
            yield from found
            if following is None:
                return
            if following == after:
                raise unsuitable_answer()
            after, context = following, Context(employee=context.employee)

    def _undertaking(self, fields: dict[str, Any], context: Context) -> RecordedUndertaking:
        def read(answer: Any, act: Act) -> RecordedUndertaking:
            return RecordedUndertaking(
                undertaking_id=_uuid(answer.undertakingId), ended_on=answer.endedOn, act=act
            )

        return self._exchange.carry_out("RecordUndertaking", fields, context, read)


def _read_due(answer: Any, _: Act) -> tuple[list[DeletionDue], UUID | None]:
    found = [
        DeletionDue(
            disclosure_id=UUID(each.disclosureId),
            decided_at=each.decidedAt,
            erase_by=each.eraseBy,
            overdue=each.overdue,
        )
        for each in answer.due
    ]
    return found, UUID(answer.next) if answer.next is not None else None


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _uuid(text: str | None) -> UUID:
    """Return the id that an act which was done names."""
    if text is None:
        raise unsuitable_answer()
    return UUID(text)

"""The operations of corrections of both ports (Procedure, cl. 14)."""

from typing import Any
from uuid import UUID

from makul_client._internal.act_exchange import unsuitable_answer
from makul_client._internal.exchange import Exchange
from makul_client._internal.request_sender import Context
from makul_client.models.acts import Act
from makul_client.models.corrections import (
    Acknowledged,
    Correction,
    Corrections,
    Reported,
    Resolved,
)


class CorrectionService:
    """The service, as far as a recipient corrects what it was given."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def report(
        self,
        disclosure_id: UUID,
        attribute: str,
        *,
        kind: str,
        justification: str,
        proposed: str | None = None,
        context: Context = Context(),  # noqa: B008 - it is frozen
    ) -> Reported:
        """Report a value that a disclosure gave. Raises `RefusedError` (OVR-*)."""
        fields = {
            "disclosureId": str(disclosure_id),
            "attribute": attribute,
            "kind": kind,
            "justification": justification,
            **({} if proposed is None else {"proposedValue": proposed}),
        }
        return self._exchange.carry_out("ReportInaccuracy", fields, context, _read_reported)

    def all(self, *, context: Context = Context()) -> Corrections:  # noqa: B008 - it is frozen
        """Return the own reports, and the corrections of values that were given."""
        return self._exchange.carry_out("GetCorrection", {}, context, read_corrections)

    def one(
        self,
        correction_id: UUID,
        *,
        context: Context = Context(),  # noqa: B008 - it is frozen
    ) -> Corrections:
        """Return one correction. Raises `RefusedError` (OVR-06) for an unknown one."""

        def read(answer: Any, act: Act) -> Corrections:
            found = read_corrections(answer, act)
            if [each.correction_id for each in found.corrections] != [correction_id]:
                raise unsuitable_answer()
            return found

        fields = {"correctionId": str(correction_id)}
        return self._exchange.carry_out("GetCorrection", fields, context, read)

    def acknowledge(
        self,
        correction_id: UUID,
        *,
        context: Context = Context(),  # noqa: B008 - it is frozen
    ) -> Acknowledged:
        """Confirm that the wrong value is no longer used. Raises `RefusedError` (OVR-*)."""

        def read(answer: Any, act: Act) -> Acknowledged:
            if answer.acknowledgedAt is None:
                raise unsuitable_answer()
            return Acknowledged(
                correction_id=correction_id, acknowledged_at=answer.acknowledgedAt, act=act
            )

        fields = {"correctionId": str(correction_id)}
        return self._exchange.carry_out("AcknowledgeCorrection", fields, context, read)


def read_corrections(answer: Any, act: Act) -> Corrections:
    """Return the corrections of an answer."""
    return Corrections(corrections=tuple(map(_read, answer.correction)), act=act)


def read_resolved(answer: Any, act: Act, correction_id: UUID, outcome: str) -> Resolved:
    """Return a resolution that was done. Raises `TransportError` for another state."""
    if answer.correctionState != outcome:
        raise unsuitable_answer()
    return Resolved(
        correction_id=correction_id,
        correction_state=answer.correctionState,
        acknowledge_by=answer.acknowledgeBy,
        act=act,
    )


def _read_reported(answer: Any, act: Act) -> Reported:
    if answer.correctionId is None or answer.resolveBy is None:
        raise unsuitable_answer()
    return Reported(
        correction_id=UUID(answer.correctionId),
        correction_state=answer.correctionState,
        resolve_by=answer.resolveBy,
        act=act,
    )


def _read(stated: Any) -> Correction:
    return Correction(
        correction_id=UUID(stated.correctionId),
        attribute=stated.attribute,
        kind=stated.kind,
        state=stated.state,
        reported_at=stated.reportedAt,
        resolve_by=stated.resolveBy,
        changed_at=stated.changedAt,
        overdue=bool(stated.overdue),
        acknowledge_by=stated.acknowledgeBy,
        acknowledged_at=stated.acknowledgedAt,
        disclosures=tuple(map(UUID, stated.disclosureId)),
        origin=stated.origin,
        reporter=stated.reporter,
        value_entered=stated.valueEntered,
        recalled=_count(stated.recalled),
        unacknowledged=_count(stated.unacknowledged),
    )


def _count(stated: Any) -> int | None:
    return None if stated is None else int(stated)

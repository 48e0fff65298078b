"""RecordUndertaking: a recipient registers its employee's undertaking of secrecy (cl. 15, 16)."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Protocol
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.ports import DocumentError, RejectedError
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.domain.undertakings import (
    EmployeeRecord,
    RecordedUndertaking,
    Undertaking,
    judge_signed_undertaking,
    judge_undertaking,
    judge_undertaking_end,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndertakingRequest(ActRequest):
    """An undertaking that the employee signed, or the end of the work of an employee."""

    document: bytes | None
    undertaking_id: UUID | None
    ended_on: date | None


class UndertakingRights(Protocol):
    """The rows of a recipient's undertakings."""

    def employee_record(self, signed: Undertaking) -> EmployeeRecord:
        """Return what the register holds about the employee and the id of an undertaking."""

    def add_undertaking(self, signed: Undertaking, document: bytes) -> None:
        """Record an undertaking, which counts from this commit on, and keep its exact bytes."""

    def recorded_undertaking(
        self, recipient: MemberCode, undertaking_id: UUID
    ) -> RecordedUndertaking | None:
        """Return a recipient's undertaking; None if there is none of this id."""

    def end_undertaking(self, recipient: MemberCode, undertaking_id: UUID, ended_on: date) -> None:
        """Record that the employee stopped: the undertaking covers no request from this commit."""


class RecordUndertaking(RecipientOperation[UndertakingRequest, UndertakingRights]):
    """Records an undertaking, or the end of the work for which it was given."""

    name = "RecordUndertaking"
    request: ClassVar[type[ActRequest]] = UndertakingRequest

    def target(self, request: UndertakingRequest) -> str:
        """Return the id of the undertaking that ends; that of a new one is in its document."""
        return str(request.undertaking_id or "undertaking")

    def find_lock(self, request: UndertakingRequest, facts: ActFacts) -> MemberCode | None:
        """Return the caller if an undertaking ends: decisions that run see it or end before."""
        return facts.caller.recipient if request.document is None else None

    def prepare(self, request: UndertakingRequest, facts: ActFacts) -> Decide[UndertakingRights]:
        """Verify the signature before anything is locked, and then act on the locked rows."""
        undertaking_id, ended_on = request.undertaking_id, request.ended_on
        if request.document is not None:
            if undertaking_id is not None or ended_on is not None:
                raise _contradiction("document", request)
            return self._verify(request.document, facts)
        if undertaking_id is None or ended_on is None:
            raise _contradiction("endedOn" if undertaking_id else "document", request)
        return lambda rights: _end(undertaking_id, ended_on, facts, rights)

    def _verify(self, document: bytes, facts: ActFacts) -> Decide[UndertakingRights]:
        verified = self._services.verifier.verify(document, at=facts.at)
        signed = None
        if verified.signed is not None:
            try:
                signed = self._services.documents.read_undertaking(verified.signed)
            except DocumentError:
                signed = None
        outcome, reasons = judge_signed_undertaking(
            signed, verified.proof, facts.caller.recipient, at=facts.at
        )
        if outcome is not Outcome.DONE or signed is None:
            return lambda _: ActDecision(outcome=outcome, reasons=reasons)
        report = verified.report.decode("utf-8")
        return lambda rights: _record(signed, (document, report), rights)


def _record(
    signed: Undertaking, evidence: tuple[bytes, str], rights: UndertakingRights
) -> ActDecision:
    reasons = judge_undertaking(signed, rights.employee_record(signed))
    if reasons:
        return refuse_act(reasons)
    document, report = evidence
    rights.add_undertaking(signed, document)
    return ActDecision(
        outcome=Outcome.DONE,
        results={"undertakingId": str(signed.undertaking_id)},
        stated={"report": report},
    )


def _end(
    undertaking_id: UUID, ended_on: date, facts: ActFacts, rights: UndertakingRights
) -> ActDecision:
    recipient = facts.caller.recipient
    recorded = rights.recorded_undertaking(recipient, undertaking_id)
    reasons = judge_undertaking_end(recorded, ended_on, at=facts.at)
    if reasons:
        return refuse_act(reasons)
    rights.end_undertaking(recipient, undertaking_id, ended_on)
    return ActDecision(
        outcome=Outcome.DONE,
        results={"undertakingId": str(undertaking_id), "endedOn": ended_on.isoformat()},
    )


def _contradiction(field: str, request: UndertakingRequest) -> RejectedError:
    """Return the error of a request that is neither a document nor the end of one undertaking."""
    return RejectedError(Reason(code=Code.REQ_01, field=field), request_id=request.request_id)

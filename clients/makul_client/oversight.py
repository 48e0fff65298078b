"""The client of the supervising bodies: one method for each operation of the oversight port.

    from pathlib import Path
    from makul_client import OversightClient

    with OversightClient.from_file(Path("inspector.toml")) as client:
        done = client.cut_off("COM/60000001", justification="Data without consent, report 14")

A method returns what was done, and raises if it was not done (see `errors`). The receipt of every
act is verified before any part of the answer is read. An act that may safely be repeated is
repeated with its id, which takes effect only once.
"""

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

from makul_client._internal.act_exchange import ActExchange, unsuitable_answer
from makul_client._internal.closable_client import ClosableClient
from makul_client._internal.request_sender import Context, RequestSender
from makul_client._internal.soap_messages import Port
from makul_client._internal.wsse import utc_now
from makul_client.agreements.signature_acts import SignatureActs
from makul_client.cases import answers
from makul_client.cases.evidence import save_evidence
from makul_client.corrections import read_corrections, read_resolved
from makul_client.models.acts import Act, CutOff, MonthCount, Reinstatement, Statistics, Termination
from makul_client.models.cases import (
    CaseAct,
    DecisionPage,
    EvidencePart,
    ReadCases,
    SavedEvidence,
)
from makul_client.models.corrections import Corrections, Resolved
from makul_client.models.months import (
    IssuedStatement,
    MonthAct,
    MonthlyStatement,
    MonthStates,
    MonthStatus,
)
from makul_client.models.response import Receipt
from makul_client.months.answers import read_issued, read_page_bytes, read_status
from makul_client.months.confirmation import require_signed
from makul_client.months.statement_page import read_page
from makul_client.officer_profile import OfficerProfile
from makul_client.receipts.verifier import ReceiptVerifier

T = TypeVar("T")


def _ignore(received: int, total: int) -> None:
    """Do nothing with a report of progress."""
    del received, total


class OversightClient(SignatureActs, ClosableClient):
    """The client of one officer, which sends acts to the service.

    Use one client for many acts, in one thread at a time. Close it, or use `with`. Raises
    `ProfileError` if the profile's keys or certificates cannot be used.
    """

    def __init__(
        self,
        profile: OfficerProfile,
        *,
        clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.profile = profile
        self._receipts = ReceiptVerifier(profile.operator)
        self._clock = clock
        sender = RequestSender(profile, Port.OVERSIGHT, clock=clock, pause=pause)
        super().__init__(sender)
        self._acts = ActExchange(
            member=profile.officer.body,
            language=profile.language,
            receipts=self._receipts,
            sender=sender,
            clock=clock,
        )

    @classmethod
    def from_file(cls, profile: Path) -> Self:
        """Return a client for the profile in this file."""
        return cls(OfficerProfile.load(profile))

    def cut_off(
        self, recipient: str, *, justification: str, request_id: UUID | None = None
    ) -> CutOff:
        """Stop a recipient completely (Procedure, cl. 12).

        Nothing that is decided after this act gives the recipient anything. Raises `RefusedError`
        (OVR-*) if it cannot be cut off, or if this officer may not do it.
        """

        def read(answer: Any, act: Act) -> CutOff:
            state = _state(answer.recipientState, "CUT_OFF")
            return CutOff(recipient=recipient, recipient_state=state, act=act)

        fields = {"recipient": recipient, "justification": justification}
        return self._carry_out("CutOffRecipient", fields, request_id, read)

    def reinstate(
        self, recipient: str, *, justification: str, request_id: UUID | None = None
    ) -> Reinstatement:
        """Propose to end a complete stop, or carry out what another officer proposed (cl. 12).

        The result says which. Raises `RefusedError` (OVR-05) for the officer who proposed it.
        """

        def read(answer: Any, act: Act) -> Reinstatement:
            state = _state(answer.reinstatementState, "PROPOSED", "REINSTATED")
            return Reinstatement(recipient=recipient, reinstatement_state=state, act=act)

        fields = {"recipient": recipient, "justification": justification}
        return self._carry_out("ReinstateRecipient", fields, request_id, read)

    def terminate(
        self, agreement: str, *, justification: str, request_id: UUID | None = None
    ) -> Termination:
        """Propose to terminate an agreement, or carry out what another officer proposed (cl. 12).

        The result says which. Raises `RefusedError` (OVR-05) for the officer who proposed it.
        """

        def read(answer: Any, act: Act) -> Termination:
            state = _state(answer.terminationState, "PROPOSED", "TERMINATED")
            return Termination(agreement=agreement, termination_state=state, act=act)

        fields = {"agreementNumber": agreement, "justification": justification}
        return self._carry_out("TerminateAgreement", fields, request_id, read)

    def statistics(
        self, month: str, *, recipient: str | None = None, request_id: UUID | None = None
    ) -> Statistics:
        """Return the numbers of the decisions of a month, such as `2026-10` (Procedure, cl. 11)."""

        def read(answer: Any, act: Act) -> Statistics:
            counts = tuple(_month_count(each) for each in answer.count)
            return Statistics(month=month, recipient=recipient, counts=counts, act=act)

        fields = {"month": month, **({} if recipient is None else {"recipient": recipient})}
        return self._carry_out("GetStatistics", fields, request_id, read)

    def decisions(
        self,
        recipient: str,
        period: str | tuple[date, date],
        *,
        after: UUID | None = None,
        request_id: UUID | None = None,
    ) -> DecisionPage:
        """Return a page of a recipient's decisions in a month, or from a first to a last day.

        `after` is the last line of the page before (Procedure, cl. 11).
        """
        fields: dict[str, Any] = {"recipient": recipient}
        if isinstance(period, str):
            fields["month"] = period
        else:
            fields["firstDay"], fields["lastDay"] = period
        if after is not None:
            fields["after"] = str(after)
        return self._carry_out("ListDisclosures", fields, request_id, answers.read_lines)

    def month_states(self, month: str, *, request_id: UUID | None = None) -> MonthStates:
        """Return the states of a month of all recipients (Procedure, cl. 11)."""

        def read(answer: Any, act: Act) -> MonthStates:
            states = (read_status(each, month=month, recipient=None) for each in answer.status)
            return MonthStates(month=month, states=tuple(states), act=act)

        return self._carry_out("GetMonth", {"month": month}, request_id, read)

    def month(
        self, month: str, recipient: str, *, request_id: UUID | None = None
    ) -> IssuedStatement:
        """Return the verified statement of a recipient. Raises `StatementError`."""

        def read(answer: Any, act: Act) -> IssuedStatement:
            status = _only_status(answer, month, recipient)
            return read_issued(answer, act, status, self._receipts, at=self._clock())

        fields = {"month": month, "recipient": recipient}
        return self._carry_out("GetMonth", fields, request_id, read)

    def month_page(self, statement: MonthlyStatement, number: int) -> bytes:
        """Return the verified bytes of a page. Raises `StatementError`."""
        reference = statement.pages[number - 1]
        fields = {"month": statement.month, "recipient": statement.recipient, "page": number}
        content = self._carry_out(
            "GetMonth", fields, None, lambda answer, _: read_page_bytes(answer, number)
        )
        for _ in read_page(content, statement, reference):
            pass  # the whole page is verified before anything of it is returned
        return content

    def sign_month(
        self, statement: MonthlyStatement, document: bytes, *, request_id: UUID | None = None
    ) -> MonthAct:
        """Close a month by the statement that a signatory of the authorised body signed.

        `document` is the whole signed document or only its ds:Signature. Raises
        `ConfirmationError` before anything is sent if something else was signed.
        """
        document = require_signed(statement, document)

        def read(answer: Any, act: Act) -> MonthAct:
            status = read_status(
                answer.status, month=statement.month, recipient=statement.recipient
            )
            _state(status.state, "SIGNED")
            return MonthAct(status=status, act=act)

        fields = {
            "recipient": statement.recipient,
            "month": statement.month,
            "statement": document,
        }
        return self._carry_out("SignMonth", fields, request_id, read)

    def cases(self, *, request_id: UUID | None = None) -> ReadCases:
        """Return the newest cases that this officer may know of (Procedure, cl. 12)."""
        return self._carry_out("GetCase", {}, request_id, answers.read_cases)

    def case(self, case_id: UUID, *, request_id: UUID | None = None) -> ReadCases:
        """Return a case with its steps. Raises `RefusedError` (OVR-06) for an unknown one."""

        def read(answer: Any, act: Act) -> ReadCases:
            found = answers.read_cases(answer, act)
            if [each.case_id for each in found.cases] != [case_id]:
                raise unsuitable_answer()
            return found

        return self._carry_out("GetCase", {"caseId": str(case_id)}, request_id, read)

    def open_case(
        self,
        recipient: str,
        days: tuple[date, date],
        *,
        justification: str,
        every_decision: bool = False,
        request_id: UUID | None = None,
    ) -> CaseAct:
        """Open a case about a recipient, from a first to a last day (Procedure, cl. 12)."""
        fields = {
            "recipient": recipient,
            "firstDay": days[0],
            "lastDay": days[1],
            "scope": "ALL" if every_decision else "EXCEPTIONS",
            "justification": justification,
        }
        return self._act_on_case("OpenCase", fields, request_id, "OPEN")

    def decide_case(
        self,
        case_id: UUID,
        *,
        justification: str,
        dismiss: bool = False,
        request_id: UUID | None = None,
    ) -> CaseAct:
        """Open a proposed case, or dismiss a proposed or open one (Procedure, cl. 12)."""
        choice, state = ("DISMISS", "DISMISSED") if dismiss else ("OPEN", "OPEN")
        fields = {"caseId": str(case_id), "choice": choice, "justification": justification}
        return self._act_on_case("OpenCase", fields, request_id, state)

    def refer_case(
        self, case_id: UUID, *, justification: str, request_id: UUID | None = None
    ) -> CaseAct:
        """Refer a case with its evidence file to the data-protection body (Procedure, cl. 12)."""
        fields = {"caseId": str(case_id), "justification": justification}
        return self._act_on_case("ReferCase", fields, request_id, "REFERRED")

    def acknowledge_case(
        self, case_id: UUID, *, note: str | None = None, request_id: UUID | None = None
    ) -> CaseAct:
        """Acknowledge a referred case, as the data-protection body (Procedure, cl. 12)."""
        fields = {"caseId": str(case_id), **({} if note is None else {"note": note})}
        return self._act_on_case("AcknowledgeCase", fields, request_id, "ACKNOWLEDGED")

    def corrections(
        self, *, open_only: bool = False, request_id: UUID | None = None
    ) -> Corrections:
        """Return the newest reports of wrong data (Procedure, cl. 14)."""
        fields = {"openOnly": True} if open_only else {}
        return self._carry_out("ListCorrections", fields, request_id, read_corrections)

    def resolve_correction(
        self,
        correction_id: UUID,
        resolution: str,
        *,
        justification: str,
        request_id: UUID | None = None,
    ) -> Resolved:
        """Confirm an entered value (`CORRECTED`) or reject a report (`REJECTED`) (cl. 14)."""
        fields = {
            "correctionId": str(correction_id),
            "resolution": resolution,
            "justification": justification,
        }
        return self._carry_out(
            "ResolveCorrection",
            fields,
            request_id,
            lambda answer, act: read_resolved(answer, act, correction_id, resolution),
        )

    def evidence_part(self, case_id: UUID, offset: int) -> EvidencePart:
        """Return the bytes of an evidence file from an offset on. See `save_evidence`."""
        return self._carry_out(
            "GetEvidenceFile",
            {"caseId": str(case_id), "offset": offset},
            None,
            lambda answer, act: answers.read_part(answer, act, offset),
        )

    def save_evidence(
        self, case_id: UUID, file: Path, *, report: Callable[[int, int], None] = _ignore
    ) -> SavedEvidence:
        """Save the evidence file of a case as a new file, or continue an interrupted run.

        `report` receives the number of received bytes and the total. Raises `EvidenceError`.
        """
        return save_evidence(self, case_id, file, report)

    def verify_receipt(self, document: bytes) -> Receipt:
        """Return the verified receipt of an earlier act of this body. Raises `ReceiptError`."""
        return self._receipts.verify_kept(document, at=self._clock())

    def _act_on_case(
        self, operation: str, fields: Mapping[str, Any], request_id: UUID | None, state: str
    ) -> CaseAct:
        return self._carry_out(
            operation,
            fields,
            request_id,
            lambda answer, act: answers.read_case_act(answer, act, state),
        )

    def _carry_out(
        self,
        operation: str,
        fields: Mapping[str, Any],
        request_id: UUID | None,
        read: Callable[[Any, Act], T],
    ) -> T:
        """Send an act of this officer, and read its answer once it is proved."""
        context = Context(employee=self.profile.officer.identifier, request_id=request_id)
        return self._acts.carry_out(operation, fields, context, read)


def _only_status(answer: Any, month: str, recipient: str) -> MonthStatus:
    if len(answer.status) != 1:
        raise unsuitable_answer()
    return read_status(answer.status[0], month=month, recipient=recipient)


def _state(stated: str | None, *possible: str) -> str:
    """Return the state after an act that was done.

    Raises `TransportError` for a state that this version does not know, because it may mean that
    less was done than the officer believes.
    """
    if stated not in possible:
        raise unsuitable_answer()
    return stated


def _month_count(read: Any) -> MonthCount:
    return MonthCount(
        recipient=read.recipient,
        purpose=read.purpose,
        outcome=read.outcome,
        ground_kind=read.groundKind,
        decisions=int(read.decisions),
        repetitions=int(read.repetitions),
    )

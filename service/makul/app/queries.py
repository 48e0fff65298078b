"""GetAgreement, GetReceipt and GetStatus: queries about a recipient's own affairs.

See the Procedure, cl. 7, 9 and 10.
"""

from dataclasses import dataclass
from uuid import UUID

from makul.app.ports import (
    Caller,
    Clock,
    Documents,
    Inclusion,
    KeptReceipt,
    LedgerBrokenError,
    LedgerInfo,
    LedgerReader,
    ReceiptCertificate,
    Register,
    RejectedError,
    RequestKey,
    ServiceLimit,
    ServiceStatus,
    Space,
)
from makul.app.recording import Recording
from makul.app.requests import AgreementQuery, ReceiptQuery, StatusQuery
from makul.domain.eligibility import find_stop
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiries:
    """Answers queries that read no citizen's data and decide nothing."""

    clock: Clock
    register: Register
    documents: Documents
    recording: Recording
    environment: str
    software_version: str
    contract_version: str
    limits: tuple[ServiceLimit, ...]
    receipt_certificates: tuple[ReceiptCertificate, ...]
    ledger: LedgerReader
    ledger_notice: LedgerInfo | None

    def agreement(self, query: AgreementQuery, caller: Caller) -> bytes:
        """Return the terms of the caller's own agreement."""
        self._admit(caller, query.request_id)
        key = RequestKey(
            recipient=caller.recipient,
            space=Space.DISCLOSURE,
            request_id=query.request_id,
            digest=b"",
        )
        snapshot = self.register.snapshot(key, query.agreement_number, at=self.clock())
        agreement = snapshot.agreement
        own = (
            agreement if agreement is not None and agreement.recipient == caller.recipient else None
        )
        if own is None:
            return self.documents.agreement(query.request_id, None)
        signatures = self.register.agreement_signatures(own.number)
        return self.documents.agreement(query.request_id, own, signatures)

    def receipt(self, query: ReceiptQuery, caller: Caller) -> bytes:
        """Return the receipt of one of the caller's earlier requests, with its inclusion proof.

        A receipt reveals an outcome. It is therefore withheld after a hold, a cut-off or a
        termination, as the answer of a repeated request would be (docs/architecture.md, invariant
        4).
        """
        self._admit(caller, query.request_id)
        stored = self.register.receipt(caller.recipient, query.of_request)
        if stored is None:
            unknown = Reason(code=Code.REQ_01, field="ofRequest")
            return self.documents.receipt_answer(query.request_id, unknown)
        stop = self._stop(caller, stored)
        if stop is not None:
            return self.documents.receipt_answer(query.request_id, stop)
        inclusion = self._inclusion(stored.disclosure_id)
        return self.documents.receipt_answer(query.request_id, stored.document, inclusion)

    def _stop(self, caller: Caller, stored: KeptReceipt) -> Reason | None:
        """Return why this receipt is not given; read after the receipt, so that no hold is missed.

        A hold that commits before this read is seen. A hold that commits later is ordered after
        this answer. A consent revocation only removes rights, so its receipt is always given.
        """
        if stored.space is Space.REVOCATION:
            return None
        key = RequestKey(
            recipient=caller.recipient,
            space=stored.space,
            request_id=stored.disclosure_id,
            digest=b"",
        )
        snapshot = self.register.snapshot(key, stored.agreement_number, at=self.clock())
        return find_stop(snapshot.recipient, snapshot.agreement)

    def _inclusion(self, disclosure_id: UUID) -> Inclusion | None:
        """Return the inclusion proof; None if there is none yet or if the log is broken.

        A broken log does not withhold the receipt, because the receipt is then the recipient's
        evidence more than ever. The client finds that the proof is overdue.
        """
        try:
            return self.ledger.inclusion(disclosure_id)
        except LedgerBrokenError:
            return None

    def status(self, query: StatusQuery, caller: Caller) -> bytes:
        """Return versions, limits, time, and whether this is the sandbox."""
        self._admit(caller, query.request_id)
        status = ServiceStatus(
            environment=self.environment,
            software_version=self.software_version,
            contract_version=self.contract_version,
            time=self.clock(),
            limits=self.limits,
            receipt_certificates=self.receipt_certificates,
            ledger=self.ledger_notice,
        )
        return self.documents.status(query.request_id, status)

    def _admit(self, caller: Caller, request_id: UUID) -> None:
        self.recording.register_message_id(caller, request_id, at=self.clock())
        if self.register.recipient(caller.recipient) is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=request_id)

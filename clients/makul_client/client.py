"""The client: one method for each operation of the contract.

A method returns what the caller asked for, and raises if it did not get that (see `errors`). So
`get_person_data` returns data or raises. The answer of `verify_person` is yes or no: it returns
either, and raises only if the service could not determine which. The receipt of every decision is
verified before any part of the answer is returned. A request that may safely be repeated is
repeated.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from makul_client._internal import response_decoder as reading
from makul_client._internal.closable_client import ClosableClient
from makul_client._internal.exchange import Exchange
from makul_client._internal.request_sender import Context
from makul_client._internal.wsse import utc_now
from makul_client.corrections import CorrectionService
from makul_client.errors import ProfileError, ReceiptError, ReceiptFlaw
from makul_client.models.months import (
    ContestedItem,
    IssuedStatement,
    MonthAct,
    MonthCheck,
    MonthlyStatement,
)
from makul_client.models.request import ConsentDocument, Ground, Probe, probe_on_wire
from makul_client.models.response import (
    Agreement,
    ConsentStatus,
    Decision,
    Explanation,
    Inclusion,
    LedgerInfo,
    PersonData,
    Receipt,
    ReceiptCertificate,
    ReceiptInLog,
    RegisteredConsent,
    Revocation,
    RevokedConsent,
    ServiceStatus,
    VerifyResult,
)
from makul_client.months.check import SAMPLE, MonthChecker
from makul_client.months.confirmation import require_signed
from makul_client.months.service import MonthService
from makul_client.profile import Profile
from makul_client.secrecy.service import SecrecyService
from makul_client.translation import translate
from makul_client.transparency.verifier import LedgerVerifier

_NO_CONTEXT: Final = Context()


class Client(ClosableClient):
    """The client of one recipient, which sends requests to the service.

    Use one client for many requests, in one thread at a time. Close it, or use `with`. Raises
    `ProfileError` if the profile's keys or certificates cannot be used.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.profile = profile
        self._exchange = Exchange(profile, clock=clock, pause=pause)
        super().__init__(self._exchange)
        self._months = MonthService(self._exchange, profile.recipient.code)
        self.corrections = CorrectionService(self._exchange)
        """The corrections of wrong data (Procedure, cl. 14)."""
        self.secrecy = SecrecyService(self._exchange)
        """Undertakings of employees, incidents and deletions (Procedure, cl. 15 and 16)."""

    @classmethod
    def from_file(cls, profile: Path) -> Self:
        """Return a client for the profile in this file."""
        return cls(Profile.load(profile))

    def verify_person(
        self,
        probe: Probe,
        *,
        ground: Ground | None,
        purpose: str | None = None,
        context: Context = _NO_CONTEXT,
    ) -> VerifyResult:
        """Return whether this is the person named, never personal data (Procedure, cl. 10)."""

        def read(answer: Any, decision: Decision) -> VerifyResult:
            self._exchange.require_outcome(decision, "MATCHED", "NOT_MATCHED")
            return VerifyResult(
                matched=decision.outcome == "MATCHED",
                matches=reading.matches(answer.match),
                decision=decision,
            )

        fields = {"purpose": purpose or self.profile.purpose, "probe": probe_on_wire(probe)}
        return self._exchange.decide("VerifyPerson", fields, context, read, ground=ground)

    def get_person_data(
        self,
        probe: Probe,
        attributes: Sequence[str],
        *,
        ground: Ground | None,
        purpose: str | None = None,
        context: Context = _NO_CONTEXT,
    ) -> PersonData:
        """Return the named attributes of the person, if the person matches.

        Procedure, cl. 4, 5 and 10. Raises `NotMatchedError`, `RefusedError` or `UndeterminedError`,
        each with its decision.
        """

        def read(answer: Any, decision: Decision) -> PersonData:
            self._exchange.require_outcome(decision, "RELEASED")
            return PersonData(
                person=reading.person(answer.person),
                matches=reading.matches(answer.match),
                decision=decision,
            )

        fields = {
            "purpose": purpose or self.profile.purpose,
            "probe": probe_on_wire(probe),
            "requestedAttributes": {"attribute": list(attributes)},
        }
        return self._exchange.decide(
            "GetPersonData", fields, context, read, ground=ground, attributes=attributes
        )

    def explain(
        self,
        operation: str,
        *,
        methods: Sequence[str],
        pin: str | None = None,
        attributes: Sequence[str] = (),
        ground: Ground | None,
        purpose: str | None = None,
        context: Context = _NO_CONTEXT,
    ) -> Explanation:
        """Return how `operation` would be decided, rule by rule, without reading a person (cl. 7).

        A predicted refusal is what the caller asked for, so it is returned and not raised.
        """

        def read(answer: Any, decision: Decision) -> Explanation:
            self._exchange.require_outcome(decision, "ACCEPTED", "REFUSED", "UNDETERMINED")
            return Explanation(rules=reading.rules(answer.rule), decision=decision)

        fields: dict[str, Any] = {
            "purpose": purpose or self.profile.purpose,
            "operation": operation,
            "pin": pin,
            "methods": {"method": list(methods)},
        }
        if attributes:
            fields["requestedAttributes"] = {"attribute": list(attributes)}
        return self._exchange.decide("ExplainDecision", fields, context, read, ground=ground)

    def register_consent(
        self,
        consent: ConsentDocument,
        *,
        scan: bytes | None = None,
        authority: bytes | None = None,
        context: Context = _NO_CONTEXT,
    ) -> RegisteredConsent:
        """Register a consent, which the operator then stores and counts (Procedure, cl. 4).

        A consent on paper needs `scan`. A consent by a representative needs `authority`, the scan
        of the document that proves the representative's authority.
        """

        def read(answer: Any, decision: Decision) -> RegisteredConsent:
            self._exchange.require_outcome(decision, "ACCEPTED")
            return RegisteredConsent(
                consent_id=UUID(answer.consentId),
                state=answer.state,
                remaining=answer.remaining,
                decision=decision,
            )

        files = {"scan": scan, "authorityDocument": authority}
        attachments = {name: content for name, content in files.items() if content is not None}
        fields = {"consentDocument": consent.document, **attachments}
        return self._exchange.decide("RegisterConsent", fields, context, read)

    def revoke_consent(self, document: bytes, *, context: Context = _NO_CONTEXT) -> RevokedConsent:
        """Revoke a consent by the document that the subject signed for it (Procedure, cl. 4)."""

        def read(answer: Any, decision: Decision) -> RevokedConsent:
            self._exchange.require_outcome(decision, "ACCEPTED")
            return RevokedConsent(consent_id=UUID(answer.consentId), decision=decision)

        fields = {"revocationDocument": document}
        return self._exchange.decide("RevokeConsent", fields, context, read, under_agreement=False)

    def revocations(
        self, since: datetime | None = None, *, context: Context = _NO_CONTEXT
    ) -> tuple[Revocation, ...]:
        """Return all revoked consents to this recipient, oldest first, from every page."""
        revocations: list[Revocation] = []
        fields: dict[str, Any] = {} if since is None else {"since": since}
        while True:
            page, more = self._exchange.inquire(
                "ListRevocations", fields, context, reading.revocations
            )
            revocations.extend(page)
            if not more or not page:
                return tuple(revocations)
            fields = {"since": page[-1].revoked_at, "after": str(page[-1].consent_id)}
            context = Context(employee=context.employee)

    def consent_status(self, consent_id: UUID, *, context: Context = _NO_CONTEXT) -> ConsentStatus:
        """Return the state of a consent. Raises `RefusedError` (CNS-01) for an unknown consent."""
        fields = {"consentId": str(consent_id)}
        return self._exchange.inquire("GetConsentStatus", fields, context, reading.consent_status)

    def agreement(self, number: str | None = None, *, context: Context = _NO_CONTEXT) -> Agreement:
        """Return what an agreement allows, its term and its channels (Procedure, cl. 7)."""
        fields = {"agreementNumber": number or self.profile.agreement}
        return self._exchange.inquire(
            "GetAgreement", fields, context, lambda answer: reading.agreement(answer.agreement)
        )

    def receipt(self, of_request: UUID, *, context: Context = _NO_CONTEXT) -> Receipt:
        """Return the verified receipt of an earlier request (Procedure, cl. 10 and 11)."""
        return self.receipt_in_log(of_request, context=context).receipt

    def receipt_in_log(self, of_request: UUID, *, context: Context = _NO_CONTEXT) -> ReceiptInLog:
        """Return the verified receipt of an earlier request, with its proof in the log.

        The proof is not verified here. `LedgerVerifier` verifies it.
        """

        def read(answer: Any) -> ReceiptInLog:
            receipt = self._exchange.receipts.verify_kept(answer.receipt, at=self._exchange.clock())
            if receipt.request_id != of_request:
                raise ReceiptError(ReceiptFlaw.REQUEST, translate("its request id is another"))
            if receipt.recipient != self.profile.recipient.code:
                raise ReceiptError(ReceiptFlaw.REQUEST, translate("its recipient is another"))
            self._exchange.keep_receipt(receipt)
            return ReceiptInLog(receipt=receipt, inclusion=reading.inclusion(answer.inclusion))

        fields = {"ofRequest": str(of_request)}
        return self._exchange.inquire("GetReceipt", fields, context, read)

    def monthly_statement(self, month: str, *, context: Context = _NO_CONTEXT) -> IssuedStatement:
        """Return the operator's verified statement of a month, such as `2026-10` (cl. 11).

        Only its head is read. Raises `RefusedError` (OVR-06) if none was issued, and
        `StatementError` for one that must not be trusted.
        """
        return self._months.issued(month, context=context)

    def check_month(
        self,
        month: str,
        *,
        context: Context = _NO_CONTEXT,
        sample: int = SAMPLE,
        contested: Collection[UUID] = frozenset(),
        report: Callable[[int, int], None] | None = None,
    ) -> MonthCheck:
        """Compare a month with the receipts that this client kept (Procedure, cl. 11).

        All pages are read and verified; memory does not grow with them. `sample` is the number of
        kept receipts whose proof in the log is verified, if the profile has a table [ledger]. Only
        the first thousand differences of each kind are returned, and those of `contested`.
        `report` gets the number of lines read so far, and of all. Raises `ProfileError` if the
        profile names no directory of receipts, `StatementError` and `LedgerError`.
        """
        kept, ledger = self._exchange.kept, self.profile.ledger
        if kept is None:
            raise ProfileError(
                translate("[recipient] receipts: is needed, the directory of the receipts you kept")
            )
        issued = self.monthly_statement(month, context=context)
        context = Context(employee=context.employee)
        progress = _Progress(issued.statement.lines, report)
        return MonthChecker(
            issued,
            source=_StatementSource(self, self._months, context),
            receipts=self._exchange.receipts,
            kept=kept,
            ledger=None
            if ledger is None
            else LedgerVerifier(ledger, language=self.profile.language),
            at=self._exchange.clock(),
            report=progress.add,
        ).check(sample=sample, contested=contested)

    def confirm_month(
        self, statement: MonthlyStatement, signed: bytes, *, context: Context = _NO_CONTEXT
    ) -> MonthAct:
        """Confirm a month by your signatory's signature under its statement (cl. 11).

        `signed` is made by `months.confirmation.sign_statement`, or elsewhere from the bytes of
        `content_to_sign`. Raises `ConfirmationError` if something else was signed, and
        `RefusedError` (OVR-*).
        """
        document = require_signed(statement, signed)
        return self._months.confirm(statement, document, context=context)

    def contest_month(
        self,
        statement: MonthlyStatement,
        items: Sequence[ContestedItem],
        *,
        context: Context = _NO_CONTEXT,
    ) -> MonthAct:
        """Contest lines of a month, and receipts that its statement does not have (cl. 11).

        Raises `RefusedError` (OVR-*).
        """
        return self._months.contest(statement, items, context=context)

    def find_unpinned_certificates(self, status: ServiceStatus) -> tuple[ReceiptCertificate, ...]:
        """Return the announced certificates, current or next, that the profile lacks.

        The recipient must add them to the profile in time.
        """
        return tuple(
            each
            for each in status.receipt_certificates
            if each.state in ("CURRENT", "NEXT")
            and not self._exchange.receipts.pins(each.fingerprint)
        )

    def other_log(self, status: ServiceStatus) -> LedgerInfo | None:
        """Return the log that the service announces if the profile names another one, or None.

        The recipient must ask the operator about the difference.
        """
        announced, ours = status.ledger, self.profile.ledger
        if announced is None or ours is None or announced.key == ours.key:
            return None
        return announced

    def status(self, *, context: Context = _NO_CONTEXT) -> ServiceStatus:
        """Return what the service reports about itself: environment, versions, limits."""
        return self._exchange.inquire("GetStatus", {}, context, reading.status)


class _Progress:
    """The number of lines read so far."""

    def __init__(self, lines: int, report: Callable[[int, int], None] | None) -> None:
        self._read = 0
        self._lines = lines
        self._report = report

    def add(self, lines: int) -> None:
        self._read += lines
        if self._report is not None:
            self._report(self._read, self._lines)


class _StatementSource:
    """The pages and proofs of a month, as `MonthChecker` reads them."""

    def __init__(self, client: Client, months: MonthService, context: Context) -> None:
        self._client = client
        self._months = months
        self._context = context

    def page(self, month: str, number: int) -> bytes:
        return self._months.page(month, number, context=self._context)

    def inclusion(self, of_request: UUID) -> tuple[Receipt, Inclusion | None]:
        found = self._client.receipt_in_log(of_request, context=self._context)
        return found.receipt, found.inclusion

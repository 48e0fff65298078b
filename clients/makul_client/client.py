"""The client: one method for each operation of the contract.

What was asked for is returned; what was not obtained is raised (see `errors`). So
`get_person_data` returns data or raises, while `verify_person`, whose answer *is* yes or no,
returns either and raises only when neither can be told. Every decision's receipt is verified
before anything of the answer is handed over, and what may be repeated safely is repeated.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from makul_client._internal import response_decoder as reading
from makul_client._internal.exchange import Context, Exchange
from makul_client._internal.wsse import utc_now
from makul_client.errors import ReceiptError, ReceiptFlaw
from makul_client.models.request import ConsentDocument, Ground, Probe, probe_on_wire
from makul_client.models.response import (
    Agreement,
    ConsentStatus,
    Decision,
    Explanation,
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
from makul_client.profile import Profile

_NO_CONTEXT: Final = Context()


class Client:
    """Asks the service in one recipient's name.

    Keep it for many requests, one thread at a time; close it, or use `with`. Raises
    `ProfileError` where the profile's keys or certificates cannot be used.
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

    @classmethod
    def from_file(cls, profile: Path) -> Self:
        """A client for the profile in this file."""
        return cls(Profile.load(profile))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def verify_person(
        self,
        probe: Probe,
        *,
        ground: Ground | None,
        purpose: str | None = None,
        context: Context = _NO_CONTEXT,
    ) -> VerifyResult:
        """Is this the person they say they are? Yes or no, never data (Procedure, cl. 10)."""

        def read(answer: Any, decision: Decision) -> VerifyResult:
            self._exchange.demand(decision, "MATCHED", "NOT_MATCHED")
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
        """The named attributes of the person, if they match (Procedure, cl. 4, 5 and 10).

        Raises `NotMatchedError`, `RefusedError`, `UndeterminedError`, each with its decision.
        """

        def read(answer: Any, decision: Decision) -> PersonData:
            self._exchange.demand(decision, "RELEASED")
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
        """How `operation` would be decided, rule by rule; no person is looked at (cl. 7).

        A refusal foretold is what was asked for, so it is returned and not raised.
        """

        def read(answer: Any, decision: Decision) -> Explanation:
            self._exchange.demand(decision, "ACCEPTED", "REFUSED", "UNDETERMINED")
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
        """Hand a consent in, to be held and counted by the operator (Procedure, cl. 4).

        With the scan of a consent on paper, and of the document of a representative's authority.
        """

        def read(answer: Any, decision: Decision) -> RegisteredConsent:
            self._exchange.demand(decision, "ACCEPTED")
            return RegisteredConsent(
                consent_id=UUID(answer.consentId),
                state=answer.state,
                remaining=answer.remaining,
                decision=decision,
            )

        papers = {"scan": scan, "authorityDocument": authority}
        given = {name: paper for name, paper in papers.items() if paper is not None}
        fields = {"consentDocument": consent.document, **given}
        return self._exchange.decide("RegisterConsent", fields, context, read)

    def revoke_consent(self, document: bytes, *, context: Context = _NO_CONTEXT) -> RevokedConsent:
        """Hand in what the subject signed to take a consent back (Procedure, cl. 4)."""

        def read(answer: Any, decision: Decision) -> RevokedConsent:
            self._exchange.demand(decision, "ACCEPTED")
            return RevokedConsent(consent_id=UUID(answer.consentId), decision=decision)

        fields = {"revocationDocument": document}
        return self._exchange.decide("RevokeConsent", fields, context, read, under_agreement=False)

    def revocations(
        self, since: datetime | None = None, *, context: Context = _NO_CONTEXT
    ) -> tuple[Revocation, ...]:
        """Consents to this recipient that were taken back, oldest first; every page of them."""
        told: list[Revocation] = []
        fields: dict[str, Any] = {} if since is None else {"since": since}
        while True:
            page, more = self._exchange.inquire(
                "ListRevocations", fields, context, reading.revocations
            )
            told.extend(page)
            if not more or not page:
                return tuple(told)
            fields = {"since": page[-1].revoked_at, "after": str(page[-1].consent_id)}
            context = Context(employee=context.employee)

    def consent_status(self, consent_id: UUID, *, context: Context = _NO_CONTEXT) -> ConsentStatus:
        """Where a consent stands. An unknown one raises `RefusedError` (CNS-01)."""
        fields = {"consentId": str(consent_id)}
        return self._exchange.inquire("GetConsentStatus", fields, context, reading.consent_status)

    def agreement(self, number: str | None = None, *, context: Context = _NO_CONTEXT) -> Agreement:
        """What may be asked for, until when, by which channel (Procedure, cl. 7)."""
        fields = {"agreementNumber": number or self.profile.agreement}
        return self._exchange.inquire(
            "GetAgreement", fields, context, lambda answer: reading.agreement(answer.agreement)
        )

    def receipt(self, of_request: UUID, *, context: Context = _NO_CONTEXT) -> Receipt:
        """The receipt of an earlier request of one's own, verified (Procedure, cl. 10 and 11)."""
        return self.receipt_in_log(of_request, context=context).receipt

    def receipt_in_log(self, of_request: UUID, *, context: Context = _NO_CONTEXT) -> ReceiptInLog:
        """The same, and its place in the log as given: `LedgerVerifier` verifies that."""

        def read(answer: Any) -> ReceiptInLog:
            receipt = self._exchange.receipts.verify_kept(answer.receipt, at=self._exchange.clock())
            if receipt.request_id != of_request:
                raise ReceiptError(ReceiptFlaw.REQUEST, "its request id is another")
            if receipt.recipient != self.profile.recipient.code:
                raise ReceiptError(ReceiptFlaw.REQUEST, "its recipient is another")
            return ReceiptInLog(receipt=receipt, inclusion=reading.inclusion(answer.inclusion))

        fields = {"ofRequest": str(of_request)}
        return self._exchange.inquire("GetReceipt", fields, context, read)

    def unpinned(self, status: ServiceStatus) -> tuple[ReceiptCertificate, ...]:
        """Announced certificates, in use or to come, that the profile lacks: renew it in time."""
        return tuple(
            each
            for each in status.receipt_certificates
            if each.state in ("CURRENT", "NEXT")
            and not self._exchange.receipts.pins(each.fingerprint)
        )

    def other_log(self, status: ServiceStatus) -> LedgerInfo | None:
        """The log that is announced, where the profile names another one: ask the operator."""
        announced, ours = status.ledger, self.profile.ledger
        if announced is None or ours is None or announced.key == ours.key:
            return None
        return announced

    def status(self, *, context: Context = _NO_CONTEXT) -> ServiceStatus:
        """The service about itself: environment, versions, limits."""
        return self._exchange.inquire("GetStatus", {}, context, reading.status)

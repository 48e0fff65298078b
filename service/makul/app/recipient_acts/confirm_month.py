"""ConfirmMonth: a recipient countersigns its month, or contests lines of it (Procedure, cl. 11)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.month_steps import SignedStatement, month_done
from makul.app.ports.acts import ActDecision, ActFacts, Decide, MonthRights, refuse_act
from makul.domain.agreements import AgreementRole
from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import (
    Contest,
    ContestException,
    judge_contest,
    judge_receipt,
)
from makul.domain.months import Month
from makul.domain.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationRequest(ActRequest):
    """The recipient's signature under a statement, or the lines that it contests."""

    month: Month
    statement: bytes | None
    contested_line: Sequence[Any] | None
    """Values with the fields of `ContestedLine`; one of the two is present."""


class ConfirmMonth(RecipientOperation[ConfirmationRequest, MonthRights]):
    """Confirms or contests the caller's own month."""

    name = "ConfirmMonth"
    request: ClassVar[type[ActRequest]] = ConfirmationRequest

    def target(self, request: ConfirmationRequest) -> str:
        """Return the month."""
        return str(request.month)

    def prepare(self, request: ConfirmationRequest, facts: ActFacts) -> Decide[MonthRights]:
        """Verify the signature, if there is one, and then act on the locked rows."""
        recipient = facts.caller.recipient
        if request.statement is None:
            contests = [
                Contest(
                    disclosure_id=UUID(each.disclosureId),
                    reason=each.reason,
                    exception=ContestException(each.exception) if each.exception else None,
                    receipt=each.receipt,
                )
                for each in request.contested_line or ()
            ]
            refused = self._judge_receipts(request.month, contests, recipient)
            if refused:
                return lambda _: refuse_act(refused)
            return lambda rights: self._contest(request.month, contests, facts, rights)
        statement = SignedStatement.verify(self._services, request.statement, at=facts.at)
        return lambda rights: statement.record(
            self._services,
            rights,
            rights.issued_month(recipient, request.month),
            (recipient, AgreementRole.RECIPIENT),
            at=facts.at,
        )

    def _judge_receipts(
        self, month: Month, contests: Sequence[Contest], recipient: MemberCode
    ) -> tuple[Reason, ...]:
        """Verify our own signatures under the receipts; nothing is locked while this is done."""
        for each in contests:
            if each.receipt is None:
                continue
            receipt = self._services.receipts.read(each.receipt)
            reasons = judge_receipt(each.disclosure_id, receipt, recipient, month)
            if reasons:
                return reasons
        return ()

    def _contest(
        self, month: Month, contests: Sequence[Contest], facts: ActFacts, rights: MonthRights
    ) -> ActDecision:
        recipient, ids = facts.caller.recipient, [each.disclosure_id for each in contests]
        known = rights.known_disclosures(recipient, month, ids)
        reasons = judge_contest(
            rights.issued_month(recipient, month),
            contests,
            known,
            [line.disclosure_id for line in rights.contested_lines(recipient, month)],
            at=facts.at,
        )
        if reasons:
            return refuse_act(reasons)
        changed = rights.contest(
            recipient, month, [_with_exception(each, known) for each in contests]
        )
        return month_done(self._services, changed, at=facts.at)


def _with_exception(contest: Contest, known: Collection[UUID]) -> Contest:
    """Return a contest with its exception: that of a receipt follows from our own register."""
    if contest.receipt is None or contest.disclosure_id in known:
        return contest
    return replace(contest, exception=ContestException.UNKNOWN_TO_OPERATOR)

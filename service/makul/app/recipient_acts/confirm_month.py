"""ConfirmMonth: a recipient countersigns its month, or contests lines of it (Procedure, cl. 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.month_steps import SignedStatement, month_done
from makul.app.ports.acts import ActDecision, ActFacts, Decide, MonthRights, refuse_act
from makul.domain.agreements import AgreementRole
from makul.domain.month_closing import judge_contest
from makul.domain.months import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationRequest(ActRequest):
    """The recipient's signature under a statement, or the lines that it contests."""

    month: Month
    statement: bytes | None
    contested_line: Sequence[Any] | None
    """Values with the fields `disclosureId` and `reason`; one of the two is present."""


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
            lines = [
                (UUID(each.disclosureId), each.reason) for each in request.contested_line or ()
            ]
            return lambda rights: self._contest(request.month, lines, facts, rights)
        statement = SignedStatement.verify(self._services, request.statement, at=facts.at)
        return lambda rights: statement.record(
            self._services,
            rights,
            rights.issued_month(recipient, request.month),
            (recipient, AgreementRole.RECIPIENT),
            at=facts.at,
        )

    def _contest(
        self, month: Month, lines: Sequence[tuple[UUID, str]], facts: ActFacts, rights: MonthRights
    ) -> ActDecision:
        recipient, ids = facts.caller.recipient, [line for line, _ in lines]
        contested = rights.contested_lines(recipient, month)
        reasons = judge_contest(
            rights.issued_month(recipient, month),
            ids,
            rights.known_disclosures(recipient, month, ids),
            [line.disclosure_id for line in contested],
            at=facts.at,
        )
        if reasons:
            return refuse_act(reasons)
        changed = rights.contest(recipient, month, dict(lines))
        return month_done(self._services, changed, at=facts.at)

"""SignMonth: the authorised body closes a month by its signature (Procedure, cl. 11)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.month_steps import SignedStatement
from makul.app.ports.acts import ActFacts, Decide, MonthRights
from makul.domain.agreements import AgreementRole
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.domain.officers import AUTHORISED_BODY


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest(ActRequest):
    """The authorised body's signature under the statement of a recipient."""

    recipient: MemberCode
    month: Month
    statement: bytes


class SignMonth(OversightOperation[SigningRequest, MonthRights]):
    """Closes a month, once the recipient has answered and each contested line has an answer."""

    name = "SignMonth"
    request: ClassVar[type[ActRequest]] = SigningRequest
    roles = AUTHORISED_BODY

    def target(self, request: SigningRequest) -> str:
        """Return the recipient and the month."""
        return f"{request.recipient} {request.month}"

    def prepare(self, request: SigningRequest, facts: ActFacts) -> Decide[MonthRights]:
        """Verify the signature, and then close the month on its locked rows."""
        statement = SignedStatement.verify(self._services, request.statement, at=facts.at)
        signer = (require_officer(facts).member, AgreementRole.AUTHORISED_BODY)
        return lambda rights: statement.record(
            self._services,
            rights,
            rights.issued_month(request.recipient, request.month),
            signer,
            at=facts.at,
        )

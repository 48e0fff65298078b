"""Bases in law on which data are given without the subject's consent (Procedure, cl. 5)."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from makul.domain.calendar import legal_day
from makul.domain.consents import ResultForm
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.recipients import PUBLIC_BODIES, STATE_BODIES, RecipientKind

SECRECY_CLAUSE = "5.1"
"""The only clause whose provisions allow a decision to be kept from its subject."""


class Provision(StrEnum):
    """A provision of cl. 5, as a basis statement names it."""

    JUDICIAL = "JUDICIAL"
    NATIONAL_SECURITY = "NATIONAL_SECURITY"
    COUNTER_TERRORISM = "COUNTER_TERRORISM"
    COUNTER_CORRUPTION = "COUNTER_CORRUPTION"
    OPERATIONAL_SEARCH = "OPERATIONAL_SEARCH"
    VITAL_INTEREST = "VITAL_INTEREST"
    OFFICIAL_REQUEST = "OFFICIAL_REQUEST"
    LAW = "LAW"

    @property
    def clause(self) -> str:
        """The sub-clause of the provision: `5.1` … `5.4`."""
        return _CLAUSE[self]

    def open_to(self, kind: RecipientKind) -> bool:
        """Return whether this kind of recipient may invoke the provision at all.

        The recipient's agreement must name the provision as well.
        """
        return kind in _ENTITLED[self.clause]


_CLAUSE = dict.fromkeys(Provision, SECRECY_CLAUSE) | {
    Provision.VITAL_INTEREST: "5.2",
    Provision.OFFICIAL_REQUEST: "5.3",
    Provision.LAW: "5.4",
}

# 5.1 speaks of justice, security and operational search: functions of bodies of state power.
# 5.2 names nobody. Protecting life is the task of public bodies, so it is open only to them.
# 5.3 names its bodies. 5.4 is open to any recipient that another law entitles, including banks.
# The agreement must name the provision in every case.
_ENTITLED = {
    SECRECY_CLAUSE: STATE_BODIES,
    "5.2": PUBLIC_BODIES,
    "5.3": PUBLIC_BODIES,
    "5.4": frozenset(RecipientKind),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisingAct:
    """The act on which a basis is founded: a court's ruling, an order, a request."""

    issuer: str
    number: str
    issued_on: date
    digest: bytes | None = None
    """SHA-256 of the act's text, if the body states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisStatement:
    """A basis statement as an official signed it: a request without consent on this basis (cl. 5).

    It is valid over [`issued_at`, `valid_to`). `provision` is kept as written, because an unknown
    provision is an answer (LAW-01) and not an error.
    """

    statement_id: UUID
    recipient: MemberCode
    agreement_number: AgreementNumber
    provision: str
    citation: str
    act: AuthorisingAct
    case_number: str = field(repr=False)
    official: str = field(repr=False)
    """The official's identifier, as registered for the body."""
    subject: Pin | None
    """The person whom it concerns; None if it concerns a probe (1:N)."""
    purpose: PurposeCode
    attributes: frozenset[str]
    result_form: ResultForm
    justification: str = field(repr=False)
    issued_at: datetime
    valid_to: datetime
    max_disclosures: int
    hidden_until: datetime | None = None
    """The time until which the subject is not informed; only for the provisions of cl. 5.1."""

    @property
    def issued_on(self) -> date:
        """The calendar day in the Republic on which it was issued, as acts are dated."""
        return legal_day(self.issued_at)

    def hiding_end(self, at_most: timedelta) -> datetime | None:
        """Return the time until which its decisions are kept from the subject; None if not at all.

        Only a provision of cl. 5.1 hides, and for no longer than `at_most` from the issue.
        """
        secret = any(
            each.value == self.provision for each in Provision if each.clause == SECRECY_CLAUSE
        )
        if self.hidden_until is None or not secret:
            return None
        return min(self.hidden_until, self.issued_at + at_most)

"""Agreements: the terms under which a recipient is given data (Procedure, cl. 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.domain.recipients import BOUND_BY_COMPETENCE, RecipientKind

DEFAULT_PAPER_QUOTA = 20
"""The paper quota if the agreement names none: a clerk's busy day, too few for mass collection."""


class Channel(StrEnum):
    """A channel on which messages arrive; exactly one channel authenticates a message."""

    XROAD = "xroad"
    WSSE = "wsse"
    MTLS = "mtls"


class Delivery(StrEnum):
    """The form in which released attributes travel.

    They are typed elements (`TYPED`), or encrypted to the recipient (`SEALED`).
    """

    TYPED = "TYPED"
    SEALED = "SEALED"


class AgreementState(StrEnum):
    """The state of an agreement; only `IN_FORCE` permits anything."""

    DRAFT = "DRAFT"
    IN_FORCE = "IN_FORCE"
    TERMINATED = "TERMINATED"


class AgreementRole(StrEnum):
    """The role of a signing party; an agreement needs one signature of each (cl. 7)."""

    AUTHORISED_BODY = "AUTHORISED_BODY"
    OPERATOR = "OPERATOR"
    RECIPIENT = "RECIPIENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The terms that the authorised body, the operator and the recipient agreed.

    An agreement is in force over [`valid_from`, `valid_to`) if its state is `IN_FORCE`. Both
    instants are timezone-aware.
    """

    number: AgreementNumber
    recipient: MemberCode
    state: AgreementState
    valid_from: datetime
    valid_to: datetime
    purposes: frozenset[PurposeCode]
    attributes: frozenset[Attribute]
    methods: frozenset[MatchMethod]
    channels: frozenset[Channel]
    provisions: frozenset[Provision] = frozenset()
    """The provisions of cl. 5 that this recipient may invoke; empty for most recipients."""
    powers: Mapping[PurposeCode, frozenset[Attribute]] = field(default_factory=dict)
    """The attributes that the body's powers cover, by purpose (cl. 5.3)."""
    competences: Mapping[PurposeCode, str] = field(default_factory=dict)
    """The act of law on which the recipient's competence rests, by purpose (cl. 3 a to c and e)."""
    daily_quota: int | None = None
    """Disclosures allowed in a UTC day; None for no limit beyond the rate limits."""
    requests_a_minute: int | None = None
    """Requests allowed in a minute.

    None means the limit of the operator's settings (`domain.usage`).
    """
    bytes_a_day: int | None = None
    """Bytes that may be recorded for the recipient in a UTC day.

    None means the limit of the operator's settings (`domain.usage`).
    """
    paper_allowed: bool = False
    """True if consents may be given on paper; an official is then responsible for them (cl. 4)."""
    paper_daily_quota: int = DEFAULT_PAPER_QUOTA
    """Consents on paper that one official may register in a UTC day."""
    representatives_allowed: bool = False
    """True if a representative may consent for a subject.

    Representatives are parents, guardians and holders of a power of attorney.
    """
    undertakings_required: bool = False
    """True if only employees with an undertaking in force may request data (cl. 16, RCP-05)."""
    delivery: Delivery = Delivery.TYPED
    scores_out: bool = False
    """True if match scores and thresholds may be shown to the recipient."""

    def may_bind(self, at: datetime) -> bool:
        """Return whether the agreement is, or can still come, in force at or after this instant."""
        return self.state is not AgreementState.TERMINATED and at < self.valid_to

    def purposes_without_competence(self, kind: RecipientKind) -> frozenset[PurposeCode]:
        """Return the purposes for which a recipient of this kind must still name an act of law."""
        if kind not in BOUND_BY_COMPETENCE:
            return frozenset()
        return frozenset(
            each for each in self.purposes if not self.competences.get(each, "").strip()
        )

    def covers(self, at: datetime) -> bool:
        """Return whether the agreement is in force at this instant."""
        return self.state is AgreementState.IN_FORCE and self.valid_from <= at < self.valid_to

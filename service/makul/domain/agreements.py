"""The terms under which a recipient is given data (Procedure, cl. 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod

DEFAULT_PAPER_QUOTA = 20
"""Where the agreement names no other: a clerk's busy day, and far from a harvest."""


class Channel(StrEnum):
    """A way to come in; exactly one authenticates a message."""

    XROAD = "xroad"
    WSSE = "wsse"
    MTLS = "mtls"


class Delivery(StrEnum):
    """How released attributes travel: as typed elements, or encrypted to the recipient."""

    TYPED = "TYPED"
    SEALED = "SEALED"


class AgreementState(StrEnum):
    """Where an agreement stands; only `IN_FORCE` gives anything."""

    DRAFT = "DRAFT"
    IN_FORCE = "IN_FORCE"
    TERMINATED = "TERMINATED"


class AgreementRole(StrEnum):
    """For whom a signature under an agreement stands; it takes one of each (cl. 7)."""

    AUTHORISED_BODY = "AUTHORISED_BODY"
    OPERATOR = "OPERATOR"
    RECIPIENT = "RECIPIENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the authorised body, the operator and the recipient agreed.

    In force over [`valid_from`, `valid_to`), both aware, while its state says so.
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
    """The bases of cl. 5 that this recipient may invoke; none for most."""
    powers: Mapping[PurposeCode, frozenset[Attribute]] = field(default_factory=dict)
    """For cl. 5.3: which attributes the body's powers cover, by purpose."""
    daily_quota: int | None = None
    requests_a_minute: int | None = None
    """None: the limit of the operator's settings (`domain.usage`)."""
    bytes_a_day: int | None = None
    """What may be recorded for the recipient in a UTC day; None likewise."""
    """Disclosures a day (UTC), or None for no limit beyond the rate limits."""
    paper_allowed: bool = False
    """May consents be given on paper, for an official to answer for (cl. 4)?"""
    paper_daily_quota: int = DEFAULT_PAPER_QUOTA
    """Paper consents that one official may register a day (UTC)."""
    representatives_allowed: bool = False
    """May others consent for a subject: parents, guardians, by power of attorney?"""
    delivery: Delivery = Delivery.TYPED
    scores_out: bool = False
    """Whether match scores and thresholds may be shown to the recipient."""

    def covers(self, at: datetime) -> bool:
        """Is it in force at this instant?"""
        return self.state is AgreementState.IN_FORCE and self.valid_from <= at < self.valid_to

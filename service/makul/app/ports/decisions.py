"""Decisions on their way to the record: facts, an outcome, and the effects of that outcome.

The class of a decision is its outcome. It accepts only the facts and the effects that this outcome
can have (docs/decisions/0039-facts-outcome-effects.md).
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from makul.app.ports.decision_effects import (
    Comparison,
    ConsentRegistration,
    ConsentRevocation,
    DecisionEffect,
    MatchAttempt,
    MeteredUse,
    QuotaUse,
    SubjectNotification,
)
from makul.app.ports.decision_facts import (
    DecisionFacts,
    DisclosureFacts,
    DryRunFacts,
    Evidence,
    RegistrationFacts,
    RevocationFacts,
)
from makul.app.ports.documents import ConsentStatus
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef, Outcome
from makul.domain.identifiers import Pin
from makul.domain.matches import MethodVerdict
from makul.domain.notifications import NotificationKind
from makul.domain.reasons import Reason, leaves_open
from makul.domain.rules import Ruling, Verdict

DisclosureEffect = Comparison | MeteredUse | QuotaUse | SubjectNotification
"""Effects of a disclosure: the comparison, the uses of its ground and of the quota, and the
notification to its subject."""


class _DecisionBase:
    """Values that are read from the facts and the effects together.

    A value that an effect names is the value of the whole decision. Its row, its receipt and its
    leaf therefore name the same ground, subject and documents as its effects.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def facts(self) -> DecisionFacts: ...

        @property
        def effects(self) -> tuple[DecisionEffect, ...]: ...

    @property
    def ground(self) -> GroundRef | None:
        """The ground of the decision."""
        for effect in self.effects:
            if isinstance(effect, MeteredUse | ConsentRegistration):
                return effect.ground
        return self.facts.ground

    @property
    def subject(self) -> Pin | None:
        """The person whom the decision concerns."""
        for effect in self.effects:
            if isinstance(effect, MatchAttempt | ConsentRegistration | ConsentRevocation):
                return effect.subject
        return self.facts.subject

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The documents of the decision; those of its effects come first, each only once."""
        own = tuple(
            effect.document
            for effect in self.effects
            if isinstance(effect, ConsentRegistration | ConsentRevocation)
        )
        digests = {piece.digest for piece in own}
        return own + tuple(p for p in self.facts.evidence if p.digest not in digests)


class _Disclosure(_DecisionBase):
    """A decision after a comparison: it closes its id and needs every right at commit."""

    __slots__ = ()

    closes_request_id: ClassVar[bool] = True
    has_preconditions: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(_Disclosure):
    """Data of a person who matched are released."""

    outcome: ClassVar[Outcome] = Outcome.RELEASED

    facts: DisclosureFacts
    released: frozenset[Attribute]
    payload: bytes
    """The rendered `person` element with exactly the released attributes."""
    reasons: tuple[Reason, ...] = ()
    """The reasons why requested attributes were left out."""
    encrypt_to: bytes | None = None
    """The certificate (DER) to which the payload is encrypted; None for an unencrypted payload."""
    matches: tuple[MethodVerdict, ...] = ()
    effects: tuple[DisclosureEffect, ...] = ()

    @property
    def sealed_to(self) -> bytes | None:
        """SHA-256 of the certificate to which the payload is encrypted.

        The certificate must not have been withdrawn by the commit.
        """
        return sha256(self.encrypt_to).digest() if self.encrypt_to is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(_Disclosure):
    """The person matched; only this is disclosed."""

    outcome: ClassVar[Outcome] = Outcome.MATCHED
    reasons: ClassVar[tuple[Reason, ...]] = ()

    facts: DisclosureFacts
    matches: tuple[MethodVerdict, ...] = ()
    effects: tuple[DisclosureEffect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMatch(_Disclosure):
    """The person did not match. It uses neither the ground nor the quota."""

    outcome: ClassVar[Outcome] = Outcome.NOT_MATCHED

    facts: DisclosureFacts
    reasons: tuple[Reason, ...]
    matches: tuple[MethodVerdict, ...] = ()
    effects: tuple[MatchAttempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _NonDisclosure(_DecisionBase):
    """A decision that gives nothing. It may follow any request."""

    facts: DecisionFacts
    reasons: tuple[Reason, ...]
    keep_request_id_open: bool = False
    """True if the decision is about the request id itself (REQ-04) or replaces a replay.

    No request key is then kept.
    """
    effects: tuple[MatchAttempt | QuotaUse, ...] = ()

    @property
    def closes_request_id(self) -> bool:
        """True if this decision closes the request id (docs/architecture.md, invariant 5).

        A refusal that may be retried later does not close it, nor does a refusal for misuse of the
        id itself.
        """
        return not self.keep_request_id_open and not leaves_open(self.reasons)

    @property
    def has_preconditions(self) -> bool:
        """True after a comparison.

        Even the refusal of a match discloses something about a person, so it needs the same
        preconditions (invariant 4).
        """
        return any(isinstance(effect, MatchAttempt) for effect in self.effects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(_NonDisclosure):
    """A rule of the Procedure forbids the request."""

    outcome: ClassVar[Outcome] = Outcome.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Undetermined(_NonDisclosure):
    """A fact that the decision needs could not be determined."""

    outcome: ClassVar[Outcome] = Outcome.UNDETERMINED


class _Acceptance(_DecisionBase):
    """An act that gives no data was done. It has no reasons, so it closes its request id."""

    __slots__ = ()

    outcome: ClassVar[Outcome] = Outcome.ACCEPTED
    reasons: ClassVar[tuple[Reason, ...]] = ()
    closes_request_id: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAcceptance(_Acceptance):
    """A consent is registered. It is a gain of the recipient, so it needs every right."""

    has_preconditions: ClassVar[bool] = True

    facts: RegistrationFacts
    registration: ConsentRegistration
    status: ConsentStatus

    @property
    def effects(self) -> tuple[ConsentRegistration | SubjectNotification, ...]:
        """The registration; of a consent on paper, also the notification to its subject (cl. 4)."""
        if self.registration.paper is None:
            return (self.registration,)
        paper = SubjectNotification(
            kind=NotificationKind.PAPER_CONSENT, visible_at=self.facts.at, on_paper=True
        )
        return (self.registration, paper)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationAcceptance(_Acceptance):
    """A consent is revoked. It only removes rights and needs none."""

    has_preconditions: ClassVar[bool] = False

    facts: RevocationFacts
    revocation: ConsentRevocation

    @property
    def effects(self) -> tuple[ConsentRevocation]:
        """The revocation."""
        return (self.revocation,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunAcceptance(_Acceptance):
    """A dry run ended without a refusal."""

    has_preconditions: ClassVar[bool] = True

    facts: DryRunFacts
    effects: tuple[QuotaUse, ...]


NonDisclosure = Refusal | Undetermined
"""A decision that gives nothing."""

Acceptance = ConsentAcceptance | RevocationAcceptance | DryRunAcceptance
"""A decision by which an act was done that gives no data."""

PendingDecision = Release | Match | NoMatch | NonDisclosure | Acceptance
"""A decision that is about to be rendered and recorded."""


def refuse_by_rulings(facts: DecisionFacts, rulings: tuple[Ruling, ...]) -> NonDisclosure:
    """Return the decision that rulings lead to, of which some did not pass.

    A failure outweighs an unknown.
    """
    failed = any(ruling.verdict is Verdict.FAILED for ruling in rulings)
    reasons = tuple(reason for ruling in rulings for reason in ruling.reasons)
    return (Refusal if failed else Undetermined)(facts=facts, reasons=reasons)

"""Decisions that contradict themselves. The type checker refuses each line that ends in a code.

`test_decision_types` runs mypy over this module. Nobody imports it.
"""

from uuid import UUID

from makul.app.ports import (
    Comparison,
    ConsentAcceptance,
    ConsentRegistration,
    ConsentRevocation,
    ConsentStatus,
    DisclosureFacts,
    DryRunAcceptance,
    DryRunFacts,
    FailedMatch,
    Match,
    MeteredUse,
    NoMatch,
    PaperConsentUse,
    QuotaUse,
    Refusal,
    RegistrationFacts,
    Release,
    RevocationAcceptance,
    RevocationFacts,
    Undetermined,
)
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef
from makul.domain.identifiers import Pin
from makul.domain.match_attempts import AttemptLimits
from makul.domain.reasons import Reason


def contradict_disclosures(
    *,
    facts: DisclosureFacts,
    use: MeteredUse,
    failure: FailedMatch,
    registration: ConsentRegistration,
    revocation: ConsentRevocation,
    reasons: tuple[Reason, ...],
) -> None:
    """Disclose while the id stays open, register, revoke, or use a ground for nothing."""
    released, payload = frozenset({Attribute.SURNAME}), b"<person/>"
    Release(facts=facts, released=released, payload=payload, effects=(use,))
    Release(facts=facts, released=released, payload=payload, keep_request_id_open=True)  # call-arg
    Release(facts=facts, released=released, payload=payload, closes_request_id=False)  # call-arg
    Release(facts=facts, released=released, payload=None)  # arg-type
    Release(facts=facts, released=released, payload=payload, effects=(failure,))  # arg-type
    Match(facts=facts, effects=(registration,))  # arg-type
    Match(facts=facts, effects=(use, registration))  # arg-type
    Match(facts=facts, effects=(revocation,))  # arg-type
    Match(facts=facts, released=released)  # call-arg
    NoMatch(facts=facts, reasons=reasons, effects=(failure,))
    NoMatch(facts=facts, reasons=reasons, effects=(use,))  # arg-type


def contradict_refusals(
    facts: DisclosureFacts,
    use: MeteredUse,
    registration: ConsentRegistration,
    revocation: ConsentRevocation,
    reasons: tuple[Reason, ...],
) -> None:
    """Refuse, and give or take something all the same."""
    Refusal(facts=facts, reasons=reasons)
    Refusal(facts=facts)  # call-arg
    Refusal(facts=facts, reasons=reasons, payload=b"<person/>")  # call-arg
    Refusal(facts=facts, reasons=reasons, effects=(use,))  # arg-type
    Refusal(facts=facts, reasons=reasons, effects=(registration,))  # arg-type
    Refusal(facts=facts, reasons=reasons, effects=(revocation,))  # arg-type
    Undetermined(facts=facts, reasons=reasons, effects=(revocation,))  # arg-type


def contradict_acceptances(
    *,
    of_person: DisclosureFacts,
    of_consent: RegistrationFacts,
    of_revocation: RevocationFacts,
    of_dry_run: DryRunFacts,
    registration: ConsentRegistration,
    revocation: ConsentRevocation,
    status: ConsentStatus,
    use: MeteredUse,
    quota: QuotaUse,
    paper: PaperConsentUse,
) -> None:
    """Accept an act in the space of another, or with the effect of another."""
    ConsentAcceptance(facts=of_consent, registration=registration, status=status)
    ConsentAcceptance(facts=of_consent, status=status)  # call-arg
    ConsentAcceptance(facts=of_revocation, registration=registration, status=status)  # arg-type
    ConsentAcceptance(facts=of_consent, registration=use, status=status)  # arg-type
    ConsentAcceptance(facts=of_consent, registration=paper, status=status)  # arg-type
    RevocationAcceptance(facts=of_revocation, revocation=revocation)
    RevocationAcceptance(facts=of_revocation)  # call-arg
    RevocationAcceptance(facts=of_person, revocation=revocation)  # arg-type
    RevocationAcceptance(facts=of_consent, revocation=revocation)  # arg-type
    DryRunAcceptance(facts=of_dry_run, effects=(quota,))
    DryRunAcceptance(facts=of_dry_run, effects=(use,))  # arg-type
    DryRunAcceptance(facts=of_person, effects=(quota,))  # arg-type


def contradict_effects(
    subject: Pin, nobody: Pin | None, ground: GroundRef | None, limits: AttemptLimits
) -> None:
    """Count against nobody, meter no ground, register or revoke without the document."""
    Comparison(subject=subject, limits=limits)
    Comparison(subject=nobody, limits=limits)  # arg-type
    FailedMatch(subject=nobody, limits=limits)  # arg-type
    FailedMatch(limits=limits)  # call-arg
    MeteredUse(ground=ground)  # arg-type
    MeteredUse()  # call-arg
    ConsentRevocation(consent_id=UUID(int=1), subject=subject, document=None)  # arg-type
    ConsentRegistration(subject=subject)  # call-arg

"""Builders of decisions and of record entries for tests. Everybody in them is invented.

Each takes the effects of the decision, and by name what differs: of the caller, the facts, the
outcome or the entry.
"""

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from makul.app.ports import (
    Caller,
    Comparison,
    ConsentAcceptance,
    ConsentRegistration,
    ConsentRevocation,
    ConsentStatus,
    DecisionFacts,
    DisclosureEffect,
    DryRunAcceptance,
    DryRunFacts,
    Entry,
    Evidence,
    FailedMatch,
    KeptReceipt,
    Leaf,
    MatchAttempt,
    MeteredUse,
    NoMatch,
    NonDisclosure,
    PaperConsentUse,
    PendingDecision,
    PersonDataFacts,
    QuotaUse,
    Refusal,
    RegistrationFacts,
    Release,
    RevocationAcceptance,
    RevocationFacts,
    Space,
)
from makul.domain.agreements import Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef
from makul.domain.identifiers import Pin
from makul.domain.reasons import Code, Reason
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    LOOSE_LIMITS,
    NOON,
    PURPOSE,
    a_key,
    an_agreement,
    an_evidence,
)

KINDS: dict[Space, type[DecisionFacts]] = {
    Space.DISCLOSURE: PersonDataFacts,
    Space.CONSENT: RegistrationFacts,
    Space.REVOCATION: RevocationFacts,
    Space.EXPLANATION: DryRunFacts,
}
_OF_THE_CALLER = {"channel", "certificate", "mark", "message"}
_OF_THE_ENTRY = {each.name for each in fields(Entry)} - {"decision"}
_OF_THE_FACTS = {each.name for kind in KINDS.values() for each in fields(kind)}


def some_facts(**changes: Any) -> Any:
    """The bank's request under its agreement, about Azamat; its kind is that of the key's space."""
    key = changes.pop("key", None) or a_key()
    caller: Caller = changes.pop("caller", None) or Caller(
        recipient=key.recipient, channel=Channel.WSSE
    )
    stated: dict[str, Any] = {
        "at": NOON,
        "agreement_number": AGREEMENT_NUMBER,
        "terms": an_agreement(),
        "purpose": PURPOSE,
        "subject": AZAMAT,
    }
    of_caller = {name: changes.pop(name) for name in _OF_THE_CALLER & set(changes)}
    return KINDS[key.space](
        caller=replace(caller, recipient=key.recipient, subsystem=key.asker.subsystem, **of_caller),
        request_id=key.request_id,
        request_digest=key.digest,
        employee=key.asker.employee,
        case_number=key.asker.case_number,
        **(stated | changes),
    )


def build_decision(build: Callable[..., PendingDecision], **changes: Any) -> PendingDecision:
    """A decision by its class; of the changes, each goes where its name belongs."""
    if "decided_at" in changes:
        changes["at"] = changes.pop("decided_at")
    named = _OF_THE_FACTS | _OF_THE_CALLER | {"key"}
    facts = {name: changes.pop(name) for name in named & set(changes)}
    return build(facts=some_facts(**facts), **changes)


def a_comparison(**changes: Any) -> Comparison:
    """A comparison with Azamat's record that is no failure."""
    return replace(Comparison(subject=AZAMAT, limits=LOOSE_LIMITS), **changes)


def a_failure(**changes: Any) -> FailedMatch:
    """A comparison with Azamat's record that failed."""
    return replace(FailedMatch(subject=AZAMAT, limits=LOOSE_LIMITS), **changes)


def registration_of(
    ground: GroundRef, document: Evidence | None = None, paper: PaperConsentUse | None = None
) -> ConsentRegistration:
    """The registration of a consent with its document."""
    return ConsentRegistration(
        document=document or an_evidence(),
        consent_id=ground.id,
        subject=ground.subject or AZAMAT,
        max_disclosures=ground.max_disclosures,
        valid_from=ground.valid_from,
        valid_to=ground.valid_to,
        representative=ground.representative,
        paper=paper,
    )


def status_of(registration: ConsentRegistration) -> ConsentStatus:
    """The status of a consent that was just registered."""
    return ConsentStatus(
        consent_id=registration.consent_id,
        digest=registration.document.digest,
        subject=registration.subject,
        valid_from=registration.valid_from,
        valid_to=registration.valid_to,
        allowed=registration.max_disclosures,
        used=0,
        revoked=False,
    )


def acceptance_of(registration: ConsentRegistration, **changes: Any) -> PendingDecision:
    """The decision that registers a consent."""
    fields_: dict[str, Any] = {
        "key": a_key(space=Space.CONSENT),
        "registration": registration,
        "status": status_of(registration),
    }
    return build_decision(ConsentAcceptance, **(fields_ | changes))


def revocation_of(ground: GroundRef, piece: Evidence, **changes: Any) -> PendingDecision:
    """The decision that revokes a consent, under no agreement."""
    subject: Pin = changes.pop("subject", AZAMAT)
    fields: dict[str, Any] = {
        "key": a_key(space=Space.REVOCATION),
        "subject": subject,
        "agreement_number": None,
        "terms": None,
        "revocation": ConsentRevocation(consent_id=ground.id, subject=subject, document=piece),
    }
    return build_decision(RevocationAcceptance, **(fields | changes))


def an_entry(decision: PendingDecision, **changes: Any) -> Entry:
    """A decision as if it were rendered."""
    disclosure_id = changes.pop("disclosure_id", None) or uuid4()
    entry = Entry(
        disclosure_id=disclosure_id,
        decision=decision,
        leaf=a_leaf(disclosure_id),
        receipt=b"<Receipt>%s</Receipt>" % disclosure_id.bytes.hex().encode(),
        answer=b"<Answer>Toktogulov %s</Answer>" % disclosure_id.bytes.hex().encode(),
        keep_answer_until=NOON + timedelta(hours=24),
    )
    return replace(entry, **changes)


def _entered(build: Callable[..., PendingDecision], changes: dict[str, Any], **more: Any) -> Entry:
    of_entry = {name: changes.pop(name) for name in _OF_THE_ENTRY & set(changes)}
    return an_entry(build_decision(build, **changes), **(more | of_entry))


def a_release(*effects: DisclosureEffect, **changes: Any) -> Entry:
    """Surname and given name, released to the bank; nothing is metered unless a test says so."""
    fields = {
        "released": frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME}),
        "payload": b"<person/>",
        "effects": effects,
    }
    return _entered(Release, fields | changes)


def a_metered_release(ground: GroundRef, *effects: DisclosureEffect, **changes: Any) -> Entry:
    """A release that counts as one use of its ground."""
    return a_release(MeteredUse(ground=ground), *effects, ground=ground, **changes)


def a_refusal(
    code: Code = Code.CNS_04,
    *effects: MatchAttempt | QuotaUse,
    build: type[NonDisclosure] = Refusal,
    **changes: Any,
) -> Entry:
    """A decision that gives nothing."""
    refused = {"reasons": (Reason(code=code),), "effects": effects}
    return _entered(build, refused | changes, answer=b"<Answer>refused</Answer>")


def a_failed_match(**changes: Any) -> Entry:
    """Not matched, counted as a failed attempt on the subject."""
    attempt = a_failure(
        limits=changes.pop("limits", LOOSE_LIMITS),
        subject=changes.get("subject", AZAMAT),
    )
    missed = {"reasons": (Reason(code=Code.MAT_01),), "effects": (attempt,)}
    return _entered(NoMatch, missed | changes)


def a_registration(
    ground: GroundRef,
    document: Evidence | None = None,
    paper: PaperConsentUse | None = None,
    **changes: Any,
) -> Entry:
    """The consent registered with its document."""
    registration = registration_of(ground, document, paper)
    fields = {
        "key": a_key(space=Space.CONSENT),
        "registration": registration,
        "status": status_of(registration),
    }
    return _entered(ConsentAcceptance, fields | changes)


def a_dry_run(*effects: QuotaUse, **changes: Any) -> Entry:
    """A dry run that ended without a refusal."""
    ended = {"key": a_key(space=Space.EXPLANATION), "effects": effects}
    return _entered(DryRunAcceptance, ended | changes)


def a_revocation(ground: GroundRef, piece: Evidence | None = None, **changes: Any) -> Entry:
    """Return a consent's revocation, by its subject unless another person is named."""
    document = piece or an_evidence(b"<Revocation/>", "REVOCATION")
    return an_entry(revocation_of(ground, document, **changes), answer=b"<Answer>revoked</Answer>")


def a_leaf(disclosure_id: UUID) -> Leaf:
    salt = b"s" * 32
    statement = b'{"subject":"%s"}' % AZAMAT.digits.encode()
    digest = hashlib.sha256(b"\x00" + salt + statement + disclosure_id.bytes).digest()
    return Leaf(salt=salt, statement=statement, hash=digest)


def receipt_from(entry: Entry) -> KeptReceipt:
    """Return the receipt of a recorded entry, as the register gives it."""
    return KeptReceipt(
        disclosure_id=entry.disclosure_id,
        document=entry.receipt,
        space=entry.key.space,
        agreement_number=entry.facts.agreement_number,
    )

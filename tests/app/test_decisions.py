"""What a decision can be: no contradiction can be written, and it names what its effects name."""

import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from makul.app.ports import (
    ConsentAcceptance,
    DecisionFacts,
    DryRunAcceptance,
    Match,
    MeteredUse,
    NoMatch,
    PendingDecision,
    QuotaUse,
    Refusal,
    Release,
    Space,
    Undetermined,
)
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.reasons import Code, Reason
from makul_testing.builders.entries import (
    KINDS,
    a_comparison,
    a_failure,
    acceptance_of,
    build_decision,
    registration_of,
    revocation_of,
    some_facts,
)
from makul_testing.builders.records import (
    AZAMAT,
    BANK,
    GULNARA,
    a_basis,
    a_consent,
    a_key,
    an_evidence,
)
from makul_testing.paths import ROOT

CONTRADICTIONS = Path(__file__).with_name("contradictions.py")
_ERROR = re.compile(
    r"^(?P<path>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$", re.MULTILINE
)
_EXPECTED = re.compile(r"\)  # (?P<code>[a-z-]+)$")
FINAL, LATER = Reason(code=Code.CNS_04), Reason(code=Code.MAT_06)


def test_the_types_refuse_every_contradiction() -> None:
    """What was once refused while a decision was recorded is now refused before it runs."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "setup.cfg", str(CONTRADICTIONS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[int, set[str]] = defaultdict(set)
    for error in _ERROR.finditer(checked.stdout):
        assert Path(error["path"]).name == CONTRADICTIONS.name
        found[int(error["line"])].add(error["code"])
    lines = CONTRADICTIONS.read_text(encoding="utf-8").splitlines()
    expected = {
        number: {code["code"]}
        for number, line in enumerate(lines, 1)
        if (code := _EXPECTED.search(line)) is not None
    }

    assert len(expected) > 30
    assert dict(found) == expected, checked.stdout + checked.stderr


@pytest.mark.parametrize("space", Space)
def test_the_space_of_an_id_follows_from_the_kind_of_request(space: Space) -> None:
    """No facts lie in the space of another kind: its stored answers are given on other terms."""
    facts: DecisionFacts = some_facts(key=a_key(space=space))

    assert type(facts) is KINDS[space]
    assert (facts.space, facts.key.space) == (space, space)
    assert (facts.operation is Operation.REVOKE_CONSENT) is (space is Space.REVOCATION)
    with pytest.raises(TypeError):
        replace(facts, space=Space.DISCLOSURE)  # type: ignore[arg-type]


def test_a_key_names_the_caller_that_a_channel_proved() -> None:
    """Recipient and subsystem have one source each."""
    facts = some_facts(key=a_key(recipient=BANK))

    assert facts.key.recipient == facts.caller.recipient
    assert facts.key.asker.subsystem == facts.caller.subsystem


DISCLOSURES = [
    build_decision(Release, released=frozenset(), payload=b"<person/>"),
    build_decision(Match),
    build_decision(NoMatch, reasons=(LATER,)),
]


@pytest.mark.parametrize("decision", DISCLOSURES, ids=lambda each: each.outcome.value)
def test_a_disclosure_closes_its_id_and_needs_every_right(decision: PendingDecision) -> None:
    """docs/architecture.md, invariants 4 and 5: this holds for any reasons."""
    assert decision.closes_request_id
    assert decision.has_preconditions


@pytest.mark.parametrize(
    ("build", "outcome"), [(Refusal, Outcome.REFUSED), (Undetermined, Outcome.UNDETERMINED)]
)
@pytest.mark.parametrize(
    ("changes", "closes"),
    [
        ({"reasons": (FINAL,)}, True),
        ({"reasons": (FINAL, LATER)}, False),
        ({"reasons": (FINAL,), "keep_request_id_open": True}, False),
    ],
)
def test_what_gives_nothing_closes_its_id_unless_it_may_be_asked_again(
    build: Any, outcome: Outcome, changes: dict[str, Any], closes: bool
) -> None:
    """Invariant 5: one reason with retry L leaves the id open, and so does misuse of the id."""
    decision = build_decision(build, **changes)

    assert (decision.outcome, decision.closes_request_id) == (outcome, closes)
    assert not decision.has_preconditions


@pytest.mark.parametrize("attempt", [a_comparison(), a_failure()])
def test_a_refusal_after_a_comparison_needs_every_right(attempt: Any) -> None:
    """Invariant 4: it says something of a person's record."""
    assert build_decision(Refusal, reasons=(FINAL,), effects=(attempt,)).has_preconditions
    assert not build_decision(
        Refusal, reasons=(FINAL,), effects=(QuotaUse(quota=1),)
    ).has_preconditions


def test_a_gain_needs_every_right_and_a_revocation_none() -> None:
    """Procedure, cl. 4: a recipient on hold may still revoke."""
    dry_run = build_decision(
        DryRunAcceptance, key=a_key(space=Space.EXPLANATION), effects=(QuotaUse(quota=1),)
    )
    registered = acceptance_of(registration_of(a_consent()))
    revoked = revocation_of(a_consent(), an_evidence(b"<Revocation/>", "REVOCATION"))

    assert dry_run.has_preconditions
    assert registered.has_preconditions
    assert not revoked.has_preconditions
    assert dry_run.closes_request_id
    assert registered.closes_request_id
    assert revoked.closes_request_id


def test_a_registered_consent_is_the_one_of_its_document() -> None:
    """Kind and digest follow from the document, so no other document can be registered."""
    document = an_evidence(b"<Consent>one</Consent>")
    ground = registration_of(a_consent(), document).ground

    assert (ground.kind, ground.digest) == (GroundKind.CONSENT, document.digest)


def test_a_decision_names_what_its_effects_name() -> None:
    """Ground, subject and documents have one value in the row, the receipt and the leaf."""
    used, other = a_consent(), a_basis()
    release = build_decision(
        Release,
        released=frozenset(),
        payload=b"<person/>",
        ground=other,
        subject=AZAMAT,
        effects=(a_comparison(subject=GULNARA), MeteredUse(ground=used)),
    )
    document, scan = an_evidence(), an_evidence(b"%PDF", "SCAN")
    registration = registration_of(a_consent(subject=GULNARA), document)
    accepted = acceptance_of(registration, ground=other, evidence=(scan, document))

    assert (release.ground, release.subject) == (used, GULNARA)
    assert isinstance(accepted, ConsentAcceptance)
    assert (accepted.ground, accepted.subject) == (registration.ground, GULNARA)
    assert accepted.evidence == (document, scan)


def test_without_effects_the_facts_are_named() -> None:
    """A refusal names the ground that was presented."""
    ground, piece = a_basis(), an_evidence()
    refusal = build_decision(Refusal, reasons=(FINAL,), ground=ground, evidence=(piece,))

    assert (refusal.ground, refusal.subject, refusal.evidence) == (ground, AZAMAT, (piece,))

"""A sandbox's world is registered whole, and each document has the one flaw of its name."""

from collections.abc import Iterator

import pytest

from makul.app.ports import OperatorRegistry
from makul.composition.adapters import document_verifier, trust_directories, tsa_directories
from makul.config.settings import load_settings
from makul.documents import XmlDocuments
from makul.domain.agreements import AgreementState
from makul.domain.disclosures import GroundKind, ProofStatus
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.trust.pki.trust_store import TrustStore
from makul.trust.timestamps import judge
from makul.trust.validation.documents import XadesVerifier
from makul_sandbox.data.citizens import ABSENT, LOCKED
from makul_sandbox.data.recipients import BANK, INSURER, OPERATOR, PARTIES, SECOND_BANK_AGREEMENT
from makul_sandbox.output.files import CONFIG
from makul_sandbox.world.documents import ASK_BY_CONSENT, SERVED
from makul_testing.sandbox_dir import PEOPLE, SandboxDirectory
from makul_testing.stores import store_of


@pytest.fixture
def registry(prepared: SandboxDirectory) -> Iterator[OperatorRegistry]:
    with store_of(prepared.directory / CONFIG) as store:
        yield store.registry


@pytest.fixture(scope="module")
def verifier(prepared: SandboxDirectory) -> XadesVerifier:
    """Return the service's own verifier with the sandbox's trust anchors."""
    settings = load_settings(prepared.directory / CONFIG)
    verifier = document_verifier(settings, TrustStore(trust_directories(settings)))
    assert isinstance(verifier, XadesVerifier)
    return verifier


def test_every_party_is_registered_with_its_terms(registry: OperatorRegistry) -> None:
    """Procedure, cl. 3 and 7: recipients and their terms are registered; the insurer is on hold."""
    recipients = {recipient.code: recipient for recipient in registry.recipients()}

    assert set(recipients) == {party.code for party in PARTIES}
    states = {found.number: found.state for found in registry.agreements()}
    assert states.pop(SECOND_BANK_AGREEMENT) is AgreementState.DRAFT
    assert states == {party.agreement: AgreementState.IN_FORCE for party in PARTIES}
    assert recipients[BANK.code].state is RecipientState.ACTIVE
    assert recipients[INSURER.code].state is RecipientState.ON_HOLD


def test_every_provision_is_open_to_its_party() -> None:
    """Procedure, cl. 5: the sandbox's agreements could be real ones."""
    for party in PARTIES:
        assert all(name.open_to(party.kind) for name in party.provisions)
        for covered in party.powers.values():
            assert covered < party.attributes


def test_all_citizens_but_one_are_registered(
    registry: OperatorRegistry, prepared: SandboxDirectory
) -> None:
    """One citizen has documents and no record, so that a request for an unknown person
    is possible.
    """
    world = prepared.world
    found = [
        registry.person_for_operator(person.pin, reason="test", at=world.made_at) is not None
        for person in world.people
    ]

    assert len(found) == PEOPLE
    assert [number for number, known in enumerate(found) if not known] == [ABSENT]


def test_a_locked_citizen_is_locked_in_the_register(
    registry: OperatorRegistry, prepared: SandboxDirectory
) -> None:
    """The citizen causes MAT-05."""
    world = prepared.world
    person = registry.person_for_operator(world.people[LOCKED].pin, reason="test", at=world.made_at)

    assert person is not None
    assert person.locked


def test_recipients_by_consent_have_consents(prepared: SandboxDirectory) -> None:
    """Several citizens have consents for each recipient: for data, and for yes or no."""
    for party in ASK_BY_CONSENT:
        for citizen in range(SERVED):
            for form in ("data", "yes-no"):
                assert f"{party.key}-{citizen:02d}-{form}" in prepared.world.documents


def test_each_documents_signature_agrees_with_its_name(
    prepared: SandboxDirectory, verifier: XadesVerifier
) -> None:
    """Only documents about a bad signature have one, by the service's verifier.

    SIG-08 (signed by another) is no flaw of the signature itself; it is judged with the content.
    """
    for document in prepared.world.documents.values():
        causes = {
            because
            for code, because in document.reasons
            if code in {Code.CNS_02, Code.LAW_09} and because is not Code.SIG_08
        }
        proof = verifier.verify(document.document, at=prepared.world.made_at).proof

        assert set(proof.reasons) == causes, document.name
        assert proof.status is (ProofStatus.FAILED if causes else ProofStatus.PASSED), document.name


def test_every_document_is_valid_by_the_published_schema(
    prepared: SandboxDirectory, verifier: XadesVerifier
) -> None:
    """A document is refused for the flaw of its name, never for its form."""
    documents = XmlDocuments(OPERATOR)
    for document in prepared.world.documents.values():
        signed = verifier.verify(document.document, at=prepared.world.made_at).signed
        if signed is None:
            continue
        if document.kind is GroundKind.CONSENT:
            assert documents.read_consent(signed).recipient
        else:
            assert documents.read_basis(signed).recipient


def test_signatures_can_be_timestamped(prepared: SandboxDirectory) -> None:
    """The sandbox's TSA is trusted by the sandbox's settings."""
    settings = load_settings(prepared.directory / CONFIG)
    where = tsa_directories(settings)
    assert where is not None
    at = prepared.world.made_at

    found = judge(
        prepared.world.stamping.stamp(b"a signature", at=at),
        b"a signature",
        TrustStore(where),
        at=at,
    )

    assert found.code is None, found.why

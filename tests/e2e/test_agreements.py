"""Agreements and notices through the whole service: real certificates and signatures (cl. 4, 7)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from makul.app.agreements import Agreements, NotSigned
from makul.app.notices import Notices, SignedApproval
from makul.app.ports import AgreementSignature, OperatorRegistryError
from makul.composition.adapters import build_agreements
from makul.domain.agreements import Agreement, AgreementRole, AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.reasons import Code
from makul.store.db.codecs import terms_to_text
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import AUTHORISED_BODY, BANK, NOTARY, OPERATOR
from makul_sandbox.world.build import Signing
from makul_sandbox.world.signers import NOTICE_TEXTS
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.raw_sql import parameters, raw

NUMBERS = count(1)
THREE = (AUTHORISED_BODY, OPERATOR, BANK.code)


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    """Build a separate service, because signatories change here."""
    built = build_installation(tmp_path_factory.mktemp("agreed"), database=record_database)
    yield built
    built.close()


@pytest.fixture
def agreements(installation: InProcessService) -> Agreements:
    return build_agreements(
        installation.settings, installation.store.registry, installation.parts.verifier
    )[0]


@pytest.fixture
def notices(installation: InProcessService) -> Notices:
    return build_agreements(
        installation.settings, installation.store.registry, installation.parts.verifier
    )[1]


@pytest.fixture
def terms(installation: InProcessService) -> Agreement:
    """Return terms with a number that no test has used."""
    number = AgreementNumber(f"TEST/{next(NUMBERS)}")
    return replace(BANK.agreed(installation.world.made_at), number=number)


def laid_before(installation: InProcessService, agreements: Agreements, terms: Agreement) -> bytes:
    """Return the document that the three must sign."""
    at = installation.clock()
    document = agreements.draw_up(terms, at=at)
    agreements.register_draft(terms, document, at=at)
    return document


def signed(installation: InProcessService, document: bytes, member: MemberCode) -> bytes:
    return installation.world.signatories[member].sign(document, at=installation.clock())


def submit(
    installation: InProcessService, agreements: Agreements, document: bytes
) -> AgreementState:
    """Do what `makul agreement submit --apply` does."""
    judged = agreements.judge(document, at=installation.clock())
    assert isinstance(judged, AgreementSignature), judged
    return agreements.record(judged, at=installation.clock())


def judge_refused(
    installation: InProcessService, agreements: Agreements, document: bytes
) -> NotSigned:
    judged = agreements.judge(document, at=installation.clock())
    assert isinstance(judged, NotSigned), judged
    return judged


def ask_for_codes(installation: InProcessService, number: AgreementNumber) -> list[str]:
    """Return the codes of a request under this agreement, on a consent under another."""
    sandbox_document = installation.document("bank-00-data")
    fields = about(
        installation.person_of(sandbox_document),
        of=BANK,
        document=sandbox_document,
        agreement=number,
    )
    return installation.ask(person_request(**fields)).codes


def another_hand(
    installation: InProcessService, member: MemberCode, role: AgreementRole
) -> Signing:
    """Return one more person of a member, with a certificate, without a registration."""
    name = f"T-{next(NUMBERS)}"
    credential = installation.world.hierarchy.official(
        member_code=member, name=name, identifier=name
    )
    return Signing(member=member, role=role, identifier=name, credential=credential)


def test_a_recipient_is_eligible_after_three_signatures(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """AGR-01 until the third has signed; then the agreement is no reason for a refusal."""
    document = laid_before(installation, agreements, terms)
    for member in THREE:
        assert "AGR-01" in ask_for_codes(installation, terms.number)
        state = submit(installation, agreements, signed(installation, document, member))

    assert state is AgreementState.IN_FORCE
    assert ask_for_codes(installation, terms.number) == ["CNS-15"]
    assert agreements.missing(terms.number) == frozenset()


def test_a_signature_under_other_terms_does_not_count(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """The content is compared word for word, for each change that a party could make."""
    document = laid_before(installation, agreements, terms)
    for old, new in (
        (b"<attribute>surname</attribute>", b"<attribute>faceImage</attribute>"),
        (b"<delivery>TYPED", b"<delivery>SEALED"),
        (b"<scoresOut>false", b"<scoresOut>true"),
        (b"<purpose>LOAN</purpose>", b""),
        (b"<number>", b"\n<number>"),
        (b' Id="agreement"', b' Id="other"'),
    ):
        assert old in document
        found = judge_refused(
            installation, agreements, signed(installation, document.replace(old, new), BANK.code)
        )
        assert "newest draft" in found.why


def test_a_changed_word_after_signing_breaks_the_signature(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """SIG-02 for a changed word."""
    signed_agreement = signed(installation, laid_before(installation, agreements, terms), BANK.code)

    found = judge_refused(
        installation, agreements, signed_agreement.replace(b"<scoresOut>false", b"<scoresOut>true")
    )

    assert found.codes == (Code.SIG_02,)


def test_an_unsigned_document_proves_nothing(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """SIG-01; a signed document that is no agreement is refused too."""
    document = laid_before(installation, agreements, terms)

    assert judge_refused(installation, agreements, document).codes == (Code.SIG_01,)
    assert judge_refused(installation, agreements, b"agreed").codes != ()
    consent = installation.document("bank-00-data").document
    assert judge_refused(installation, agreements, consent).why == "it is not an agreement"


def test_another_number_is_another_agreement(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """A signature under one number affects no other, known or unknown."""
    document = laid_before(installation, agreements, terms)
    laid_before(installation, agreements, replace(terms, number=AgreementNumber("TEST/TWIN")))
    number = terms.number.encode()

    twin = judge_refused(
        installation,
        agreements,
        signed(installation, document.replace(number, b"TEST/TWIN"), BANK.code),
    )
    unknown = judge_refused(
        installation,
        agreements,
        signed(installation, document.replace(number, b"TEST/NONE"), BANK.code),
    )

    assert "newest draft" in twin.why
    assert "no draft" in unknown.why


def test_signatures_under_earlier_terms_do_not_count(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """If the terms change and change back, the words are equal, but the document is another."""
    first = laid_before(installation, agreements, terms)
    signed_agreements = [signed(installation, first, member) for member in THREE]
    for signed_agreement in signed_agreements:
        submit(installation, agreements, signed_agreement)
    laid_before(installation, agreements, replace(terms, daily_quota=1))
    again = laid_before(installation, agreements, terms)

    assert again != first
    assert "AGR-01" in ask_for_codes(installation, terms.number)
    for signed_agreement in signed_agreements:
        assert "newest draft" in judge_refused(installation, agreements, signed_agreement).why


def test_a_repeated_signature_counts_once(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """Three signatures of one signatory count as one too."""
    document = laid_before(installation, agreements, terms)
    signed_agreement = signed(installation, document, BANK.code)
    assert submit(installation, agreements, signed_agreement) is AgreementState.DRAFT

    for more in (signed_agreement, signed_agreement, signed(installation, document, BANK.code)):
        with pytest.raises(OperatorRegistryError, match="already"):
            submit(installation, agreements, more)
    assert "AGR-01" in ask_for_codes(installation, terms.number)


def test_strangers_and_other_parties_do_not_sign(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """SIG-08: a trusted certificate of an official, a citizen or another bank is not enough."""
    document = laid_before(installation, agreements, terms)
    at, world = installation.clock(), installation.world
    stranger = another_hand(installation, BANK.code, AgreementRole.RECIPIENT)
    holders: list[Credential] = [world.officials["bank"], world.citizens[0]]

    signed_agreements = [stranger.sign(document, at=at)]
    signed_agreements += [
        replace(stranger, credential=holder).sign(document, at=at) for holder in holders
    ]
    for signed_agreement in signed_agreements:
        assert judge_refused(installation, agreements, signed_agreement).codes == (Code.SIG_08,)
    machine = replace(stranger, credential=world.messages["bank"])
    assert judge_refused(installation, agreements, machine.sign(document, at=at)).codes == (
        Code.SIG_10,
    )
    found = judge_refused(installation, agreements, signed(installation, document, NOTARY.code))
    assert (found.codes, "another party" in found.why) == ((Code.SIG_08,), True)


def test_a_withdrawn_signatory_signs_no_more(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """Neither later signatures count, nor one that waited for the others."""
    document, registry, at = (
        laid_before(installation, agreements, terms),
        installation.store.registry,
        installation.clock(),
    )
    hand = another_hand(installation, BANK.code, AgreementRole.RECIPIENT)
    registry.add_signatory(hand.registered, at=at)
    submit(installation, agreements, hand.sign(document, at=at))
    registry.withdraw_signatory(BANK.code, hand.credential.fingerprint, reason="left", at=at)

    assert judge_refused(installation, agreements, hand.sign(document, at=at)).codes == (
        Code.SIG_08,
    )
    for member in (AUTHORISED_BODY, OPERATOR):
        state = submit(installation, agreements, signed(installation, document, member))
        assert state is AgreementState.DRAFT
    assert agreements.missing(terms.number) == {AgreementRole.RECIPIENT}
    signed_agreement = signed(installation, document, BANK.code)
    assert submit(installation, agreements, signed_agreement) is AgreementState.IN_FORCE


def test_a_certificate_out_of_term_signs_nothing(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """SIG-05: the certificate is judged when the document is submitted."""
    signed_agreement = signed(installation, laid_before(installation, agreements, terms), BANK.code)
    certificate = installation.world.signatories[BANK.code].credential.certificate

    judged = agreements.judge(
        signed_agreement, at=certificate.not_valid_after_utc + timedelta(seconds=1)
    )

    assert isinstance(judged, NotSigned)
    assert judged.codes == (Code.SIG_05,)


def test_an_imitated_authority_makes_no_signatory(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """SIG-09: the names are equal and the keys differ, even if it were registered."""
    document, at = laid_before(installation, agreements, terms), installation.clock()
    false = installation.world.look_alike.official(member_code=OPERATOR, name="x", identifier="x")
    hand = Signing(member=OPERATOR, role=AgreementRole.OPERATOR, identifier="x", credential=false)
    installation.store.registry.add_signatory(hand.registered, at=at)

    assert judge_refused(installation, agreements, hand.sign(document, at=at)).codes == (
        Code.SIG_09,
    )


def test_two_certificates_of_one_key_are_one_signatory(installation: InProcessService) -> None:
    """The bank's director under the operator's name cannot be the operator as well."""
    director = installation.world.signatories[BANK.code]
    key = director.credential.certificate.public_key()
    other = another_hand(installation, OPERATOR, AgreementRole.OPERATOR).registered

    assert key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(OperatorRegistryError, match="key"):
        installation.store.registry.add_signatory(
            replace(other, key_digest=director.registered.key_digest), at=installation.clock()
        )


def test_an_agreement_whose_term_is_over_is_not_signed(
    installation: InProcessService, agreements: Agreements, terms: Agreement
) -> None:
    """A good signature does not help."""
    over: datetime = installation.clock() + timedelta(milliseconds=1)
    signed_agreement = signed(
        installation,
        laid_before(installation, agreements, replace(terms, valid_to=over)),
        BANK.code,
    )

    with pytest.raises(OperatorRegistryError, match="term is over"):
        submit(installation, agreements, signed_agreement)


def test_signed_documents_are_stored(installation: InProcessService) -> None:
    """docs/architecture.md, invariant 12: the exact bytes and their report are stored for later."""
    signatures = installation.store.registry.agreement_signatures(BANK.agreement)

    assert [one.role for one in signatures] == list(AgreementRole)
    assert {one.member for one in signatures} == set(THREE)


# --- notices --------------------------------------------------------------------------------


def added(installation: InProcessService, notices: Notices) -> tuple[str, bytes]:
    """Return an unapproved notice, and its approval, unsigned."""
    ref = f"NOTICE/{next(NUMBERS)}"
    texts = {name: f"{ref} {text}".encode() for name, text in NOTICE_TEXTS.items()}
    installation.store.registry.add_notice(ref, texts, at=installation.clock())
    return ref, notices.approval(ref)


def known(installation: InProcessService, notices: Notices, ref: str) -> bool:
    notice = notices.find(ref)
    assert notice is not None
    return all(
        installation.store.register.notice_approved(ref, digest, language)
        for language, digest in notice.digests.items()
    )


def test_a_notice_counts_after_the_authorised_body_has_signed(
    installation: InProcessService, notices: Notices
) -> None:
    """CNS-10 until then; afterwards it counts in each of the three languages."""
    ref, approval = added(installation, notices)
    assert not known(installation, notices, ref)

    judged = notices.judge(signed(installation, approval, AUTHORISED_BODY), at=installation.clock())
    assert isinstance(judged, SignedApproval)
    notices.record(judged, at=installation.clock())

    assert known(installation, notices, ref)
    with pytest.raises(OperatorRegistryError, match="already"):
        notices.record(judged, at=installation.clock())


def test_nobody_else_approves_a_notice(installation: InProcessService, notices: Notices) -> None:
    """The operator or the bank cannot approve, and other texts than the registered are refused."""
    ref, approval = added(installation, notices)
    other_ref, _ = added(installation, notices)
    documents = {
        "the operator": signed(installation, approval, OPERATOR),
        "the bank": signed(installation, approval, BANK.code),
        "nobody": approval,
        "another body": signed(
            installation, approval.replace(AUTHORISED_BODY.encode(), b"GOV/1"), AUTHORISED_BODY
        ),
        "other texts": signed(
            installation, approval.replace(ref.encode(), other_ref.encode()), AUTHORISED_BODY
        ),
        "a consent": installation.document("bank-00-data").document,
    }

    for who, document in documents.items():
        assert isinstance(notices.judge(document, at=installation.clock()), NotSigned), who
    assert not known(installation, notices, ref)


def test_an_approval_is_checked_again_when_it_is_recorded(
    installation: InProcessService, notices: Notices
) -> None:
    """A signatory may be withdrawn, or texts may change, between judgement and record."""
    _, approval = added(installation, notices)
    at = installation.clock()
    hand = another_hand(installation, AUTHORISED_BODY, AgreementRole.AUTHORISED_BODY)
    installation.store.registry.add_signatory(hand.registered, at=at)
    judged = notices.judge(hand.sign(approval, at=at), at=at)
    assert isinstance(judged, SignedApproval)
    others = replace(judged.approval, digests={**judged.approval.digests, "ky": bytes(32)})

    with pytest.raises(OperatorRegistryError, match="other texts"):
        notices.record(replace(judged, approval=others), at=at)
    installation.store.registry.withdraw_signatory(
        AUTHORISED_BODY, hand.credential.fingerprint, reason="left", at=at
    )
    with pytest.raises(OperatorRegistryError, match="not a signatory"):
        notices.record(judged, at=at)


def test_a_public_body_or_notary_needs_a_stated_competence(
    installation: InProcessService, agreements: Agreements
) -> None:
    """Cl. 3: no draft without the act of law, and nothing under older terms without it (AGR-07)."""
    at = installation.clock()
    terms = replace(NOTARY.agreed(at), number=AgreementNumber(f"TEST/{next(NUMBERS)}"))
    older = replace(terms, competences={})
    with pytest.raises(OperatorRegistryError, match="NOTARIAL_ACT"):
        agreements.draw_up(older, at=at)

    document = agreements.draw_up(terms, at=at)
    agreements.register_draft(older, document, at=at)  # as an earlier release stored it
    with pytest.raises(OperatorRegistryError, match="competence"):
        submit(installation, agreements, signed(installation, document, OPERATOR))
    document = laid_before(installation, agreements, terms)
    for member in (AUTHORISED_BODY, OPERATOR, NOTARY.code):
        state = submit(installation, agreements, signed(installation, document, member))
    place = installation.settings.place
    with raw(place) as connection:  # as an earlier release concluded it
        connection.execute(
            parameters(place, "UPDATE agreement SET terms = ? WHERE number = ?"),
            (terms_to_text(older), terms.number),
        )
    ready = installation.document("notary-00-data")
    fields = about(installation.person_of(ready), of=NOTARY, document=ready, agreement=terms.number)

    assert state is AgreementState.IN_FORCE
    assert "AGR-07" in installation.ask(person_request(**fields), by="notary").codes

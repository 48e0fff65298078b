"""The authorised body signs agreements and notices itself, through the whole service (cl. 4, 7)."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from uuid import UUID, uuid4

import pytest

from makul.app.agreements import Agreements
from makul.app.ports import AgreementSignature
from makul.composition.adapters import build_agreements
from makul.domain.agreements import AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul_sandbox.data.recipients import AUTHORISED_BODY, BANK, OPERATOR
from makul_sandbox.world.signers import NOTICE_TEXTS
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    build_installation,
)
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence

OVERSIGHT = "urn:makul:oversight:1"
O = f"{{{OVERSIGHT}}}"  # noqa: E741 - as in schemas
NUMBERS = count(1)


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    """A service whose ledger must agree with its rows after all acts."""
    built = build_installation(tmp_path_factory.mktemp("body"), database=record_database)
    yield built
    signer = a_note_signer(tmp_path_factory.mktemp("log"))
    sequence(built.store, signer, at=built.clock())
    assert check_ledger(built.store, signer, at=built.clock()).finding is None
    built.close()


@pytest.fixture
def agreements(installation: InProcessService) -> Agreements:
    return build_agreements(
        installation.settings, installation.store.registry, installation.parts.verifier
    )[0]


@pytest.fixture
def number(installation: InProcessService, agreements: Agreements) -> AgreementNumber:
    """Return the number of a draft that the operator and the bank have signed."""
    new = AgreementNumber(f"BODY/{next(NUMBERS)}")
    lay_before(installation, agreements, new)
    return new


def lay_before(
    installation: InProcessService, agreements: Agreements, number: AgreementNumber
) -> None:
    at = installation.clock()
    terms = replace(BANK.agreed(installation.world.made_at), number=number)
    document = agreements.draw_up(terms, at=at)
    agreements.register_draft(terms, document, at=at)
    for member in (OPERATOR, BANK.code):
        judged = agreements.judge(signed(installation, document, member), at=at)
        assert isinstance(judged, AgreementSignature)
        agreements.record(judged, at=at)


def signed(installation: InProcessService, document: bytes, member: MemberCode) -> bytes:
    return installation.world.signatories[member].sign(document, at=installation.clock())


def oversee(
    installation: InProcessService,
    operation: str,
    content: str = "",
    *,
    by: str = "inspector",
    request_id: UUID | None = None,
) -> ServiceAnswer:
    child = (
        f'<{operation} xmlns="{OVERSIGHT}"><requestId>{request_id or uuid4()}</requestId>'
        f"{content}</{operation}>"
    )
    return installation.oversee(child.encode(), by=by)


def of(number: AgreementNumber) -> str:
    return f"<agreementNumber>{number}</agreementNumber>"


def draft_of(installation: InProcessService, number: AgreementNumber) -> bytes:
    """Return the exact bytes that the service gives to the body."""
    answer = oversee(installation, "GetAgreementDraft", of(number))
    return b64decode(answer.child.findtext(f"{O}draft/{O}document") or "")


def sign(
    installation: InProcessService,
    number: AgreementNumber,
    document: bytes,
    *,
    by: str = "inspector",
    request_id: UUID | None = None,
) -> ServiceAnswer:
    content = f"{of(number)}<document>{b64encode(document).decode()}</document>"
    return oversee(installation, "SignAgreement", content, by=by, request_id=request_id)


def state_of(installation: InProcessService, number: AgreementNumber) -> AgreementState:
    (terms,) = (each for each in installation.store.registry.agreements() if each.number == number)
    return terms.state


def test_the_third_signature_comes_from_the_body(
    installation: InProcessService, number: AgreementNumber
) -> None:
    """It reads the draft, signs it and sends it; the retry is equal; the draft is then gone."""
    listed = oversee(installation, "GetAgreementDraft")
    assert number in {each.text for each in listed.child.iter(f"{O}agreementNumber")}
    assert not list(listed.child.iter(f"{O}document"))
    document = signed(installation, draft_of(installation, number), AUTHORISED_BODY)
    request_id = uuid4()

    first = sign(installation, number, document, request_id=request_id)
    again = sign(installation, number, document, request_id=request_id)

    assert (first.outcome, first.child.findtext(f"{O}agreementState")) == ("DONE", "IN_FORCE")
    assert again.child.findtext(f"{O}receipt") == first.child.findtext(f"{O}receipt")
    assert state_of(installation, number) is AgreementState.IN_FORCE
    assert sign(installation, number, document).codes == ["OVR-02"]
    assert oversee(installation, "GetAgreementDraft", of(number)).codes == ["OVR-02"]


def test_only_the_exact_draft_counts(
    installation: InProcessService, agreements: Agreements, number: AgreementNumber
) -> None:
    """One changed word, another number, another party's signature, and no signature: OVR-03."""
    draft = draft_of(installation, number)
    changed = draft.replace(b"<scoresOut>false", b"<scoresOut>true")
    other = AgreementNumber(f"BODY/{next(NUMBERS)}")
    lay_before(installation, agreements, other)
    for document in (
        signed(installation, changed, AUTHORISED_BODY),
        signed(installation, draft_of(installation, other), AUTHORISED_BODY),
        signed(installation, draft, BANK.code),
        signed(installation, draft, OPERATOR),
        signed(installation, draft, AUTHORISED_BODY).replace(b"LOAN", b"LOAM"),
        draft,
        b"agreed",
    ):
        refused = sign(installation, number, document)
        assert (refused.outcome, set(refused.codes)) == ("REFUSED", {"OVR-03"})

    lay_before(installation, agreements, number)  # a new draft under the same number
    stale = sign(installation, number, signed(installation, draft, AUTHORISED_BODY))
    assert stale.codes == ["OVR-03"]
    assert state_of(installation, number) is AgreementState.DRAFT


def test_no_signature_under_what_is_over(
    installation: InProcessService, number: AgreementNumber
) -> None:
    """A terminated agreement is OVR-02, an unknown one OVR-06, an officer without a role OVR-01."""
    document = signed(installation, draft_of(installation, number), AUTHORISED_BODY)
    assert sign(installation, number, document, by="protection").codes == ["OVR-01"]
    installation.store.registry.terminate_agreement(
        number, reason="for a test", at=installation.clock()
    )

    assert sign(installation, number, document).codes == ["OVR-02"]
    assert sign(installation, AgreementNumber("NONE"), document).codes == ["OVR-03"]
    assert oversee(installation, "GetAgreementDraft", of(AgreementNumber("NONE"))).codes == [
        "OVR-06"
    ]


def test_the_body_approves_a_notice(installation: InProcessService) -> None:
    """It reads three texts and signs their digests; only the exact approval counts, once."""
    registry = installation.store.registry
    written = {language: text.encode() for language, text in NOTICE_TEXTS.items()}
    registry.add_notice("BODY-1", written, at=installation.clock())
    registry.add_notice("BODY-2", written, at=installation.clock())
    read = oversee(installation, "GetNotice", "<ref>BODY-1</ref>")
    texts = {
        each.findtext(f"{O}language"): b64decode(each.findtext(f"{O}content") or "")
        for each in read.child.iter(f"{O}text")
    }
    approval = b64decode(read.child.findtext(f"{O}notice/{O}approval") or "")

    def approve(document: bytes, ref: str = "BODY-1") -> ServiceAnswer:
        content = f"<ref>{ref}</ref><approval>{b64encode(document).decode()}</approval>"
        return oversee(installation, "ApproveNotice", content, by="head")

    assert texts == written
    good = signed(installation, approval, AUTHORISED_BODY)
    assert approve(signed(installation, approval, BANK.code)).codes == ["OVR-03"]
    assert approve(good, "BODY-2").codes == ["OVR-03"]
    assert approve(approval).codes == ["OVR-03"]
    assert approve(good).outcome == "DONE"
    assert approve(good).codes == ["OVR-02"]
    approved = {each.ref: each.approved_at is not None for each in registry.notices()}
    assert (approved["BODY-1"], approved["BODY-2"]) == (True, False)
    assert "BODY-2" in {
        each.text for each in oversee(installation, "GetNotice").child.iter(f"{O}ref")
    }

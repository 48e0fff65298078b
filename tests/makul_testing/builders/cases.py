"""A bank with a consent and a body with a basis: cases that every rule permits.

Tests change one thing in one of these. Nobody here exists.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from makul.domain.agreements import Agreement, AgreementState, Channel
from makul.domain.attributes import Attribute
from makul.domain.consents import Consent, PaperConsent, Representation, ResultForm
from makul.domain.decision import Conclusion, Decision, conclude, decide
from makul.domain.disclosures import (
    BasisGround,
    ConsentGround,
    DisclosureRequest,
    DocumentSigner,
    Ground,
    Operation,
    Proof,
    ProofStatus,
)
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.legal_bases import AuthorisingAct, BasisStatement, Provision
from makul.domain.matches import MatchMethod, MatchResult, MatchVerdict, MethodVerdict
from makul.domain.persons import LocalizedName, Person
from makul.domain.reasons import Code
from makul.domain.recipients import Recipient, RecipientKind, RecipientState

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)

OPERATOR = MemberCode("GOV/70000001")
BANK_CODE = MemberCode("COM/60000001")
BODY_CODE = MemberCode("GOV/70000002")
STRANGER_CODE = MemberCode("COM/69999999")

SUBJECT = Pin("21501199000017")
SOMEONE_ELSE = Pin("11501199000025")

ACCOUNT_OPENING = PurposeCode("ACCOUNT_OPENING")
MARKETING = PurposeCode("MARKETING")
REGISTER_UPKEEP = PurposeCode("REGISTER_UPKEEP")

DEMOGRAPHIC = MatchMethod.DEMOGRAPHIC
NAME_AND_BIRTH = frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.BIRTH_DATE})

BANK = Recipient(
    code=BANK_CODE, kind=RecipientKind.BANK, name="Сыноо банкы", state=RecipientState.ACTIVE
)
BODY = Recipient(
    code=BODY_CODE, kind=RecipientKind.STATE_BODY, name="Сыноо органы", state=RecipientState.ACTIVE
)

BANK_AGREEMENT = Agreement(
    number=AgreementNumber("TEST-1"),
    recipient=BANK_CODE,
    state=AgreementState.IN_FORCE,
    valid_from=AT - 30 * DAY,
    valid_to=AT + 30 * DAY,
    purposes=frozenset({ACCOUNT_OPENING}),
    attributes=NAME_AND_BIRTH | {Attribute.ADDRESS},
    methods=frozenset({DEMOGRAPHIC}),
    channels=frozenset({Channel.WSSE}),
)
BODY_AGREEMENT = replace(
    BANK_AGREEMENT,
    number=AgreementNumber("TEST-2"),
    recipient=BODY_CODE,
    purposes=frozenset({REGISTER_UPKEEP}),
    provisions=frozenset(Provision),
    powers={REGISTER_UPKEEP: NAME_AND_BIRTH},
    competences={REGISTER_UPKEEP: "Сыноо мыйзамы, 2-берене"},
)

PARENT = Representation(
    pin=Pin("11501198500025"),
    kind="PARENT",
    valid_to=None,
    document_digest=bytes(32),
    media_type="image/png",
)
TAKEN = PaperConsent(
    date=AT.date(), official="official-1", media_type="application/pdf", scan_digest=bytes(32)
)

CONSENT = Consent(
    consent_id=UUID(int=1),
    subject=SUBJECT,
    controller=OPERATOR,
    recipient=BANK_CODE,
    agreement_number=BANK_AGREEMENT.number,
    notice_ref="TEST-NOTICE",
    notice_digest=bytes(32),
    language="ky",
    purpose=ACCOUNT_OPENING,
    attributes=frozenset(NAME_AND_BIRTH),
    methods=frozenset({DEMOGRAPHIC}),
    result_form=ResultForm.DATA,
    given_at=AT - DAY,
    valid_from=AT - DAY,
    valid_to=AT + DAY,
    max_disclosures=1,
)
STATEMENT = BasisStatement(
    statement_id=UUID(int=2),
    recipient=BODY_CODE,
    agreement_number=BODY_AGREEMENT.number,
    provision=Provision.OFFICIAL_REQUEST.value,
    citation="Сыноо мыйзамы, 1-берене",
    act=AuthorisingAct(issuer="Сыноо органы", number="1", issued_on=date(2026, 11, 1)),
    case_number="TEST-CASE-1",
    official="official-1",
    subject=SUBJECT,
    purpose=REGISTER_UPKEEP,
    attributes=frozenset(NAME_AND_BIRTH),
    result_form=ResultForm.DATA,
    justification="Сыноо",
    issued_at=AT - DAY,
    valid_to=AT + DAY,
    max_disclosures=1,
)

SIGNED_BY_SUBJECT = Proof(
    status=ProofStatus.PASSED, signer=DocumentSigner(fingerprint=bytes(32), pin=SUBJECT)
)
SIGNED_BY_OFFICIAL = Proof(
    status=ProofStatus.PASSED,
    signer=DocumentSigner(fingerprint=bytes(32), pin=None, official="official-1"),
)
REVOCATION_UNKNOWN = Proof(
    status=ProofStatus.INDETERMINATE,
    reasons=(Code.SIG_07,),
    signer=SIGNED_BY_SUBJECT.signer,
)
FORGED = Proof(status=ProofStatus.FAILED, reasons=(Code.SIG_02,))

CONSENT_GROUND = ConsentGround(
    proof=SIGNED_BY_SUBJECT, consent=CONSENT, digest=bytes(32), notice_approved=True
)
BASIS_GROUND = BasisGround(proof=SIGNED_BY_OFFICIAL, statement=STATEMENT, digest=bytes(32))

PERSON = Person(
    pin=SUBJECT,
    values={
        Attribute.PIN: SUBJECT.digits,
        Attribute.SURNAME: LocalizedName(ky="Үлгүлүев", ru="Образцов", latin="Ulguluev"),
        Attribute.GIVEN_NAME: LocalizedName(ky="Сынак", latin="Synak"),
        Attribute.BIRTH_DATE: date(1990, 1, 15),
        Attribute.ADDRESS: "Сыноо көчөсү, 1",
    },
)


def finding(result: MatchResult, method: MatchMethod = DEMOGRAPHIC) -> MethodVerdict:
    """Return the finding of one method."""
    return MethodVerdict(method=method, result=result, algorithm="test", version="1")


def found(*results: MatchResult) -> MatchVerdict:
    """Return a comparison with these findings of the demographic method."""
    return MatchVerdict(tuple(finding(result) for result in results))


MATCH = found(MatchResult.MATCH)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything on which a decision rests, and the comparison after it."""

    request: DisclosureRequest
    recipient: Recipient | None
    agreement: Agreement | None
    ground: Ground
    at: datetime = AT
    operator: MemberCode = OPERATOR
    match: MatchVerdict | None = MATCH
    person: Person | None = PERSON

    def but(self, **changes: Any) -> Self:
        """Return the same case with other parts."""
        return replace(self, **changes)

    def asking(self, **changes: Any) -> Self:
        """Return the same case with another request."""
        return self.but(request=replace(self.request, **changes))

    def under(self, **changes: Any) -> Self:
        """Return the same case with other terms of the agreement."""
        assert self.agreement is not None
        return self.but(agreement=replace(self.agreement, **changes))

    def by(self, **changes: Any) -> Self:
        """Return the same case with another registration of the recipient."""
        assert self.recipient is not None
        return self.but(recipient=replace(self.recipient, **changes))

    def on(self, **changes: Any) -> Self:
        """Return the same case with another ground: its proof, its use."""
        assert self.ground is not None
        return self.but(ground=replace(self.ground, **changes))

    def saying(self, **changes: Any) -> Self:
        """Return the same case with another content of the consent or basis statement."""
        match self.ground:
            case ConsentGround(consent=Consent() as consent):
                return self.on(consent=replace(consent, **changes))
            case BasisGround(statement=BasisStatement() as statement):
                return self.on(statement=replace(statement, **changes))
        raise AssertionError("there is no document to change")

    def decide(self) -> Decision:
        """Return the decision on it."""
        return decide(
            self.request,
            self.recipient,
            self.agreement,
            self.ground,
            operator=self.operator,
            at=self.at,
        )

    def conclude(self) -> Conclusion:
        """Return the conclusion after the comparison."""
        return conclude(self.decide(), self.match, self.person)

    def against(self) -> frozenset[tuple[str, str | None]]:
        """Return every code against it, with the field."""
        return frozenset((reason.code.value, reason.field) for reason in self.decide().reasons)

    def codes(self) -> frozenset[str]:
        """Return every code against it."""
        return frozenset(code for code, _ in self.against())


BY_CONSENT = Case(
    request=DisclosureRequest(
        request_id=UUID(int=3),
        operation=Operation.GET_PERSON_DATA,
        recipient=BANK_CODE,
        channel=Channel.WSSE,
        agreement_number=BANK_AGREEMENT.number,
        purpose=ACCOUNT_OPENING,
        subject=SUBJECT,
        methods=frozenset({DEMOGRAPHIC}),
        attributes=frozenset(NAME_AND_BIRTH),
    ),
    recipient=BANK,
    agreement=BANK_AGREEMENT,
    ground=CONSENT_GROUND,
)
"""A bank, the subject's own consent, a match: all requested data are released."""

BY_LAW = Case(
    request=replace(
        BY_CONSENT.request,
        recipient=BODY_CODE,
        agreement_number=BODY_AGREEMENT.number,
        purpose=REGISTER_UPKEEP,
    ),
    recipient=BODY,
    agreement=BODY_AGREEMENT,
    ground=BASIS_GROUND,
)
"""A body of state power, its official request (cl. 5.3), a match: all is released."""

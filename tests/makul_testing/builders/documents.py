"""Synthetic documents and answers, and their validation by the published schemas."""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from uuid import UUID

import makul_schemas
from hypothesis import strategies as st
from lxml import etree

from makul.app.ports import Answer, ConsentStatus, Receipt
from makul.documents import BasisDisplay, ConsentDisplay
from makul.domain.attributes import Attribute
from makul.domain.consents import Consent, ResultForm
from makul.domain.disclosures import GroundKind, GroundRef, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.legal_bases import AuthorisingAct, BasisStatement

OPERATOR = MemberCode("GOV/00000001")
BANK = MemberCode("COM/00000001")
COURT = MemberCode("GOV/00000002")
AGREEMENT = AgreementNumber("TEST-2026/001")
PURPOSE = PurposeCode("ACCOUNT_OPENING")
SUBJECT = Pin("10101199000001")
AT = datetime(2026, 11, 2, 4, 15, 0, 123000, tzinfo=UTC)
BISHKEK = timezone(timedelta(hours=6))
REQUEST_ID = UUID("7d9a3c1e-0000-4000-8000-000000000003")
DISCLOSURE_ID = UUID("7d9a3c1e-0000-4000-8000-0000000000d1")

INSTANTS = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=36_000)).map(
    lambda since: (datetime(2001, 1, 1, tzinfo=UTC) + since).astimezone(BISHKEK)
)
"""Instants of this century, in local time."""

CONSENT = Consent(
    consent_id=UUID("7d9a3c1e-0000-4000-8000-0000000000c1"),
    subject=SUBJECT,
    controller=OPERATOR,
    recipient=BANK,
    agreement_number=AGREEMENT,
    notice_ref="TEST-NOTICE-1",
    notice_digest=bytes(range(32)),
    language="ky",
    purpose=PURPOSE,
    attributes=frozenset({"surname", "givenName"}),
    methods=frozenset({"demographic"}),
    result_form=ResultForm.DATA,
    given_at=AT,
    valid_from=AT,
    valid_to=AT + timedelta(days=365),
    max_disclosures=1,
)

CONSENT_DISPLAY = ConsentDisplay(
    surname="Үлгүлөва",
    given_name="Айгүл",
    patronymic="Мисалбековна",
    controller_name="Сыноо оператору",
    recipient_name="«Сыноо & банк» ААК",
    purpose_text="Банк эсебин ачуу",
    withdrawal="Мамлекеттик порталда кайтарып алууга болот.",
)

BASIS = BasisStatement(
    statement_id=UUID("7d9a3c1e-0000-4000-8000-0000000000b1"),
    recipient=COURT,
    agreement_number=AGREEMENT,
    provision="JUDICIAL",
    citation="Сыноо кодекси, 1-берене",
    act=AuthorisingAct(
        issuer="Сыноо соту", number="TEST-1/2026", issued_on=date(2026, 10, 30), digest=bytes(32)
    ),
    case_number="TEST-CASE-1",
    official="test-official-1",
    subject=SUBJECT,
    purpose=PurposeCode("CASE_REVIEW"),
    attributes=frozenset({"address"}),
    result_form=ResultForm.DATA,
    justification="Тараптын жашаган жерин аныктоо үчүн.",
    issued_at=AT,
    valid_to=AT + timedelta(days=30),
    max_disclosures=1,
    hidden_until=AT + timedelta(days=60),
)

BASIS_DISPLAY = BasisDisplay(
    recipient_name="Сыноо соту",
    official_name="Мисалов Үлгү, судья",
    purpose_text="Ишти кароо",
)

RECEIPT = Receipt(
    receipt_id=DISCLOSURE_ID,
    request_id=REQUEST_ID,
    request_digest=bytes(range(32)),
    operation=Operation.GET_PERSON_DATA,
    recipient=BANK,
    agreement_number=AGREEMENT,
    outcome=Outcome.RELEASED,
    reasons=(),
    released=frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME}),
    payload_digest=bytes(32),
    answer_digest=bytes(32),
    ground=GroundRef(
        kind=GroundKind.CONSENT,
        id=CONSENT.consent_id,
        digest=bytes(32),
        max_disclosures=1,
        valid_from=CONSENT.valid_from,
        valid_to=CONSENT.valid_to,
    ),
    decided_at=AT,
    leaf_hash=bytes(32),
    operator=OPERATOR,
)

ANSWER = Answer(
    operation=Operation.VERIFY_PERSON,
    request_id=REQUEST_ID,
    outcome=Outcome.MATCHED,
    reasons=(),
    disclosure_id=DISCLOSURE_ID,
    decided_at=AT,
)

CONSENT_STATUS = ConsentStatus(
    consent_id=CONSENT.consent_id,
    digest=bytes(32),
    subject=SUBJECT,
    valid_from=CONSENT.valid_from,
    valid_to=CONSENT.valid_to,
    allowed=3,
    used=1,
    revoked=False,
)


@cache
def schema(name: str) -> etree.XMLSchema:
    """Return one of the published schemas."""
    return etree.XMLSchema(etree.parse(makul_schemas.location() / f"{name}.xsd"))


def valid(document: bytes, name: str) -> "etree._Element":
    """Return the document's root, which must satisfy the schema."""
    root = etree.fromstring(document)
    schema(name).assertValid(root)
    return root


def canonical(element: "etree._Element") -> bytes:
    """Return the exclusive canonical form without comments, by lxml."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def local_names(element: "etree._Element") -> list[str]:
    """Return the children's names without namespace, in order."""
    return [etree.QName(child).localname for child in element]

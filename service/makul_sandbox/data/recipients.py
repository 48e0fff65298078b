"""The recipients of a sandbox: one of each kind that the Procedure treats differently.

None of them exists. Their codes are from ranges that only the sandbox uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from makul.domain.agreements import Agreement, AgreementState, Channel, Delivery
from makul.domain.attributes import BIOMETRIC, NAMES, Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.domain.recipients import Recipient, RecipientKind, RecipientState

OPERATOR = MemberCode("GOV/70000001")
OPERATOR_NAME = "Оператор (sandbox)"

PROTECTION_BODY = MemberCode("GOV/70000010")

AUTHORISED_BODY = MemberCode("GOV/70000009")
AUTHORISED_BODY_NAME = "Калкты каттоо органы (sandbox)"

PORTAL = MemberCode("GOV/70000011")
PORTAL_AUDIENCE = "citizens-portal"
"""The portal's name at the identity provider."""

XROAD_INSTANCE = "KG-SANDBOX"
SERVICE_SUBSYSTEM = "makul"

AGREED_FOR = timedelta(days=366)
AGREED_SINCE = timedelta(days=90)

_ABOUT_PERSON = NAMES | {
    Attribute.PIN,
    Attribute.SEX,
    Attribute.BIRTH_DATE,
    Attribute.BIRTH_PLACE,
    Attribute.CITIZENSHIP,
    Attribute.ADDRESS,
    Attribute.PERSON_STATE,
}
_ABOUT_DOCUMENT = frozenset(
    {
        Attribute.DOCUMENT_TYPE,
        Attribute.DOCUMENT_NUMBER,
        Attribute.DOCUMENT_ISSUER,
        Attribute.DOCUMENT_ISSUED,
        Attribute.DOCUMENT_EXPIRES,
        Attribute.DOCUMENT_STATE,
    }
)
_EVERYDAY = NAMES | {
    Attribute.PIN,
    Attribute.BIRTH_DATE,
    Attribute.ADDRESS,
    Attribute.DOCUMENT_NUMBER,
    Attribute.DOCUMENT_STATE,
}
_EVERY_CHANNEL = frozenset(Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An official who signs for a party."""

    identifier: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A recipient, its agreement and its official."""

    key: str
    """The name of the party in the sandbox, such as `bank`."""
    code: MemberCode
    kind: RecipientKind
    name: str
    agreement: AgreementNumber
    purpose: PurposeCode
    purpose_text: str
    attributes: frozenset[Attribute]
    other_purposes: frozenset[PurposeCode] = frozenset()
    channels: frozenset[Channel] = _EVERY_CHANNEL
    provisions: frozenset[Provision] = frozenset()
    powers: Mapping[PurposeCode, frozenset[Attribute]] = field(default_factory=dict)
    competence: str | None = None
    """The act of law on which its competence for every purpose rests (cl. 3 a to c and e)."""
    official: Post | None = None
    paper_allowed: bool = False
    representatives_allowed: bool = False
    state: RecipientState = RecipientState.ACTIVE
    uses_rsa: bool = False
    delivery: Delivery = Delivery.TYPED

    @property
    def recipient(self) -> Recipient:
        """The recipient as the operator registers it."""
        return Recipient(code=self.code, kind=self.kind, name=self.name, state=self.state)

    @property
    def subsystem(self) -> str:
        """The X-Road subsystem of the party."""
        member_class, _, code = self.code.partition("/")
        return f"{XROAD_INSTANCE}/{member_class}/{code}/{self.key}"

    def agreed(self, at: datetime) -> Agreement:
        """Return the terms of its agreement. Their term began before the sandbox was made."""
        purposes = self.other_purposes | {self.purpose}
        return Agreement(
            number=self.agreement,
            recipient=self.code,
            state=AgreementState.DRAFT,
            valid_from=at - AGREED_SINCE,
            valid_to=at + AGREED_FOR,
            purposes=purposes,
            attributes=self.attributes,
            methods=frozenset({MatchMethod.DEMOGRAPHIC}),
            channels=self.channels,
            provisions=self.provisions,
            powers=self.powers,
            competences={} if self.competence is None else dict.fromkeys(purposes, self.competence),
            paper_allowed=self.paper_allowed,
            representatives_allowed=self.representatives_allowed,
            delivery=self.delivery,
        )


BANK = Party(
    key="bank",
    code=MemberCode("COM/60000001"),
    kind=RecipientKind.BANK,
    name="Үлгү Банк (sandbox)",
    agreement=AgreementNumber("SANDBOX/BANK"),
    purpose=PurposeCode("ACCOUNT_OPENING"),
    purpose_text="Банктык эсеп ачуу",
    other_purposes=frozenset({PurposeCode("LOAN")}),
    attributes=(_ABOUT_PERSON | _ABOUT_DOCUMENT) - {Attribute.BIRTH_PLACE},
    official=Post(identifier="B-1001", name="Банк кызматкери (sandbox)"),
    uses_rsa=True,
)

SECOND_BANK_AGREEMENT = AgreementNumber("SANDBOX/BANK-2")
"""The bank's next agreement, on the same terms: two have signed it, the bank has not yet."""

NOTARY = Party(
    key="notary",
    code=MemberCode("PER/50000001"),
    kind=RecipientKind.PRIVATE_NOTARY,
    name="Жеке нотариус (sandbox)",
    agreement=AgreementNumber("SANDBOX/NOTARY"),
    purpose=PurposeCode("NOTARIAL_ACT"),
    purpose_text="Нотариалдык аракет",
    competence="Закон КР «О нотариате» (sandbox)",
    attributes=_EVERYDAY,
    channels=frozenset({Channel.WSSE}),
)

MOBILE = Party(
    key="mobile",
    code=MemberCode("COM/60000003"),
    kind=RecipientKind.MOBILE_OPERATOR,
    name="Үлгү Мобайл (sandbox)",
    agreement=AgreementNumber("SANDBOX/MOBILE"),
    purpose=PurposeCode("SIM_REGISTRATION"),
    purpose_text="SIM-картаны каттоо",
    attributes=_EVERYDAY - {Attribute.ADDRESS},
)

INSURER = Party(
    key="insurer",
    code=MemberCode("COM/60000004"),
    kind=RecipientKind.INSURANCE,
    name="Үлгү Камсыздандыруу (sandbox)",
    agreement=AgreementNumber("SANDBOX/INSURER"),
    purpose=PurposeCode("INSURANCE_CONTRACT"),
    purpose_text="Камсыздандыруу келишими",
    attributes=_EVERYDAY,
    state=RecipientState.ON_HOLD,
)

WALLET = Party(
    key="wallet",
    code=MemberCode("COM/60000005"),
    kind=RecipientKind.PAYMENT_ORGANISATION,
    name="Үлгү Капчык (sandbox)",
    agreement=AgreementNumber("SANDBOX/WALLET"),
    purpose=PurposeCode("WALLET_OPENING"),
    purpose_text="Электрондук капчык ачуу",
    attributes=_EVERYDAY,
    delivery=Delivery.SEALED,
)

POLICE = Party(
    key="police",
    code=MemberCode("GOV/70000002"),
    kind=RecipientKind.LAW_ENFORCEMENT,
    name="Ички иштер органы (sandbox)",
    agreement=AgreementNumber("SANDBOX/POLICE"),
    purpose=PurposeCode("CRIMINAL_CASE"),
    purpose_text="Кылмыш ишин тергөө",
    competence="Закон КР «Об органах внутренних дел» (sandbox)",
    attributes=frozenset(Attribute) - BIOMETRIC,
    provisions=frozenset(
        {Provision.JUDICIAL, Provision.OPERATIONAL_SEARCH, Provision.COUNTER_CORRUPTION}
    ),
    official=Post(identifier="P-1001", name="Тергөөчү (sandbox)"),
)

MUNICIPALITY = Party(
    key="municipality",
    code=MemberCode("GOV/70000003"),
    kind=RecipientKind.LOCAL_SELF_GOVERNMENT,
    name="Үлгү айыл өкмөтү (sandbox)",
    agreement=AgreementNumber("SANDBOX/MUNICIPALITY"),
    purpose=PurposeCode("SOCIAL_BENEFITS"),
    purpose_text="Социалдык жөлөкпул дайындоо",
    competence="Закон КР «О местном самоуправлении» (sandbox)",
    attributes=_EVERYDAY,
    provisions=frozenset({Provision.OFFICIAL_REQUEST}),
    powers={
        PurposeCode("SOCIAL_BENEFITS"): NAMES | {Attribute.ADDRESS},
    },
    paper_allowed=True,
    representatives_allowed=True,
    official=Post(identifier="M-1001", name="Айыл өкмөтүнүн башчысы (sandbox)"),
)

PARTIES = (BANK, NOTARY, MOBILE, INSURER, WALLET, POLICE, MUNICIPALITY)

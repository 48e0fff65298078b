"""The signers of a sandbox: citizens sign their consents, officials their statements.

Each document starts as an ordinary one between a party and a citizen. A caller changes one value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from makul.documents import (
    BasisDisplay,
    ConsentDisplay,
    PaperConsentDetails,
    Representative,
    render_basis,
    render_consent,
)
from makul.domain.attributes import Attribute
from makul.domain.consents import Consent, ResultForm
from makul.domain.legal_bases import AuthorisingAct, BasisStatement, Provision
from makul.domain.matches import MatchMethod
from makul.domain.persons import LocalizedName, Person
from makul.trust.xades.signing import sign_document
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import OPERATOR, OPERATOR_NAME, Party
from makul_sandbox.world.foreign_forms import DocumentSignature

NOTICE_REF = "SANDBOX-NOTICE/1"
NOTICE_LANGUAGE = "ky"
NOTICE = (
    "Сиздин маалыматтарыңыз көрсөтүлгөн максат үчүн гана берилет. Макулдукту каалаган убакта"
    " кайтарып алсаңыз болот. Бул кабарлама чыныгы эмес: ал сыноо чөйрөсү үчүн жазылган.\n"
)
NOTICE_RU = (
    "Ваши данные будут переданы только для указанной цели. Вы можете отозвать согласие в любое"
    " время. Это уведомление ненастоящее: оно написано для тестовой среды.\n"
)
NOTICE_EN = (
    "Your data are given for the stated purpose alone. You may withdraw your consent at any time."
    " This notice is not real: it was written for a test environment.\n"
)
NOTICE_TEXTS = {"ky": NOTICE, "ru": NOTICE_RU, "en": NOTICE_EN}
WITHDRAWAL = "Макулдукту операторго кайрылып кайтарып алсаңыз болот."

EVERYDAY_USES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSigners:
    """The signers of a sandbox, with their keys and the common values of their documents."""

    people: Sequence[Person]
    citizens: Mapping[int, Credential]
    officials: Mapping[str, Credential]
    stranger: Credential
    """The first citizen's certificate, as the look-alike authority made it."""
    notice_digest: bytes
    at: datetime

    def consent(self, party: Party, citizen: int, **changes: Any) -> Consent:
        """Return an ordinary consent of a citizen for a party, with these changes."""
        given_at = self.at - timedelta(hours=1)
        ordinary = Consent(
            consent_id=uuid4(),
            subject=self.people[citizen].pin,
            controller=OPERATOR,
            recipient=party.code,
            agreement_number=party.agreement,
            notice_ref=NOTICE_REF,
            notice_digest=self.notice_digest,
            language=NOTICE_LANGUAGE,
            purpose=party.purpose,
            attributes=frozenset(name.value for name in party.attributes),
            methods=frozenset({MatchMethod.DEMOGRAPHIC.value}),
            result_form=ResultForm.DATA,
            given_at=given_at,
            valid_from=given_at,
            valid_to=self.at + timedelta(days=365),
            max_disclosures=EVERYDAY_USES,
        )
        return replace(ordinary, **changes)

    def statement(
        self, party: Party, citizen: int, attributes: frozenset[Attribute], **changes: Any
    ) -> BasisStatement:
        """Return an ordinary statement of a party's official, with these changes."""
        issued_at = self.at - timedelta(hours=1)
        ordinary = BasisStatement(
            statement_id=uuid4(),
            recipient=party.code,
            agreement_number=party.agreement,
            provision=Provision.JUDICIAL.value,
            citation="Сыноо үчүн мыйзам, 1-берене",
            act=AuthorisingAct(
                issuer="Үлгү райондук соту", number="S-2026/7", issued_on=issued_at.date()
            ),
            case_number="07-026-2026-000001",
            official=party.official.identifier if party.official is not None else "",
            subject=self.people[citizen].pin,
            purpose=party.purpose,
            attributes=frozenset(name.value for name in attributes),
            result_form=ResultForm.DATA,
            justification="Сыноо: бул иште адамдын ким экенин тактоо зарыл.",
            issued_at=issued_at,
            valid_to=self.at + timedelta(days=365),
            max_disclosures=EVERYDAY_USES,
        )
        return replace(ordinary, **changes)

    def sign_consent(
        self,
        consent: Consent,
        party: Party,
        signer: Credential,
        *,
        form: DocumentSignature = sign_document,
    ) -> bytes:
        """Return the consent as a document, signed at the time when it was given."""
        values = next(person for person in self.people if person.pin == consent.subject).values
        display = ConsentDisplay(
            surname=_ky(values.get(Attribute.SURNAME)),
            given_name=_ky(values.get(Attribute.GIVEN_NAME)),
            patronymic=_ky(values.get(Attribute.PATRONYMIC)),
            controller_name=OPERATOR_NAME,
            recipient_name=party.name,
            purpose_text=party.purpose_text,
            withdrawal=WITHDRAWAL,
            representative=_representative(consent),
            paper=PaperConsentDetails(place="Үлгү айылы") if consent.paper is not None else None,
        )
        return form(
            render_consent(consent, display), signer.key, [signer.certificate], at=consent.given_at
        )

    def sign_statement(self, statement: BasisStatement, party: Party, signer: Credential) -> bytes:
        """Return the statement as a document, signed at the time when it was issued."""
        display = BasisDisplay(
            recipient_name=party.name,
            official_name=party.official.name if party.official is not None else "",
            purpose_text=party.purpose_text,
        )
        return sign_document(
            render_basis(statement, display),
            signer.key,
            [signer.certificate],
            at=statement.issued_at,
        )


def _representative(consent: Consent) -> Representative | None:
    if consent.representative is None:
        return None
    return Representative(
        name="Ата-эне (sandbox)",
        number="S-2020/11",
        issued_on=consent.given_at.date() - timedelta(days=400),
        issuer="ЖААК бөлүмү (sandbox)",
    )


def _ky(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, LocalizedName) or value.ky is None:
        raise TypeError("a synthetic citizen has names in Kyrgyz")
    return value.ky

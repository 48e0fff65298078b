"""The peer's one operation."""

# ruff: noqa: N802, N803, N805, N815 -- Spyne takes the names on the wire from these

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier
from signxml.util import add_pem_header
from signxml.xades import XAdESSigner, XAdESVerifier
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bench.peer import AUTHORITIES, CERTIFICATE, DATABASE, KEY, NAMESPACE
from bench.peer.stock_spyne import (
    Application,
    Array,
    ByteArray,
    ComplexModel,
    Fault,
    Service,
    Soap11,
    Unicode,
    WsgiApplication,
    rpc,
)
from bench.peer.tables import Agreement, Disclosure, Person, Recipient, connected

DS = "http://www.w3.org/2000/09/xmldsig#"
CONSENT = {"c": "urn:makul:consent:1"}
_ON_THE_RECEIPT = (
    *("id", "request_id", "recipient_code", "agreement_number", "outcome"),
    *("consent_id", "decided_at"),
)
BODY_AND_TIMESTAMP = SignatureConfiguration(location=".//", expect_references=2)


class Name(ComplexModel):
    __namespace__ = NAMESPACE
    ky = Unicode
    ru = Unicode
    latin = Unicode


class PersonData(ComplexModel):
    __namespace__ = NAMESPACE
    pin = Unicode
    surname = Name
    givenName = Name
    patronymic = Name
    sex = Unicode
    birthDate = Unicode
    citizenship = Unicode
    address = Unicode
    documentType = Unicode
    documentNumber = Unicode
    documentIssuer = Unicode
    documentIssued = Unicode
    documentExpires = Unicode
    documentState = Unicode
    personState = Unicode


class PersonAnswer(ComplexModel):
    __namespace__ = NAMESPACE
    requestId = Unicode
    outcome = Unicode
    disclosureId = Unicode
    decidedAt = Unicode
    match = Unicode
    person = PersonData
    receipt = ByteArray


@dataclass(frozen=True, slots=True)
class Peer:
    """Everything that the peer loads once."""

    authorities: str
    signer: XAdESSigner
    key: Any
    certificate: x509.Certificate
    session: sessionmaker[Session]

    def caller(self, envelope: etree._Element) -> bytes:
        """Return the DER certificate of the signer of Body and Timestamp; raise if
        there is none.
        """
        XMLVerifier().verify(
            envelope, ca_pem_file=self.authorities, expect_config=BODY_AND_TIMESTAMP
        )
        pem = add_pem_header(envelope.findtext(f".//{{{DS}}}X509Certificate"))
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    def consent(self, document: bytes) -> etree._Element:
        """Return the consent as its subject signed it."""
        return XAdESVerifier().verify(document, ca_pem_file=self.authorities)[0].signed_xml

    def receipt(self, disclosure: Disclosure) -> bytes:
        """Return the signed receipt of what was decided."""
        root = etree.Element("Receipt", Id=f"receipt-{disclosure.id}")
        for name in _ON_THE_RECEIPT:
            etree.SubElement(root, name).text = str(getattr(disclosure, name))
        for attribute in disclosure.attributes:
            etree.SubElement(root, "attribute").text = attribute
        signed = self.signer.sign(root, key=self.key, cert=[self.certificate])
        return etree.tostring(signed)


@dataclass(frozen=True, slots=True)
class Question:
    """A request and its consent."""

    request_id: str
    agreement: str
    purpose: str
    pin: str
    document_number: str
    consent: etree._Element
    attributes: list[str]
    asked_at: datetime

    @property
    def consented(self) -> bool:
        """Return whether the consent is the subject's, for this request."""
        consented = {
            str(each.text) for each in self.consent.findall("c:attributes/c:attribute", CONSENT)
        }
        since, until = map(datetime.fromisoformat, map(self._text, ("c:validFrom", "c:validTo")))
        return (
            self._text("c:subject/c:pin") == self.pin
            and self._text("c:agreementNumber") == self.agreement
            and self._text("c:purpose/c:code") == self.purpose
            and set(self.attributes) <= consented
            and since <= self.asked_at < until
        )

    @property
    def consent_id(self) -> str:
        return self._text("c:consentId")

    @property
    def consented_to(self) -> str:
        """Return the recipient whom the consent names."""
        return self._text("c:recipient/c:memberCode")

    def _text(self, path: str) -> str:
        return str(self.consent.findtext(path, namespaces=CONSENT))


class PeerService(Service):
    @rpc(
        *(Unicode, Unicode, Unicode, Unicode, Unicode, ByteArray, Array(Unicode)),
        _returns=PersonAnswer,
    )
    def GetPersonData(  # noqa: PLR0917 -- Spyne hands the fields over in their order
        ctx,
        requestId,
        agreementNumber,
        purpose,
        pin,
        documentNumber,
        consentDocument,
        attributes,
    ):
        peer: Peer = ctx.app.peer
        question = Question(
            request_id=requestId,
            agreement=agreementNumber,
            purpose=purpose,
            pin=pin,
            document_number=documentNumber,
            consent=peer.consent(b"".join(consentDocument)),
            attributes=list(attributes),
            asked_at=datetime.now(UTC),
        )
        with peer.session() as session:
            answer = _answer(peer, session, question, signed_by=ctx.udc)
            session.commit()
        return answer


def _answer(peer: Peer, session: Session, question: Question, *, signed_by: bytes) -> PersonAnswer:
    """Look up all parties, compare, record what is given, and sign for it."""
    now = question.asked_at.replace(tzinfo=None)
    recipient = session.scalars(
        select(Recipient).where(Recipient.certificate == signed_by)
    ).one_or_none()
    agreement = session.get(Agreement, question.agreement)
    person = session.get(Person, question.pin)
    _refuse_unless(recipient is not None and recipient.active, "unknown recipient")
    _refuse_unless(agreement is not None and agreement.recipient is recipient, "agreement")
    _refuse_unless(
        agreement.valid_from <= now < agreement.valid_to
        and question.purpose in agreement.purposes
        and set(question.attributes) <= set(agreement.attributes),
        "outside the agreement",
    )
    _refuse_unless(question.consented and question.consented_to == recipient.code, "consent")
    _refuse_unless(
        person is not None and person.document_number == question.document_number, "no match"
    )
    disclosure = Disclosure(
        id=str(uuid.uuid4()),
        request_id=question.request_id,
        recipient_code=recipient.code,
        agreement_number=agreement.number,
        pin=person.pin,
        consent_id=question.consent_id,
        outcome="RELEASED",
        attributes=question.attributes,
        decided_at=now,
    )
    disclosure.receipt = peer.receipt(disclosure)
    session.add(disclosure)
    return PersonAnswer(
        requestId=disclosure.request_id,
        outcome=disclosure.outcome,
        disclosureId=disclosure.id,
        decidedAt=question.asked_at.isoformat(),
        match="MATCH",
        person=_answered({name: person.attributes[name] for name in question.attributes}),
        receipt=[disclosure.receipt],
    )


def _refuse_unless(holds: bool, why: str) -> None:
    if not holds:
        raise Fault("Client", why)


def _answered(values: dict[str, object]) -> PersonData:
    return PersonData(
        **{name: Name(**v) if isinstance(v, dict) else v for name, v in values.items()}
    )


def _authenticate(ctx: Any) -> None:
    """Verify who signed the message, before Spyne reads the Body."""
    try:
        ctx.udc = ctx.app.peer.caller(ctx.in_document)
    except Exception as error:
        raise Fault("Client.Security", "the message is not signed") from error


def build(directory: str | Path) -> Callable[..., Iterable[bytes]]:
    """Build the WSGI application over a directory that `build_peer_database` made."""
    directory = Path(directory)
    application = Application(
        [PeerService],
        NAMESPACE,
        in_protocol=Soap11(validator="lxml"),
        out_protocol=Soap11(),
    )
    application.peer = Peer(
        authorities=str(directory / AUTHORITIES),
        signer=XAdESSigner(signature_algorithm="ecdsa-sha256"),
        key=load_pem_private_key((directory / KEY).read_bytes(), None),
        certificate=x509.load_pem_x509_certificate((directory / CERTIFICATE).read_bytes()),
        session=sessionmaker(connected((directory / DATABASE).read_text())),
    )
    application.in_protocol.event_manager.add_listener("before_deserialize", _authenticate)
    return WsgiApplication(application)

"""The peer's one operation."""

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
from spyne import Application, Array, ByteArray, ComplexModel, Fault, Service, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bench.peer import AUTHORITIES, CERTIFICATE, DATABASE, KEY, NAMESPACE
from bench.peer.tables import Agreement, Disclosure, Person, Recipient, connected

DS = "http://www.w3.org/2000/09/xmldsig#"
CONSENT = {"c": "urn:makul:consent:1"}
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
    """What is loaded once."""

    authorities: str
    signer: XAdESSigner
    key: Any
    certificate: x509.Certificate
    session: sessionmaker[Session]

    def caller(self, envelope: etree._Element) -> bytes:
        """The certificate of whoever signed Body and Timestamp, in DER; raises where nobody did."""
        XMLVerifier().verify(
            envelope, ca_pem_file=self.authorities, expect_config=BODY_AND_TIMESTAMP
        )
        pem = add_pem_header(envelope.findtext(f".//{{{DS}}}X509Certificate"))
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    def consent(self, document: bytes) -> etree._Element:
        """The consent as its subject signed it."""
        return XAdESVerifier().verify(document, ca_pem_file=self.authorities)[0].signed_xml

    def receipt(self, disclosure_id: str, facts: dict[str, str], attributes: list[str]) -> bytes:
        """What was decided, signed."""
        root = etree.Element("Receipt", Id=f"receipt-{disclosure_id}")
        for name, value in facts.items():
            etree.SubElement(root, name).text = value
        for attribute in attributes:
            etree.SubElement(root, "attribute").text = attribute
        signed = self.signer.sign(root, key=self.key, cert=[self.certificate])
        return etree.tostring(signed)


class PeerService(Service):
    @rpc(
        *(Unicode, Unicode, Unicode, Unicode, Unicode, ByteArray, Array(Unicode)),
        _returns=PersonAnswer,
    )
    def GetPersonData(
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
        now = datetime.now(UTC)
        signed_by = ctx.udc
        consent = peer.consent(b"".join(consentDocument))
        with peer.session() as session:
            recipient = session.scalars(
                select(Recipient).where(Recipient.certificate == signed_by)
            ).one_or_none()
            agreement = session.get(Agreement, agreementNumber)
            person = session.get(Person, pin)
            _refuse_unless(recipient is not None and recipient.active, "unknown recipient")
            _refuse_unless(agreement is not None and agreement.recipient is recipient, "agreement")
            _refuse_unless(
                agreement.valid_from <= now.replace(tzinfo=None) < agreement.valid_to
                and purpose in agreement.purposes
                and set(attributes) <= set(agreement.attributes),
                "outside the agreement",
            )
            _refuse_unless(_consented(consent, pin, agreement, purpose, attributes, now), "consent")
            _refuse_unless(
                person is not None and person.document_number == documentNumber, "no match"
            )
            disclosure_id = str(uuid.uuid4())
            facts = {
                "receiptId": disclosure_id,
                "requestId": requestId,
                "operation": "GetPersonData",
                "recipient": recipient.code,
                "agreementNumber": agreement.number,
                "outcome": "RELEASED",
                "consentId": consent.findtext("c:consentId", namespaces=CONSENT),
                "decidedAt": now.isoformat(),
            }
            receipt = peer.receipt(disclosure_id, facts, attributes)
            session.add(
                Disclosure(
                    id=disclosure_id,
                    request_id=requestId,
                    recipient_code=recipient.code,
                    agreement_number=agreement.number,
                    pin=pin,
                    consent_id=facts["consentId"],
                    outcome="RELEASED",
                    attributes=list(attributes),
                    receipt=receipt,
                    decided_at=now.replace(tzinfo=None),
                )
            )
            released = {name: person.attributes[name] for name in attributes}
            session.commit()
        return PersonAnswer(
            requestId=requestId,
            outcome="RELEASED",
            disclosureId=disclosure_id,
            decidedAt=now.isoformat(),
            match="MATCH",
            person=_answered(released),
            receipt=[receipt],
        )


def _refuse_unless(holds: bool, why: str) -> None:
    if not holds:
        raise Fault("Client", why)


def _consented(
    consent: etree._Element,
    pin: str,
    agreement: Agreement,
    purpose: str,
    attributes: Iterable[str],
    now: datetime,
) -> bool:
    def text(path: str) -> str:
        return str(consent.findtext(path, namespaces=CONSENT))

    given = {str(each.text) for each in consent.findall("c:attributes/c:attribute", CONSENT)}
    return (
        text("c:subject/c:pin") == pin
        and text("c:recipient/c:memberCode") == agreement.recipient_code
        and text("c:agreementNumber") == agreement.number
        and text("c:purpose/c:code") == purpose
        and set(attributes) <= given
        and datetime.fromisoformat(text("c:validFrom")) <= now
        and now < datetime.fromisoformat(text("c:validTo"))
    )


def _answered(values: dict[str, object]) -> PersonData:
    return PersonData(
        **{name: Name(**v) if isinstance(v, dict) else v for name, v in values.items()}
    )


def _authenticate(ctx: Any) -> None:
    """Before Spyne reads the Body: who signed the message?"""
    try:
        ctx.udc = ctx.app.peer.caller(ctx.in_document)
    except Exception as error:
        raise Fault("Client.Security", "the message is not signed") from error


def build(directory: str | Path) -> Callable[..., Iterable[bytes]]:
    """The WSGI application over a directory that `furnish` made."""
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

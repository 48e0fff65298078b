"""A million recorded disclosures, each with a signed document of its own, for the bench of a month.

Some real requests are answered. Each further row is one of those records with another id, moment,
subject and document: written, signed and encrypted again by the programs that do it in the service.
So every line of a statement reads its own document, and nearly no line has an exception. The
certificates are those of a few signers, as if each had signed for many subjects. That is not
noticed: the month asks what the stored validation report says of a document, and whether the
certificates that it names are still trusted.
"""

import base64
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from bench.population import population
from makul.documents import BasisDisplay, ConsentDisplay, render_basis, render_consent
from makul.domain.identifiers import Pin
from makul.domain.months import Month
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import PrivateFields, encrypt_private, open_private
from makul.trust.xades.signing import sign_document
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import (
    BANK,
    INSURER,
    MOBILE,
    MUNICIPALITY,
    NOTARY,
    OPERATOR_NAME,
    POLICE,
    WALLET,
    Party,
)
from makul_sandbox.world.signers import WITHDRAWAL, SandboxSigners

MONTH = Month(2026, 10)
SIGNERS = 40
MAX_SUBJECTS = 100_000
FREQUENT_SUBJECTS = 5
"""Subjects about whom there are a thousand disclosures and more, in a month of a million."""
_OFTEN = 200
"""Every this many disclosures one is about a frequent subject."""

ALLOWED = 3
GIVEN = ("birthDate", "givenName", "surname")
_PARTIES = (BANK, MOBILE, BANK, WALLET, BANK, INSURER, BANK, NOTARY, BANK, POLICE, BANK, MOBILE)
_PARTIES += (BANK, WALLET, BANK, POLICE, BANK, MOBILE, BANK, MUNICIPALITY)
_OUTCOMES = ("RELEASED",) * 18 + ("NOT_MATCHED", "REFUSED")
_BY_LAW = frozenset({POLICE.code, MUNICIPALITY.code})
_DISPLAY = ConsentDisplay(
    surname="Үлгүбаева",
    given_name="Айгүл",
    patronymic="Бакыт кызы",
    controller_name=OPERATOR_NAME,
    recipient_name="",
    purpose_text="",
    withdrawal=WITHDRAWAL,
)
_DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"


class SignatureTemplate:
    """An XAdES signature by one signer, put under other documents of the same kind of root.

    A document that is written in canonical form needs only its own digest and the signature value.
    """

    def __init__(self, signed: bytes, signer: Credential) -> None:
        root = etree.fromstring(signed)
        signed_info = next(root.iter(f"{_DS}SignedInfo"))
        self._identifier = root.attrib["Id"].encode()
        self._digest = _text(root, "DigestValue")
        self._value = _text(root, "SignatureValue")
        self._signature = signed[signed.index(b"<ds:Signature ") : signed.rindex(b"</")]
        self._signed_info = etree.tostring(signed_info, method="c14n")
        assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
        self._key = signer.key

    def sign(self, body: bytes, identifier: str) -> bytes:
        """Return the document with a signature over it; the root has this `Id`."""
        digest = base64.b64encode(sha256(body).digest())
        changes = ((self._identifier, identifier.encode()), (self._digest, digest))
        signed_info, signature = self._signed_info, self._signature
        for former, new in changes:
            signed_info = signed_info.replace(former, new, 1)
            signature = signature.replace(former, new, 1)
        r, s = decode_dss_signature(self._key.sign(signed_info, ec.ECDSA(hashes.SHA256())))
        value = base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        end = body.rindex(b"</")
        return _DECLARATION + body[:end] + signature.replace(self._value, value, 1) + body[end:]


def _text(root: etree._Element, name: str) -> bytes:
    """Return the text of the first element of this name; the first digest is the document's."""
    return (next(root.iter(f"{_DS}{name}")).text or "").encode()


@dataclass(frozen=True, kw_only=True)
class Model:
    """A recorded disclosure, and how its signer signs other documents."""

    row: dict[str, Any]
    private: PrivateFields
    by_consent: SignatureTemplate
    by_law: SignatureTemplate


@dataclass(frozen=True, kw_only=True)
class GroundDocuments:
    """Writes documents: consents, and basis statements of the parties that act by law."""

    signers: SandboxSigners
    given_at: datetime

    def sign(self, party: Party, ground_id: UUID, subject: Pin, model: Model) -> bytes:
        """Return a signed document about a subject."""
        if party.code in _BY_LAW:
            return model.by_law.sign(self._basis(party, ground_id, subject), f"basis-{ground_id}")
        body = self._consent(party, ground_id, subject)
        return model.by_consent.sign(body, f"consent-{ground_id}")

    def read_model(self, row: dict[str, Any], cipher: FieldCipher, signer: Credential) -> Model:
        """Return the model of a recorded disclosure, for documents by this signer."""
        pin, number = Pin("12309196290003"), uuid4()
        by_consent, by_law = (
            SignatureTemplate(
                sign_document(body, signer.key, [signer.certificate], at=self.given_at), signer
            )
            for body in (self._consent(BANK, number, pin), self._basis(POLICE, number, pin))
        )
        return Model(
            row=row,
            private=open_private(cipher, row["disclosure_id"], row["sealed"]),
            by_consent=by_consent,
            by_law=by_law,
        )

    def _consent(self, party: Party, ground_id: UUID, subject: Pin) -> bytes:
        consent = self.signers.consent(
            party,
            0,
            consent_id=ground_id,
            subject=subject,
            given_at=self.given_at,
            valid_from=self.given_at,
            max_disclosures=ALLOWED,
        )
        names = {"recipient_name": party.name, "purpose_text": party.purpose_text}
        return render_consent(consent, replace(_DISPLAY, **names))

    def _basis(self, party: Party, ground_id: UUID, subject: Pin) -> bytes:
        statement = self.signers.statement(
            party,
            0,
            party.attributes,
            statement_id=ground_id,
            subject=subject,
            issued_at=self.given_at,
            max_disclosures=ALLOWED,
        )
        display = BasisDisplay(
            recipient_name=party.name, official_name="—", purpose_text=party.purpose_text
        )
        return render_basis(statement, display)


def month_subjects(count: int) -> list[Pin]:
    """Return the subjects of a month with that many disclosures."""
    return [each.pin for each in population(min(MAX_SUBJECTS, max(count // 10, 10)))]


def month_rows(
    models: Sequence[Model], grounds: GroundDocuments, cipher: FieldCipher, count: int
) -> Iterator[dict[str, Any]]:
    """Yield rows spread evenly over the month, and one at each instant just outside.

    Each has the columns of its disclosure, its evidence and its ground.
    """
    subjects = month_subjects(count)
    step = (MONTH.ends - MONTH.begins) / count
    instant = timedelta(microseconds=1)
    for number in range(-1, count + 1):
        at = MONTH.begins + number * step if number < count else MONTH.ends
        if number < 0:
            at = MONTH.begins - instant
        subject = subjects[number % len(subjects)]
        if number % _OFTEN == 0:
            subject = subjects[number // _OFTEN % FREQUENT_SUBJECTS]
        yield _row(
            models[number % len(models)], grounds, cipher, number=number, at=at, subject=subject
        )


def _row(
    model: Model,
    grounds: GroundDocuments,
    cipher: FieldCipher,
    *,
    number: int,
    at: datetime,
    subject: Pin,
) -> dict[str, Any]:
    party, outcome = _PARTIES[number % len(_PARTIES)], _OUTCOMES[number // 7 % len(_OUTCOMES)]
    disclosure_id, ground_id = uuid7(at), UUID(bytes=os.urandom(16), version=4)
    kind = "BASIS" if party.code in _BY_LAW else "CONSENT"
    document = grounds.sign(party, ground_id, subject, model)
    digest = sha256(document).digest()
    private = _private(model, disclosure_id, subject, (kind, ground_id, digest), party=party, at=at)
    refused = outcome == "REFUSED"
    return {
        **model.row,
        "disclosure_id": disclosure_id,
        "recipient": party.code,
        "agreement_number": party.agreement,
        "purpose": party.purpose,
        "request_id": os.urandom(16),
        "outcome": outcome,
        "reasons": '[["CNS-01",null,null,null]]' if refused else "[]",
        "released": json.dumps(GIVEN, separators=(",", ":")) if outcome == "RELEASED" else "[]",
        "ground_kind": kind,
        "ground_id": ground_id.bytes,
        "ground_digest": digest,
        "subject_index": cipher.index("pin", subject.digits),
        "decided_at": micros(at),
        "sealed": encrypt_private(cipher, disclosure_id, private),
        "leaf_hash": os.urandom(32),
        "document": cipher.encrypt(document, evidence_associated_data(party.code, digest)),
        "allowed": ALLOWED,
        "used": int(outcome == "RELEASED"),
        "valid_from": micros(grounds.given_at),
        "valid_to": micros(MONTH.ends + timedelta(days=300)),
    }


def _private(
    model: Model,
    disclosure_id: bytes,
    subject: Pin,
    ground: tuple[str, UUID, bytes],
    *,
    party: Party,
    at: datetime,
) -> PrivateFields:
    """Return the private part: its report and leaf name this document."""
    kind, ground_id, digest = ground
    private = model.private
    ((former, report),) = private.reports
    changed = report.replace(former.hex().encode(), digest.hex().encode())
    facts = json.loads(private.leaf_statement)
    facts |= {
        "disclosureId": str(UUID(bytes=disclosure_id)),
        "recipient": party.code,
        "agreement": party.agreement,
        "purpose": party.purpose,
        "subject": subject.digits,
        "released": list(GIVEN),
        "decidedAt": at.isoformat(),
        "ground": [kind, str(ground_id), digest.hex()],
        "evidence": [[kind, digest.hex(), sha256(changed).hexdigest()]],
    }
    statement = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return replace(
        private,
        subject=subject,
        leaf_salt=os.urandom(32),
        leaf_statement=statement.encode(),
        reports=((digest, changed),),
    )


def uuid7(at: datetime) -> bytes:
    """Return a UUID of version 7 (RFC 9562, 5.7) of a moment; the library makes only
    those of now.
    """
    drawn = bytearray((micros(at) // 1000).to_bytes(6, "big") + os.urandom(10))
    drawn[6] = 0x70 | drawn[6] & 0x0F
    drawn[8] = 0x80 | drawn[8] & 0x3F
    return bytes(drawn)

"""Builders of domain values for tests. Everybody in them is made up."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from makul.app.ports import (
    Asker,
    Caller,
    Evidence,
    MessageMark,
    OperatorRegistry,
    Register,
    RequestKey,
    Space,
)
from makul.domain.agreements import Agreement, AgreementState, Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, GroundRef
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.match_attempts import AttemptLimits
from makul.domain.matches import MatchMethod
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.domain.recipients import Recipient, RecipientKind, RecipientState
from makul.store import Store
from makul_testing.builders.agreements import agree

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""The moment at which decisions are recorded, unless a test sets another."""

BANK = MemberCode("COM/60000001")
POLICE = MemberCode("GOV/70000009")
AGREEMENT_NUMBER = AgreementNumber("A-2026/17")
PURPOSE = PurposeCode("ACCOUNT_OPENING")
FINGERPRINT = hashlib.sha256(b"the bank's certificate").digest()

AZAMAT = Pin("20101199000123")
GULNARA = Pin("11502198500456")

LOOSE_LIMITS = AttemptLimits()


def a_recipient(
    code: MemberCode = BANK, state: RecipientState = RecipientState.ACTIVE
) -> Recipient:
    return Recipient(code=code, kind=RecipientKind.BANK, name="Ала-Тоо Банк", state=state)


def an_agreement(**changes: Any) -> Agreement:
    agreement = Agreement(
        number=AGREEMENT_NUMBER,
        recipient=BANK,
        state=AgreementState.IN_FORCE,
        valid_from=NOON - timedelta(days=100),
        valid_to=NOON + timedelta(days=100),
        purposes=frozenset({PURPOSE}),
        attributes=frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME, Attribute.ADDRESS}),
        methods=frozenset({MatchMethod.DEMOGRAPHIC}),
        channels=frozenset({Channel.WSSE}),
        provisions=frozenset({Provision.LAW}),
        powers={PURPOSE: frozenset({Attribute.SURNAME})},
        daily_quota=1_000,
    )
    return replace(agreement, **changes)


def a_person(
    pin: Pin = AZAMAT, values: Mapping[Attribute, AttributeValue] | None = None, **changes: Any
) -> Person:
    held: dict[Attribute, AttributeValue] = {
        Attribute.PIN: pin.digits,
        Attribute.SURNAME: LocalizedName(ky="Токтогулов", ru="Токтогулов", latin="Toktogulov"),
        Attribute.GIVEN_NAME: LocalizedName(ky="Азамат", ru="Азамат", latin="Azamat"),
        Attribute.BIRTH_DATE: date(1990, 11, 1),
        Attribute.ADDRESS: "Бишкек, Манас проспектиси, 101",
        Attribute.DOCUMENT_NUMBER: "ID7654321",
        Attribute.FACE_IMAGE: b"\xff\xd8 a synthetic face \xff\xd9",
    }
    return replace(Person(pin=pin, values=held | dict(values or {})), **changes)


def whole(register: Register, pin: Pin = AZAMAT) -> Person | None:
    """Return the current record as it may be released: with every sample."""
    found = register.person(pin)
    if found is None:
        return None
    return replace(register.with_samples(found, frozenset(Attribute)), samples={})


def a_key(request_id: UUID | None = None, digest: bytes = b"d" * 32, **changes: Any) -> RequestKey:
    key = RequestKey(
        recipient=BANK,
        space=Space.DISCLOSURE,
        request_id=request_id or uuid4(),
        digest=digest,
        asker=Asker(employee="teller-42", case_number="CASE-9"),
    )
    return replace(key, **changes)


def a_consent(document: bytes = b"<Consent/>", allowed: int = 1, **changes: Any) -> GroundRef:
    ground = GroundRef(
        kind=GroundKind.CONSENT,
        id=uuid4(),
        digest=hashlib.sha256(document).digest(),
        max_disclosures=allowed,
        valid_from=NOON - timedelta(days=1),
        valid_to=NOON + timedelta(days=30),
    )
    return replace(ground, **changes)


def a_basis(allowed: int = 1, **changes: Any) -> GroundRef:
    return a_consent(b"<BasisStatement/>", allowed, kind=GroundKind.BASIS, **changes)


def an_evidence(document: bytes = b"<Consent/>", kind: str = "CONSENT") -> Evidence:
    return Evidence(
        digest=hashlib.sha256(document).digest(),
        kind=kind,
        document=document,
        report=b'{"status":"PASSED"}',
    )


def a_mark(digest: bytes = b"m" * 32) -> MessageMark:
    return MessageMark(digest=digest, forget_after=NOON + timedelta(minutes=6))


def a_caller(mark: MessageMark | None = None, **changes: Any) -> Caller:
    """Return the bank as a caller by WS-Security."""
    return replace(Caller(recipient=BANK, channel=Channel.WSSE, mark=mark), **changes)


def known_digest(store: Store, key: RequestKey) -> bytes | None:
    """Return the digest of the request that closed this id; None if it is open."""
    known = store.register.snapshot(key, None, at=NOON).known
    return known.digest if known is not None else None


def register_parties(registry: OperatorRegistry) -> None:
    """Register the bank with its certificate, its agreement and one citizen."""
    registry.add_recipient(a_recipient(), at=NOON)
    registry.add_certificate(BANK, FINGERPRINT, b"der of the bank's certificate", at=NOON)
    agree(registry, an_agreement(), at=NOON)
    registry.put_persons([a_person()], at=NOON)

"""Builders of domain values and record entries for tests. Everybody in them is made up."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from makul.app.ports import (
    Asker,
    Caller,
    ConsentRevocation,
    Desk,
    Entry,
    Evidence,
    KeptReceipt,
    Leaf,
    MessageMark,
    Register,
    RequestKey,
    Space,
)
from makul.domain.agreements import Agreement, AgreementState, Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, GroundRef, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.match_attempts import AttemptLimits
from makul.domain.matches import MatchMethod
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient, RecipientKind, RecipientState
from makul.store import Store
from makul_testing.builders.agreements import agree

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""The moment at which decisions are recorded, unless a test says otherwise."""

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
    """The current record as it may leave: with every sample, and none named apart."""
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
    """The bank, come by WS-Security."""
    return replace(Caller(recipient=BANK, channel=Channel.WSSE, mark=mark), **changes)


def a_release(**changes: Any) -> Entry:
    """Surname and given name, released to the bank; nothing metered unless a test says so."""
    disclosure_id = changes.pop("disclosure_id", None) or uuid4()
    entry = Entry(
        disclosure_id=disclosure_id,
        key=a_key(),
        operation=Operation.GET_PERSON_DATA,
        channel=Channel.WSSE,
        certificate=None,
        agreement_number=AGREEMENT_NUMBER,
        purpose=PURPOSE,
        subject=AZAMAT,
        outcome=Outcome.RELEASED,
        reasons=(),
        released=frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME}),
        decided_at=NOON,
        leaf=a_leaf(disclosure_id),
        receipt=b"<Receipt>%s</Receipt>" % disclosure_id.bytes.hex().encode(),
        answer=b"<Answer>Toktogulov %s</Answer>" % disclosure_id.bytes.hex().encode(),
        closes=True,
        keep_answer_until=NOON + timedelta(hours=24),
        requires_active=True,
        terms=an_agreement(),
    )
    return replace(entry, **changes)


def a_refusal(code: Code = Code.CNS_04, **changes: Any) -> Entry:
    """A decision that gives nothing, and closes its id."""
    refused: dict[str, Any] = {
        "outcome": Outcome.REFUSED,
        "reasons": (Reason(code=code),),
        "released": frozenset(),
        "requires_active": False,
        "answer": b"<Answer>refused</Answer>",
    }
    return a_release(**(refused | changes))


def a_failed_match(**changes: Any) -> Entry:
    """Not matched, counted as a failed attempt."""
    missed: dict[str, Any] = {
        "outcome": Outcome.NOT_MATCHED,
        "reasons": (Reason(code=Code.MAT_01),),
        "released": frozenset(),
        "failed_attempt": True,
        "attempt_limits": LOOSE_LIMITS,
    }
    return a_release(**(missed | changes))


def a_revocation(ground: GroundRef, **changes: Any) -> Entry:
    """The consent taken back, by its subject unless another is told."""
    piece = an_evidence(b"<Revocation/>", "REVOCATION")
    taken = ConsentRevocation(
        consent_id=ground.id, subject=changes.pop("subject", AZAMAT), document=piece.digest
    )
    fields: dict[str, Any] = {
        "key": a_key(space=Space.REVOCATION),
        "operation": Operation.REVOKE_CONSENT,
        "outcome": Outcome.ACCEPTED,
        "released": frozenset(),
        "requires_active": False,
        "agreement_number": None,
        "terms": None,
        "evidence": (piece,),
        "revokes": taken,
        "answer": b"<Answer>revoked</Answer>",
    }
    return a_release(**(fields | changes))


def a_leaf(disclosure_id: UUID) -> Leaf:
    salt = b"s" * 32
    statement = b'{"subject":"%s"}' % AZAMAT.digits.encode()
    digest = hashlib.sha256(b"\x00" + salt + statement + disclosure_id.bytes).digest()
    return Leaf(salt=salt, statement=statement, hash=digest)


def known_digest(store: Store, key: RequestKey) -> bytes | None:
    """The digest of the request that closed this id; None if it is open."""
    known = store.register.standing(key, None, at=NOON).known
    return known.digest if known is not None else None


def kept(entry: Entry) -> KeptReceipt:
    """The receipt of a recorded entry, as the register gives it."""
    return KeptReceipt(
        disclosure_id=entry.disclosure_id,
        document=entry.receipt,
        space=entry.key.space,
        agreement_number=entry.agreement_number,
    )


def furnish(desk: Desk) -> None:
    """Register the bank with its certificate, its agreement and one citizen."""
    desk.add_recipient(a_recipient(), at=NOON)
    desk.add_certificate(BANK, FINGERPRINT, b"der of the bank's certificate", at=NOON)
    agree(desk, an_agreement(), at=NOON)
    desk.put_persons([a_person()], at=NOON)

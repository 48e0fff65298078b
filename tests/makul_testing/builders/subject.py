"""A portal, its tokens, and the operations of the subject port over a store."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from makul.app.acts import ActPort, SubjectRequest, SubjectServices, build_acts
from makul.app.citizen_identification import CitizenIdentification, Portal
from makul.app.ports import Caller
from makul.app.ports.identity import IdToken
from makul.app.subject_acts.answer_check import AnswerRequest
from makul.composition.portals import PACKAGE
from makul.domain.agreements import Channel
from makul.domain.disclosures import HIDDEN_AT_MOST
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.identity import IdentityClaims, LevelPolicy
from makul.domain.subject_answers import SubjectAnswer
from makul.store import Store
from makul_testing.builders.oversight import build_services
from makul_testing.builders.records import NOON

PORTAL = Portal(code=MemberCode("GOV/70000011"), audience="portal", may_find_usage=True)
PORTAL_CALLER = Caller(recipient=PORTAL.code, channel=Channel.WSSE, certificate=b"t" * 32)
LEVELS = LevelPolicy(levels=("low", "high"), minimum="high", by_operation={})
ISSUER = "https://identity.example"


def a_token(pin: Pin, request_id: UUID) -> IdToken:
    """Return what the verifier of these tests reads as a token."""
    return IdToken(f"{pin.digits} {request_id}")


@dataclass(frozen=True, slots=True)
class _Verifier:
    """A verifier that believes every token."""

    at: datetime

    def verify(self, token: IdToken) -> IdentityClaims:
        pin, _, nonce = token.text.partition(" ")
        return IdentityClaims(
            issuer=ISSUER,
            audience=PORTAL.audience,
            nonce=nonce,
            level="high",
            subject=Pin(pin),
            issued_at=self.at,
            expires_at=self.at + timedelta(minutes=5),
        )


def lock_matching(store: Store, citizen: Pin) -> None:
    """Lock the matching of a citizen by consent."""
    request_id = uuid4()
    request = SubjectRequest(
        request_id=request_id, digest=b"9" * 32, id_token=a_token(citizen, request_id)
    )
    operations = build_subject_operations(store)
    assert operations["LockMatching"](request, PORTAL_CALLER) == b"DONE"


def answer_check(store: Store, citizen: Pin, disclosure_id: UUID) -> None:
    """Answer the question about a disclosure: the citizen logged in, and consented."""
    request_id = uuid4()
    request = AnswerRequest(
        request_id=request_id,
        digest=b"8" * 32,
        link_token=None,
        id_token=a_token(citizen, request_id),
        disclosure_id=disclosure_id,
        answer=SubjectAnswer.YES,
    )
    assert build_subject_operations(store)["AnswerCheck"](request, PORTAL_CALLER) == b"DONE"


def build_subject_operations(
    store: Store, *, at: datetime = NOON, document_signer: Pin | None = None
) -> ActPort:
    """Return the operations of the subject port. An answer is the outcome and its codes."""
    return build_acts(
        PACKAGE, build_subject_services(store, at=at, document_signer=document_signer)
    )


def build_subject_services(
    store: Store, *, at: datetime = NOON, document_signer: Pin | None = None
) -> SubjectServices:
    """Return the services of the subject port over a store, with a verifier that believes."""
    services = build_services(store, at=at, pin=document_signer)
    return SubjectServices(
        **{each.name: getattr(services, each.name) for each in fields(services)},
        citizens=CitizenIdentification(
            portals={PORTAL.code: PORTAL},
            verifier=_Verifier(at),
            issuer=ISSUER,
            levels=LEVELS,
            record=store.subject,
        ),
        record=store.subject,
        hidden_at_most=HIDDEN_AT_MOST,
    )

"""A portal, its tokens, and the operations of the subject port over a store."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from makul.app.acts import ActPort, SubjectServices, build_acts
from makul.app.citizen_identification import CitizenIdentification, Portal
from makul.app.ports import Caller
from makul.app.ports.identity import IdToken
from makul.composition.portals import PACKAGE
from makul.domain.agreements import Channel
from makul.domain.disclosures import HIDDEN_AT_MOST
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.identity import IdentityClaims, LevelPolicy
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


def build_subject_operations(
    store: Store, *, at: datetime = NOON, document_signer: Pin | None = None
) -> ActPort:
    """Return the operations of the subject port. An answer is the outcome and its codes."""
    services = build_services(store, at=at, pin=document_signer)
    extended = SubjectServices(
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
    return build_acts(PACKAGE, extended)

"""Identify the portal that sends a request, and the citizen on whose behalf it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from makul.app.ports.acts import ActFacts
from makul.app.ports.caller import Caller, RejectedError
from makul.app.ports.identity import IdentityVerifier, IdToken
from makul.app.ports.subject import SubjectRecord
from makul.domain.calendar import CLOCK_TOLERANCE
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.identity import (
    MAX_TOKEN_AGE,
    ExpectedIdentity,
    LevelPolicy,
    judge_identity,
)
from makul.domain.reasons import Code, Reason

_REPLAYED = Reason(code=Code.SUB_01, field="idToken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A portal that may send requests on behalf of citizens."""

    code: MemberCode
    audience: str
    """The portal's name at the identity provider. A token for another portal is refused."""
    subsystem: str | None = None
    """The only subsystem that may call over X-Road; None for any."""
    may_find_usage: bool = False
    """True if it may name citizens without a token (`findUsage`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenIdentification:
    """The portals, the verifier of tokens, and what a token must state."""

    portals: Mapping[MemberCode, Portal]
    verifier: IdentityVerifier
    issuer: str
    levels: LevelPolicy
    record: SubjectRecord

    def require_portal(self, caller: Caller, request_id: UUID) -> Portal:
        """Return the portal that calls. Raises `RejectedError` (RCP-04) for any other caller."""
        portal = self.portals.get(caller.recipient)
        if portal is None or (
            caller.certificate is None and portal.subsystem not in (None, caller.subsystem)
        ):
            raise RejectedError(Reason(code=Code.RCP_04), request_id=request_id)
        return portal

    def identify(self, token: IdToken, facts: ActFacts) -> Pin | tuple[Reason, ...]:
        """Return the citizen of a token that is right for this request, or what is wrong with it.

        A token serves one request. The same request may come again with it, until it is too old.
        """
        portal = self.require_portal(facts.caller, facts.request_id)
        claims = self.verifier.verify(token)
        if isinstance(claims, Reason):
            return (claims,)
        expected = ExpectedIdentity(
            issuer=self.issuer,
            audience=portal.audience,
            request_id=facts.request_id,
            operation=facts.operation,
        )
        reasons = judge_identity(claims, expected, self.levels, at=facts.at)
        if reasons:
            return reasons
        too_old_from = claims.issued_at + MAX_TOKEN_AGE + CLOCK_TOLERANCE
        is_first = self.record.use_token(
            token.digest, facts.request_digest, forget_after=too_old_from, at=facts.at
        )
        return claims.subject if is_first else (_REPLAYED,)

"""Judge the statement of an identity provider about a citizen who logged in at a portal.

Pure code: the signature was verified before, and the claims have the types below. The claims are
those of an ID token (OpenID Connect Core 1.0, 2 and 3.1.3.7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makul.domain.calendar import CLOCK_TOLERANCE
from makul.domain.identifiers import Pin
from makul.domain.reasons import Code, Reason

MAX_TOKEN_AGE = timedelta(minutes=5)
"""The longest time between the login that the token states and its use at the subject port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityClaims:
    """What the identity provider signed about a login."""

    issuer: str
    audience: str
    """The portal for which the token was issued. A token for several parties is not read."""
    nonce: str
    level: str
    """`acr`: the level of the login."""
    subject: Pin
    issued_at: datetime
    expires_at: datetime
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPolicy:
    """The levels of a login that operations need."""

    levels: tuple[str, ...]
    """Every level that counts, from the lowest."""
    minimum: str
    by_operation: Mapping[str, str]

    def is_enough(self, level: str, operation: str) -> bool:
        """Return whether this level is enough. An unknown level never is."""
        needed = self.by_operation.get(operation, self.minimum)
        return level in self.levels and self.levels.index(level) >= self.levels.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedIdentity:
    """What the token of one request must state."""

    issuer: str
    audience: str
    request_id: UUID
    operation: str


def judge_identity(
    claims: IdentityClaims, expected: ExpectedIdentity, levels: LevelPolicy, *, at: datetime
) -> tuple[Reason, ...]:
    """Return what is wrong with a token for this request; empty if nothing is.

    The level is judged only of a token that is right otherwise (SUB-02).
    """
    holds = {
        "iss": claims.issuer == expected.issuer,
        "aud": claims.audience == expected.audience,
        "nonce": claims.nonce == str(expected.request_id),
        "iat": at - MAX_TOKEN_AGE <= claims.issued_at <= at + CLOCK_TOLERANCE,
        "exp": at < claims.expires_at and claims.issued_at < claims.expires_at,
        "nbf": claims.not_before is None or claims.not_before <= at + CLOCK_TOLERANCE,
    }
    wrong = tuple(
        Reason(code=Code.SUB_01, field=name) for name, is_right in holds.items() if not is_right
    )
    if not wrong and not levels.is_enough(claims.level, expected.operation):
        return (Reason(code=Code.SUB_02, field="acr"),)
    return wrong

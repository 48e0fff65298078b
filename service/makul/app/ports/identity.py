"""The port that verifies the tokens of an identity provider."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from makul.domain.identity import IdentityClaims
from makul.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class IdToken:
    """An ID token as a portal sent it: a signed JWT in its compact form. It never prints."""

    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the token, which names it in the record. A signature cannot be guessed."""
        return sha256(self.text.encode()).digest()


class IdentityVerifier(Protocol):
    """Verifies tokens with the keys of one identity provider."""

    def verify(self, token: IdToken) -> IdentityClaims | Reason:
        """Return the claims of a token, or why it proves nothing (SUB-01).

        Nothing of a token is read before its signature is verified, except the name of its key.
        """

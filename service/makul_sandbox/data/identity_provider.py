"""The identity provider of a sandbox: it signs ID tokens about citizens who never logged in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from makul.domain.identifiers import Pin

ISSUER = "https://identity.sandbox.example"
LEVELS = ("low", "substantial", "high")
"""The levels of its logins, from the lowest."""
TOKEN_TERM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """A provider with one key for each algorithm that the service accepts."""

    rsa: RSAKey
    ec: ECKey

    @classmethod
    def generate(cls) -> "IdentityProvider":
        """Return a provider with new keys."""
        return cls(
            rsa=RSAKey.generate_key(2048, {"kid": "sandbox-rsa", "use": "sig", "alg": "RS256"}),
            ec=ECKey.generate_key("P-256", {"kid": "sandbox-ec", "use": "sig", "alg": "ES256"}),
        )

    def jwks(self) -> bytes:
        """Return the public keys, as the provider publishes them."""
        keys = [key.as_dict(private=False) for key in (self.rsa, self.ec)]
        return json.dumps({"keys": keys}, indent=1).encode() + b"\n"

    def private_jwks(self) -> bytes:
        """Return the private keys, with which tests and the sandbox's owner make tokens."""
        keys = [key.as_dict(private=True) for key in (self.rsa, self.ec)]
        return json.dumps({"keys": keys}, indent=1).encode() + b"\n"

    @classmethod
    def load(cls, private_jwks: bytes) -> "IdentityProvider":
        """Read the private keys that `private_jwks` wrote."""
        first, second = json.loads(private_jwks)["keys"]
        return cls(rsa=RSAKey.import_key(first), ec=ECKey.import_key(second))

    def claims(
        self, pin: Pin, request_id: UUID, *, audience: str, at: datetime, level: str = "high"
    ) -> dict[str, object]:
        """Return the claims of a citizen who logs in now, for one request."""
        now = int(at.timestamp())
        return {
            "iss": ISSUER,
            "sub": f"sandbox-{pin.digits[-5:]}",
            "aud": audience,
            "nonce": str(request_id),
            "acr": level,
            "iat": now,
            "exp": now + int(TOKEN_TERM.total_seconds()),
            "pin": pin.digits,
        }

    def sign(self, claims: Mapping[str, object], *, with_rsa: bool = False) -> str:
        """Return the ID token with these claims."""
        key, algorithm = (self.rsa, "RS256") if with_rsa else (self.ec, "ES256")
        header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
        return jws.serialize_compact(header, json.dumps(claims).encode(), key, [algorithm])

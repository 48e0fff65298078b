"""The nonces of requests, which prevent guesses of a request from a receipt's `requestDigest`.

A nonce is HMAC-SHA-256 of the request's id under a secret of the caller. So a repeat by
`--request-id` has the same Body, also in another process. Only the caller can compute the nonce.
"""

import hmac
import os
from hashlib import sha256
from typing import Final
from uuid import UUID

from makul_client.errors import ProfileError
from makul_client.profile import Channel, Profile
from makul_client.toml_table import read_profile_file
from makul_client.translation import translate

_LABEL: Final = b"makul_client nonce 1"
"""The label that separates this use of a private key's file from every other use."""
_MAX_FILE_BYTES: Final = 64 * 1024
_MIN_SECRET_BYTES: Final = 32
"""The minimum size of the file of `[nonce]`: the output size of SHA-256."""


class Nonces:
    """The nonces of one caller, by the ids of requests."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(_LABEL, secret, "sha256")

    def nonce_for_request(self, request_id: UUID) -> bytes:
        """Return the nonce of a request: 32 bytes, which are equal for each repeat."""
        return hmac.digest(self._key, request_id.bytes, "sha256")


def nonces_for(profile: Profile) -> Nonces | None:
    """Return the nonces of a profile, or None if it names no secret.

    The secret is the file of `[nonce]`. Without it, the secret is the file of the private key that
    identifies the caller. On the channel `xroad` the security server holds that key, so a profile
    for `xroad` without `[nonce]` has no secret. Raises `ProfileError`.
    """
    if profile.nonce_key is not None:
        secret = read_profile_file(profile.nonce_key, _MAX_FILE_BYTES)
        if len(secret) < _MIN_SECRET_BYTES:
            raise ProfileError(
                translate(
                    "{file}: shorter than {min_bytes} bytes",
                    file=profile.nonce_key,
                    min_bytes=_MIN_SECRET_BYTES,
                )
            )
        return Nonces(secret)
    service, signing = profile.service, profile.signing
    if service.channel is Channel.WSSE and signing is not None:
        password = os.environ.get(signing.key_password_env or "", "").encode()
        return Nonces(sha256(read_profile_file(signing.key, _MAX_FILE_BYTES)).digest() + password)
    if service.tls_key is not None:
        return Nonces(sha256(read_profile_file(service.tls_key, _MAX_FILE_BYTES)).digest())
    return None

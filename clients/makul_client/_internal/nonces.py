"""Nonces of requests: a receipt's `requestDigest` lets nobody test guesses of what was asked.

A nonce is HMAC-SHA-256 of the request's id under a secret of the caller. So a repeat by
`--request-id`, in another process too, has the same Body, and nobody else can compute it.
"""

import hmac
import os
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from makul_client._internal.files import UnreadableFileError, read_bounded
from makul_client.errors import ProfileError
from makul_client.profile import Channel, Profile

_LABEL: Final = b"makul_client nonce 1"
"""Keeps these uses of a private key's file apart from every other."""
_MAX_FILE: Final = 64 * 1024
_LEAST: Final = 32
"""Bytes of a secret of one's own: what SHA-256 can hold."""


class Nonces:
    """The nonces of one caller, by the ids of requests."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(_LABEL, secret, "sha256")

    def nonce_of(self, request_id: UUID) -> bytes:
        """Return the nonce of a request: 32 bytes, the same for each repeat of it."""
        return hmac.digest(self._key, request_id.bytes, "sha256")


def nonces_for(profile: Profile) -> Nonces | None:
    """Return the nonces of a profile; None where it names no secret.

    The secret is the file of `[nonce]`, else that of the private key which tells who is calling.
    With channel `xroad` that key is the security server's: without `[nonce]` there is no secret
    that a second process would have as well. Raises `ProfileError`.
    """
    if profile.nonce_key is not None:
        secret = _read(profile.nonce_key)
        if len(secret) < _LEAST:
            raise ProfileError(f"{profile.nonce_key}: shorter than {_LEAST} bytes")
        return Nonces(secret)
    service, signing = profile.service, profile.signing
    if service.channel is Channel.WSSE and signing is not None:
        password = os.environ.get(signing.key_password_env or "", "").encode()
        return Nonces(sha256(_read(signing.key)).digest() + password)
    if service.tls_key is not None:
        return Nonces(sha256(_read(service.tls_key)).digest())
    return None


def _read(file: Path) -> bytes:
    try:
        return read_bounded(file, _MAX_FILE)
    except FileNotFoundError:
        raise ProfileError(f"{file}: there is no such file") from None
    except UnreadableFileError as error:
        raise ProfileError(str(error)) from None

"""ID tokens of an identity provider (OpenID Connect Core 1.0; RFC 7515, 7517, 7519).

Only RS256 and ES256 with the keys of a local file are accepted. The token names its key by `kid`;
the key, and not the token, determines the algorithm. So `none`, HMAC with a public key as its
secret, and keys that a token brings with it have no way in (RFC 8725, 3.1 and 3.2).
"""

import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from makul.app.ports.identity import IdToken
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.identity import IdentityClaims
from makul.domain.reasons import Code, Reason
from makul.language.translation import translate
from makul.net.files import read_bounded
from makul.trust.base.algorithms import strong_public_key
from makul.trust.base.errors import SignatureFailure
from makul.trust.keys.files import KeyFileError

MAX_TOKEN: Final = 8192
"""Characters. An ID token with 20 claims and a signature of RSA-4096 has some 2,000."""
MAX_JWKS_BYTES: Final = 256 * 1024
"""Maximum size of a file of keys. Providers publish two to ten keys of below 3 KiB each."""
MAX_KEYS: Final = 50

_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_HEADER: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""Parameters of a token's header that may occur. Keys, addresses and extensions may not."""
_LATEST: Final = 253_370_764_800
"""The year 9999 in seconds since 1970."""

_Key = RSAKey | ECKey


class _UnfitTokenError(Exception):
    """A token proves nothing. The message is the name of the field."""


class JwksVerifier:
    """An `IdentityVerifier` with the keys of a JWKS file, which is read once."""

    def __init__(self, keys: Mapping[str, _Key], *, pin_claim: str) -> None:
        self._keys = dict(keys)
        self._pin_claim = pin_claim

    @classmethod
    def load(cls, path: Path, *, pin_claim: str = "pin") -> "JwksVerifier":
        """Read the keys of the identity provider. Raises `KeyFileError` or `FileError`."""
        content = read_bounded(path, MAX_JWKS_BYTES)
        try:
            return cls(_parse_keys(_parse_object(content)), pin_claim=pin_claim)
        except _UnfitTokenError as error:
            raise KeyFileError(
                translate(
                    "{path}: not the keys of an identity provider: {problem}. Write a JWKS whose"
                    " keys each have a kid of its own and are public keys for RS256 or ES256.",
                    path=path,
                    problem=str(error),
                )
            ) from None

    def verify(self, token: IdToken) -> IdentityClaims | Reason:
        """Return the claims of a token, or why it proves nothing (SUB-01)."""
        try:
            return self._read_claims(self._verify_signature(token.text))
        except _UnfitTokenError as error:
            return Reason(code=Code.SUB_01, field=str(error))

    def _verify_signature(self, text: str) -> bytes:
        """Return the payload of a token whose signature is right."""
        if len(text) > MAX_TOKEN or not _COMPACT.fullmatch(text):
            raise _UnfitTokenError("idToken")
        try:
            signed = jws.extract_compact(text.encode("ascii"))
            header = _parse_object(_decode(text.partition(".")[0]))
        except (JoseError, ValueError, RecursionError, binascii.Error):
            raise _UnfitTokenError("idToken") from None
        key = self._find_key(header)
        algorithm = _algorithm_of(key)
        if header.get("alg") != algorithm:
            raise _UnfitTokenError("alg")
        try:
            valid = jws.validate_compact(signed, key, algorithms=[algorithm])
        except (JoseError, ValueError):
            valid = False
        if not valid or signed.payload is None:
            raise _UnfitTokenError("signature")
        return signed.payload

    def _find_key(self, header: Mapping[str, Any]) -> _Key:
        if not header.keys() <= _HEADER:
            raise _UnfitTokenError("header")
        if header.get("typ", "JWT") != "JWT":
            raise _UnfitTokenError("typ")
        kid = header.get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise _UnfitTokenError("kid")
        return key

    def _read_claims(self, payload: bytes) -> IdentityClaims:
        claims = _parse_object(payload)
        if "azp" in claims and claims["azp"] != _audience(claims):
            raise _UnfitTokenError("azp")
        return IdentityClaims(
            issuer=_text(claims, "iss"),
            audience=_audience(claims),
            nonce=_text(claims, "nonce"),
            level=_text(claims, "acr"),
            subject=_pin(claims, self._pin_claim),
            issued_at=_instant(claims, "iat"),
            expires_at=_instant(claims, "exp"),
            not_before=_instant(claims, "nbf") if "nbf" in claims else None,
        )


def _parse_keys(document: Mapping[str, Any]) -> Mapping[str, _Key]:
    """Return the keys for signatures by their ids. Raises `_UnfitTokenError`, also without any."""
    listed = document.get("keys")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_KEYS:
        raise _UnfitTokenError("keys")
    keys: dict[str, _Key] = {}
    for each in listed:
        if not isinstance(each, dict):
            raise _UnfitTokenError("keys")
        if each.get("use", "sig") != "sig":
            continue  # a provider publishes its keys for encryption in the same file
        kid = each.get("kid")
        if not isinstance(kid, str) or not kid or kid in keys:
            raise _UnfitTokenError("kid")
        keys[kid] = _import_key(each)
    if not keys:
        raise _UnfitTokenError("keys")
    return keys


def _import_key(data: Mapping[str, Any]) -> _Key:
    """Return a public key that is strong enough and whose algorithm is known."""
    if {"d", "p", "q", "k"} & data.keys():
        raise _UnfitTokenError("d")
    try:
        key = _import_by_type(data["kty"], dict(data))
        public = strong_public_key(key.public_key)
    except (KeyError, TypeError, ValueError, binascii.Error, JoseError, SignatureFailure, Warning):
        raise _UnfitTokenError("kty") from None
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name != "secp256r1":
        raise _UnfitTokenError("crv")
    if data.get("alg", _algorithm_of(key)) != _algorithm_of(key):
        raise _UnfitTokenError("alg")
    return key


def _import_by_type(key_type: str, data: dict[str, Any]) -> _Key:
    if key_type == "RSA":
        return RSAKey.import_key(data)
    if key_type == "EC":
        return ECKey.import_key(data)
    raise ValueError("this type of key signs no token")


def _algorithm_of(key: _Key) -> str:
    return "RS256" if isinstance(key.public_key, rsa.RSAPublicKey) else "ES256"


def _decode(segment: str) -> bytes:
    return urlsafe_b64decode(segment.encode("ascii"))


def _parse_object(content: bytes) -> Mapping[str, Any]:
    """Return a JSON object in which no name occurs twice (RFC 8725, 2.4)."""
    try:
        parsed = json.loads(
            content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise _UnfitTokenError("json") from None
    if not isinstance(parsed, dict):
        raise _UnfitTokenError("json")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise _UnfitTokenError(name)
    return value


def _audience(claims: Mapping[str, Any]) -> str:
    """Return the only audience. With several of them, another party holds this token too."""
    value = claims.get("aud")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        raise _UnfitTokenError("aud")
    return value


def _pin(claims: Mapping[str, Any], name: str) -> Pin:
    try:
        return Pin(_text(claims, name))
    except (MalformedIdentifierError, _UnfitTokenError):
        raise _UnfitTokenError("pin") from None


def _instant(claims: Mapping[str, Any], name: str) -> datetime:
    """Return a NumericDate of whole seconds; true is no number here."""
    value = claims.get(name)
    if type(value) is not int or not 0 <= value < _LATEST:
        raise _UnfitTokenError(name)
    return datetime.fromtimestamp(value, UTC)

"""ID tokens: each false field, each confusion of keys, and each hostile form (SUB-01)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from makul.app.ports.identity import IdToken
from makul.domain.identifiers import Pin
from makul.domain.identity import (
    ExpectedIdentity,
    IdentityClaims,
    LevelPolicy,
    judge_identity,
)
from makul.domain.reasons import Reason
from makul.net.files import FileError
from makul.trust.id_tokens import MAX_KEYS, MAX_TOKEN, JwksVerifier
from makul.trust.keys.files import KeyFileError
from makul_sandbox.data.identity_provider import ISSUER, LEVELS, IdentityProvider

PROVIDER = IdentityProvider.generate()
PIN = Pin("20101199000017")
AT = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
REQUEST = UUID("7d9a3c1e-0000-4000-8000-00000000004a")
AUDIENCE = "citizens-portal"
EXPECTED = ExpectedIdentity(
    issuer=ISSUER, audience=AUDIENCE, request_id=REQUEST, operation="ListDisclosures"
)
POLICY = LevelPolicy(levels=LEVELS, minimum="substantial", by_operation={"RevokeConsent": "high"})

Claims = dict[str, Any]


def good_claims() -> Claims:
    return PROVIDER.claims(PIN, REQUEST, audience=AUDIENCE, at=AT)


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> JwksVerifier:
    return JwksVerifier.load(write(tmp_path_factory.mktemp("keys"), PROVIDER.jwks()))


def write(directory: Path, content: bytes) -> Path:
    path = directory / "jwks.json"
    path.write_bytes(content)
    return path


def judge(verifier: JwksVerifier, token: str, operation: str = "ListDisclosures") -> list[str]:
    """Return the codes and fields of everything that is wrong with a token."""
    claims = verifier.verify(IdToken(token))
    if isinstance(claims, Reason):
        return [f"{claims.code} {claims.field}"]
    expected = ExpectedIdentity(
        issuer=ISSUER, audience=AUDIENCE, request_id=REQUEST, operation=operation
    )
    reasons = judge_identity(claims, expected, POLICY, at=AT)
    return [f"{reason.code} {reason.field}" for reason in reasons]


@pytest.mark.parametrize("with_rsa", [False, True])
def test_a_good_token_names_its_citizen(verifier: JwksVerifier, with_rsa: bool) -> None:
    """RS256 and ES256 are accepted, with one audience as a text or as a list."""
    for audience in (AUDIENCE, [AUDIENCE]):
        token = PROVIDER.sign(good_claims() | {"aud": audience}, with_rsa=with_rsa)
        claims = verifier.verify(IdToken(token))
        assert isinstance(claims, IdentityClaims)
        assert claims.subject == PIN
        assert judge(verifier, token) == []


FALSE_CLAIMS: dict[str, tuple[Claims, str]] = {
    "another issuer": ({"iss": "https://other.example"}, "SUB-01 iss"),
    "an issuer with a slash": ({"iss": ISSUER + "/"}, "SUB-01 iss"),
    "no issuer": ({"iss": None}, "SUB-01 iss"),
    "another portal": ({"aud": "bank"}, "SUB-01 aud"),
    "two portals": ({"aud": [AUDIENCE, "bank"]}, "SUB-01 aud"),
    "no portal in the list": ({"aud": []}, "SUB-01 aud"),
    "a portal in a list in a list": ({"aud": [[AUDIENCE]]}, "SUB-01 aud"),
    "another authorised party": ({"azp": "bank"}, "SUB-01 azp"),
    "another request": ({"nonce": str(UUID(int=1))}, "SUB-01 nonce"),
    "upper case": ({"nonce": str(REQUEST).upper()}, "SUB-01 nonce"),
    "no nonce": ({"nonce": None}, "SUB-01 nonce"),
    "an empty nonce": ({"nonce": ""}, "SUB-01 nonce"),
    "5 minutes and a second ago": ({"iat": NOW - 301}, "SUB-01 iat"),
    "in the future": ({"iat": NOW + 61, "exp": NOW + 400}, "SUB-01 iat"),
    "a text as time": ({"iat": str(NOW)}, "SUB-01 iat"),
    "true as time": ({"iat": True}, "SUB-01 iat"),
    "a fraction as time": ({"iat": NOW + 0.5}, "SUB-01 iat"),
    "a time that no calendar has": ({"iat": 10**30}, "SUB-01 iat"),
    "before 1970": ({"iat": -1}, "SUB-01 iat"),
    "ended now": ({"exp": NOW}, "SUB-01 exp"),
    "no end": ({"exp": None}, "SUB-01 exp"),
    "an end before its issue": ({"iat": NOW + 30, "exp": NOW + 20}, "SUB-01 exp"),
    "not yet": ({"nbf": NOW + 61}, "SUB-01 nbf"),
    "no PIN": ({"pin": None}, "SUB-01 pin"),
    "a PIN of 13 digits": ({"pin": PIN.digits[:-1]}, "SUB-01 pin"),
    "a PIN as a number": ({"pin": int(PIN.digits)}, "SUB-01 pin"),
    "a PIN in Arabic digits": ({"pin": "٢" + PIN.digits[1:]}, "SUB-01 pin"),
    "a PIN and a line": ({"pin": PIN.digits + "\n"}, "SUB-01 pin"),
    "a level too low": ({"acr": "low"}, "SUB-02 acr"),
    "an unknown level": ({"acr": "highest"}, "SUB-02 acr"),
    "no level": ({"acr": None}, "SUB-01 acr"),
    "a level as a list": ({"acr": ["high"]}, "SUB-01 acr"),
}


@pytest.mark.parametrize("case", FALSE_CLAIMS)
def test_each_false_claim_is_refused_by_its_name(verifier: JwksVerifier, case: str) -> None:
    """One claim is changed; None removes it."""
    changes, expected = FALSE_CLAIMS[case]
    claims = {name: value for name, value in (good_claims() | changes).items() if value is not None}

    assert judge(verifier, PROVIDER.sign(claims)) == [expected]


@pytest.mark.parametrize("seconds", [-300, -1, 0, 60])
def test_the_edges_of_age_are_good(verifier: JwksVerifier, seconds: int) -> None:
    """5 minutes back, and 60 seconds ahead for a clock that differs."""
    token = PROVIDER.sign(good_claims() | {"iat": NOW + seconds, "exp": NOW + 400})

    assert judge(verifier, token) == []


def test_a_level_may_be_higher_for_one_operation(verifier: JwksVerifier) -> None:
    """The minimum of the operation replaces the general one."""
    token = PROVIDER.sign(good_claims() | {"acr": "substantial"})

    assert judge(verifier, token) == []
    assert judge(verifier, token, "RevokeConsent") == ["SUB-02 acr"]


def encode(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(header: Any, payload: Any, key: ECKey | RSAKey | None = None) -> str:
    """Return a token with any header and payload, signed rightly with a key of the provider."""
    signing_input = f"{encode(header)}.{encode(payload)}"
    key = key or PROVIDER.ec
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    model = jws.JWSRegistry.algorithms[algorithm]
    return f"{signing_input}.{encode(model.sign(signing_input.encode(), key))}"


EC_HEADER = {"alg": "ES256", "kid": "sandbox-ec", "typ": "JWT"}
RSA_HEADER = {"alg": "RS256", "kid": "sandbox-rsa", "typ": "JWT"}


def _with_hmac() -> str:
    """Return a token whose secret is the provider's public key (the known confusion)."""
    secret = PROVIDER.rsa.as_pem(private=False)
    signing_input = f"{encode({'alg': 'HS256', 'kid': 'sandbox-rsa'})}.{encode(good_claims())}"
    mac = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{encode(mac)}"


def _of_a_stranger(**header: Any) -> str:
    return signed(EC_HEADER | header, good_claims(), ECKey.generate_key("P-256"))


def _changed_payload() -> str:
    head, _, signature = PROVIDER.sign(good_claims()).split(".")
    return f"{head}.{encode(good_claims() | {'pin': '20101199000025'})}.{signature}"


def _duplicate(name: str, first: Any) -> bytes:
    rest = json.dumps(good_claims())[1:]
    return f'{{"{name}": {json.dumps(first)}, {rest}'.encode()


def _with_header(**changes: Any) -> Callable[[], str]:
    return lambda: signed(EC_HEADER | changes, good_claims())


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "alg none": (
        lambda: f"{encode({'alg': 'none', 'kid': 'sandbox-ec'})}.{encode(good_claims())}.AA",
        "alg",
    ),
    "alg none without a signature": (
        lambda: f"{encode({'alg': 'none', 'kid': 'sandbox-ec'})}.{encode(good_claims())}.",
        "idToken",
    ),
    "HMAC with the public key": (_with_hmac, "alg"),
    "the algorithm of the other key": (
        lambda: signed(EC_HEADER | {"alg": "RS256"}, good_claims()),
        "alg",
    ),
    "RS512": (lambda: signed(RSA_HEADER | {"alg": "RS512"}, good_claims(), PROVIDER.rsa), "alg"),
    "PS256": (lambda: signed(RSA_HEADER | {"alg": "PS256"}, good_claims(), PROVIDER.rsa), "alg"),
    "no algorithm": (lambda: signed({"kid": "sandbox-ec"}, good_claims()), "idToken"),
    "an algorithm as a list": (
        lambda: signed(EC_HEADER | {"alg": ["ES256"]}, good_claims()),
        "alg",
    ),
    "the key of a stranger": (_of_a_stranger, "signature"),
    "a key that the token brings": (
        lambda: _of_a_stranger(jwk=PROVIDER.ec.as_dict(private=False)),
        "header",
    ),
    "an address of keys": (lambda: _of_a_stranger(jku="https://evil.example/jwks"), "header"),
    "a certificate of its own": (lambda: _of_a_stranger(x5c=["AA=="]), "header"),
    "a critical extension": (
        lambda: signed(EC_HEADER | {"crit": ["exp"]}, good_claims()),
        "header",
    ),
    "a payload that is not encoded": (
        lambda: signed(EC_HEADER | {"b64": False, "crit": ["b64"]}, good_claims()),
        "header",
    ),
    "an access token": (lambda: signed(EC_HEADER | {"typ": "at+jwt"}, good_claims()), "typ"),
    "an unknown key": (lambda: signed(EC_HEADER | {"kid": "other"}, good_claims()), "kid"),
    "no key": (lambda: signed({"alg": "ES256"}, good_claims()), "kid"),
    "a key name as a list": (
        lambda: signed(EC_HEADER | {"kid": ["sandbox-ec"]}, good_claims()),
        "kid",
    ),
    "a changed payload": (_changed_payload, "signature"),
    "a cut signature": (lambda: PROVIDER.sign(good_claims())[:-4], "signature"),
    "a signature as DER": (
        lambda: ".".join((*PROVIDER.sign(good_claims()).split(".")[:2], encode(b"\x30\x06" * 20))),
        "signature",
    ),
    "a PIN twice": (lambda: signed(EC_HEADER, _duplicate("pin", "20101199000025")), "json"),
    "a nonce twice": (lambda: signed(EC_HEADER, _duplicate("nonce", "x")), "json"),
    "an algorithm twice": (
        lambda: signed(
            b'{"alg": "none", "alg": "ES256", "kid": "sandbox-ec"}',
            good_claims(),
        ),
        "json",
    ),
    "a list as claims": (lambda: signed(EC_HEADER, [good_claims()]), "json"),
    "NaN": (lambda: signed(EC_HEADER, b'{"iat": NaN}'), "json"),
    "a number of 5000 digits": (
        lambda: signed(EC_HEADER, b'{"iat": ' + b"1" * 5000 + b"}"),
        "json",
    ),
    "2000 levels": (lambda: signed(EC_HEADER, b"[" * 2000 + b"]" * 2000), "json"),
    "not UTF-8": (lambda: signed(EC_HEADER, b'{"pin": "\xff"}'), "json"),
    "a byte order mark": (
        lambda: signed(EC_HEADER, b"\xef\xbb\xbf" + json.dumps(good_claims()).encode()),
        "json",
    ),
    "a huge token": (lambda: PROVIDER.sign(good_claims() | {"x": "y" * MAX_TOKEN}), "idToken"),
    "a huge header": (lambda: signed(EC_HEADER | {"x5t": "y" * 2000}, good_claims()), "idToken"),
    "two parts": (lambda: PROVIDER.sign(good_claims()).rpartition(".")[0], "idToken"),
    "five parts": (lambda: PROVIDER.sign(good_claims()) + ".AA.AA", "idToken"),
    "padding": (lambda: PROVIDER.sign(good_claims()) + "=", "idToken"),
    "a line": (lambda: PROVIDER.sign(good_claims()) + "\n", "idToken"),
    "other letters": (lambda: "ы" + PROVIDER.sign(good_claims()), "idToken"),
    "nothing": (lambda: "", "idToken"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_token_proves_nothing(verifier: JwksVerifier, case: str) -> None:
    """Each is SUB-01, names its field and raises nothing."""
    make, field = HOSTILE[case]

    assert judge(verifier, make()) == [f"SUB-01 {field}"]


def test_a_token_does_not_print() -> None:
    """It would let a reader of a log act as the citizen for minutes."""
    token = PROVIDER.sign(good_claims())

    assert token not in repr(IdToken(token))
    assert token not in str(IdToken(token))


# --- the file of keys -----------------------------------------------------------------------------


def public(key: ECKey | RSAKey, **changes: Any) -> Claims:
    return {**key.as_dict(private=False), **changes}


BAD_KEYS: dict[str, Any] = {
    "no keys": {"keys": []},
    "no list": {"keys": {}},
    "no object": [],
    "two keys with one kid": {
        "keys": [public(PROVIDER.ec, kid="same"), public(PROVIDER.rsa, kid="same")]
    },
    "no kid": {"keys": [{k: v for k, v in public(PROVIDER.ec).items() if k != "kid"}]},
    "a private key": {"keys": [PROVIDER.ec.as_dict(private=True)]},
    "a secret": {"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]},
    "P-384": {"keys": [public(ECKey.generate_key("P-384"), kid="a")]},
    "an unknown type": {"keys": [{"kty": "AKP", "kid": "a"}]},
    "the wrong algorithm": {"keys": [public(PROVIDER.rsa, alg="ES256")]},
    "only keys for encryption": {"keys": [public(PROVIDER.rsa, use="enc")]},
    "a point off the curve": {"keys": [public(PROVIDER.ec, y=PROVIDER.ec.as_dict()["x"])]},
    "too many": {"keys": [public(PROVIDER.ec, kid=str(n)) for n in range(MAX_KEYS + 1)]},
    "RSA without a modulus": {"keys": [{"kty": "RSA", "kid": "a", "e": "AQAB"}]},
    "an exponent of 1": {"keys": [public(PROVIDER.rsa, e="AQ")]},
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_an_unusable_file_of_keys_stops_the_start(tmp_path: Path, case: str) -> None:
    """The message names the file and says what to write."""
    path = write(tmp_path, json.dumps(BAD_KEYS[case]).encode())

    with pytest.raises(KeyFileError, match="JWKS"):
        JwksVerifier.load(path)


def test_a_weak_key_stops_the_start(tmp_path: Path) -> None:
    """RSA of 1024 bits."""
    with pytest.warns(UserWarning, match="2048"):
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    path = write(tmp_path, json.dumps({"keys": [public(weak)]}).encode())

    with pytest.raises(KeyFileError):
        JwksVerifier.load(path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"keys": [], "keys": []}', b"\xff", b"[" * 5000])
def test_what_is_no_jwks_stops_the_start(tmp_path: Path, content: bytes) -> None:
    """Nothing raises another error."""
    with pytest.raises(KeyFileError):
        JwksVerifier.load(write(tmp_path, content))


def test_a_missing_or_huge_file_of_keys_is_named(tmp_path: Path) -> None:
    """The reader of files refuses both."""
    with pytest.raises(FileError):
        JwksVerifier.load(tmp_path / "none.json")
    with pytest.raises(FileError):
        JwksVerifier.load(write(tmp_path, b" " * (256 * 1024 + 1)))


def test_keys_for_encryption_are_ignored(tmp_path: Path) -> None:
    """A provider publishes them in the same file."""
    keys = {"keys": [public(PROVIDER.rsa, use="enc"), public(PROVIDER.ec)]}
    verifier = JwksVerifier.load(write(tmp_path, json.dumps(keys).encode()))

    assert judge(verifier, PROVIDER.sign(good_claims())) == []
    assert judge(verifier, PROVIDER.sign(good_claims(), with_rsa=True)) == ["SUB-01 kid"]

"""The certification of external keys, for example to try a bank's HSM against the sandbox.

The sandbox's directory holds the keys of its authorities, because all its people are synthetic. The
private key to certify stays with its holder, who gives a certificate request or a public key.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_public_key,
    load_pem_public_key,
)

from makul.admin.errors import OperatorError
from makul.admin.requests import Certification, KeyUse
from makul.admin.runtime import Runtime
from makul.app.ports import Official, OperatorRegistry
from makul.domain.identifiers import MemberCode
from makul.net.files import FileError, create_file, read_bounded
from makul.trust.keys.files import load_pair
from makul_sandbox.data.end_entities import (
    citizen_entity,
    encryption_entity,
    official_entity,
    organisation_entity,
)
from makul_sandbox.data.pki import Authority, Credential, PublicKey
from makul_sandbox.output.files import AUTHORITIES, CONFIG, INDEX

MAX_KEY_FILE_BYTES = 64 * 1024
MAX_INDEX_BYTES = 16 * 1024 * 1024
MIN_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
"""The curves that the service accepts (`trust.base.algorithms`).

A certificate for any other key would be useless.
"""


@dataclass(frozen=True, slots=True)
class _Holder:
    """The holder of a key, as the index of the sandbox names them."""

    details: Mapping[str, Any]
    title: str


def certify(request: Certification, runtime: Runtime) -> str:
    """Certify a key, write the certificate and register it. Return one line about the result.

    Raises `OperatorError` for a directory that is no sandbox, for an unknown party or citizen, and
    for a key that the service would not accept.
    """
    public_key = _read_public_key(request)
    holder = _find_holder(request)
    at = runtime.clock()
    certificate = _issue(request, holder, public_key, at)
    try:
        create_file(request.output, certificate.public_bytes(Encoding.PEM))
    except OSError as error:
        raise OperatorError(
            f"{request.output} cannot be made: {error.strerror}. Name another --output"
        ) from None
    if request.party is None:
        return f"{request.output}: {holder.title} may sign consents with this key"
    with runtime.open(request.directory / CONFIG) as installation:
        _register(installation.registry, request, holder, certificate, at)
    return f"{request.output}: registered for {holder.title}, for {request.use.value}"


def _find_holder(request: Certification) -> _Holder:
    path = request.directory / INDEX
    try:
        index = json.loads(read_bounded(path, MAX_INDEX_BYTES))
    except (FileError, ValueError):
        raise OperatorError(
            f"{request.directory} is no sandbox; start one: makul sandbox"
        ) from None
    if request.citizen is not None:
        known = {each["number"]: each for each in index["citizens"]}
        if request.citizen not in known:
            raise OperatorError(f"there is no citizen {request.citizen}; see {path}")
        return _Holder(known[request.citizen], f"citizen {request.citizen}")
    parties = {each["key"]: each for each in index["parties"]}
    if request.party not in parties:
        raise OperatorError(f"there is no such party; there are: {', '.join(sorted(parties))}")
    party = parties[request.party]
    return _Holder(party, f"{party['code']} ({request.party})")


def _read_public_key(request: Certification) -> PublicKey:
    """Return the key to certify.

    The signature of a certificate request must be valid, because it proves possession of the key.
    """
    name = request.key_file.name
    content = read_bounded(request.key_file, MAX_KEY_FILE_BYTES)
    try:
        key = _load_requested_key(content) if request.is_request else _load_public_key(content)
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        kind = "certificate request whose signature holds" if request.is_request else "public key"
        raise OperatorError(f"{name} is not a {kind}, in PEM or DER") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    raise OperatorError(
        f"{name}: the service takes RSA from {MIN_RSA_BITS} bits, P-256, -384, -521"
    )


def _load_requested_key(content: bytes) -> object:
    load: Callable[[bytes], x509.CertificateSigningRequest] = (
        x509.load_pem_x509_csr if content.lstrip().startswith(b"-----") else x509.load_der_x509_csr
    )
    request = load(content)
    if not request.is_signature_valid:
        raise InvalidSignature
    return request.public_key()


def _load_public_key(content: bytes) -> object:
    if content.lstrip().startswith(b"-----"):
        return load_pem_public_key(content)
    return load_der_public_key(content)


def _issue(
    request: Certification, holder: _Holder, public_key: PublicKey, at: datetime
) -> x509.Certificate:
    details = holder.details
    if request.citizen is not None:
        given_name = details["givenName"]
        citizen = citizen_entity(
            pin_digits=details["pin"],
            surname=details["surname"]["latin"],
            given_name=None if given_name is None else given_name["latin"],
        )
        return _load_authority(request.directory, "citizens", at).certify(citizen, public_key)
    code, name = details["code"], details["name"]
    if request.use is KeyUse.SEALING and not isinstance(public_key, rsa.RSAPublicKey):
        raise OperatorError("answers are encrypted to RSA keys alone; give one, or --for message")
    entity = {
        KeyUse.MESSAGE: organisation_entity(member_code=code, common_name=name),
        KeyUse.SEALING: encryption_entity(member_code=code, common_name=name),
        KeyUse.OFFICIAL: official_entity(member_code=code, name=name, identifier="OWN"),
    }[request.use]
    return _load_authority(request.directory, "organisations", at).certify(entity, public_key)


def _load_authority(directory: Path, name: str, at: datetime) -> Authority:
    files = directory / AUTHORITIES
    key, chain = load_pair(files / f"{name}.key.pem", files / f"{name}.cert.pem")
    return Authority(credential=Credential(key=key, certificate=chain[0]), made_at=at)


def _register(
    registry: OperatorRegistry,
    request: Certification,
    holder: _Holder,
    certificate: x509.Certificate,
    at: datetime,
) -> None:
    der = certificate.public_bytes(Encoding.DER)
    code, fingerprint = MemberCode(holder.details["code"]), sha256(der).digest()
    if request.use is KeyUse.SEALING:
        registry.add_encryption_certificate(code, fingerprint, der, at=at)
    elif request.use is KeyUse.OFFICIAL:
        identifier = f"OWN-{fingerprint.hex()[:8]}"
        official = Official(
            recipient=code,
            identifier=identifier,
            name=holder.details["name"],
            fingerprint=fingerprint,
            not_after=certificate.not_valid_after_utc,
        )
        registry.add_official(official, at=at)
    else:
        registry.add_certificate(code, fingerprint, der, at=at)

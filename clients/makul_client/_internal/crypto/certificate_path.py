"""The validation of a certificate path to a trusted authority, revocation included.

It follows RFC 5280, section 6, and works offline: pyhanko-certvalidator fetches nothing here.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    PathBuildingError,
    RevokedError,
    ValidationError,
)

from makul_client._internal.crypto.certificates import UNREADABLE, Certificate
from makul_client._internal.crypto.credentials import signature_method
from makul_client.translation import mark

# The loaders of asn1crypto have no type annotations.
_LOAD_CERTIFICATE: Final[Any] = asn1_x509.Certificate.load
_LOAD_CRL: Final[Any] = asn1_crl.CertificateList.load

_WEAK_HASHES: Final = frozenset({"md2", "md5", "sha1"})


class PathVerdict(StrEnum):
    """The result of validating a certificate's path."""

    TRUSTED = mark("trusted")
    NOT_TRUSTED = mark("no path to a trusted authority")
    OUT_OF_TERM = mark("out of term")
    REVOKED = mark("revoked")
    REVOCATION_UNKNOWN = mark("its revocation status cannot be determined")
    NOT_FOR_SIGNING = mark("not for signing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The authorities that are trusted, and the data for building and checking paths."""

    anchors: Sequence[Certificate]
    intermediates: Sequence[Certificate] = ()
    crls: Sequence[x509.CertificateRevocationList] = ()
    """The CRLs. If there are any, a current CRL must cover every certificate of a path."""

    def judge(
        self, certificate: Certificate, *, at: datetime, afterwards: bool = False
    ) -> PathVerdict:
        """Judge the path of a signing certificate at the moment `at`.

        With `afterwards`, CRLs issued after that moment may show the state at that moment. A
        certificate revoked later was still valid then.
        """
        if not _may_sign(certificate):
            return PathVerdict.NOT_FOR_SIGNING
        context = ValidationContext(
            trust_roots=[_asn1(each) for each in self.anchors],
            other_certs=[_asn1(each) for each in self.intermediates],
            moment=at,
            allow_fetching=False,
            crls=[_asn1_crl(each) for each in self.crls],
            ocsps=[],
            revocation_mode="require" if self.crls else "soft-fail",
            weak_hash_algos=_WEAK_HASHES,
            retroactive_revinfo=afterwards,
        )
        return _verdict(CertificateValidator(_asn1(certificate), validation_context=context))


def _verdict(validator: CertificateValidator) -> PathVerdict:
    try:
        _run(validator)
    except RevokedError:
        return PathVerdict.REVOKED
    except (ExpiredError, NotYetValidError):
        return PathVerdict.OUT_OF_TERM
    except InsufficientRevinfoError:
        return PathVerdict.REVOCATION_UNKNOWN
    except (PathBuildingError, ValidationError):
        return PathVerdict.NOT_TRUSTED
    return PathVerdict.TRUSTED


def _run(validator: CertificateValidator) -> None:
    """Run the validator's coroutine, even if the caller is inside an event loop of its own."""
    with ThreadPoolExecutor(max_workers=1) as apart:
        apart.submit(lambda: asyncio.run(validator.async_validate_path())).result()


def _may_sign(certificate: Certificate) -> bool:
    """Return whether the key is strong enough and for signatures (ETSI EN 319 412-2, 4.3.2)."""
    try:
        signature_method(certificate.x509.public_key())
        usage = certificate.x509.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return usage.digital_signature or usage.content_commitment


def _asn1(certificate: Certificate) -> asn1_x509.Certificate:
    read: asn1_x509.Certificate = _LOAD_CERTIFICATE(certificate.der)
    return read


def _asn1_crl(crl: x509.CertificateRevocationList) -> asn1_crl.CertificateList:
    read: asn1_crl.CertificateList = _LOAD_CRL(crl.public_bytes(Encoding.DER))
    return read

"""Read what the CRLs of a CA state (RFC 5280, 5 and 6.3).

A CRL is judged once, when it is loaded: its issuer, signature, extensions and entries. Its entries
become a table, in which a look-up takes microseconds for a list of any length. The CRL of a nation
has 10^5 entries. `revocation.status` draws the conclusion from all statements.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from asn1crypto.core import GeneralizedTime
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from makul.language.translation import translate
from makul.net.certificate_der import signed_part
from makul.trust.base.algorithms import is_signed_with, strong_public_key

Term: TypeAlias = tuple[datetime, datetime]
"""A first and a last instant."""

SERIAL_BYTES = 21
"""The maximum width of a serial number: 20 octets (RFC 5280, 4.1.2.2), and one more because some
CAs forget the sign."""

_STRONG_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""The accepted hashes, as in `base.algorithms`. The keys of CAs are checked by that policy when
their certificates are loaded."""

_EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
"""The OID of expiredCertsOnCRL (ITU-T X.509, 9.5.2.8): since when the CRL keeps expired
certificates."""

_HARMLESS = frozenset(
    {
        ExtensionOID.CRL_NUMBER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        _EXPIRED_CERTS_ON_CRL,
    }
)
"""Extensions that, critical or not, leave a CRL complete and limited to its issuer's
certificates."""
_PARTIAL = frozenset({ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.FRESHEST_CRL})
"""Extensions that, critical or not, make a CRL part of a whole: a base with its deltas."""


_HARMLESS_TO_ENTRY = frozenset({x509.ObjectIdentifier("2.5.29.23")})
"""The OID of holdInstructionCode. It changes nothing, because a hold counts as a revocation
here."""


_REASON_CODES = MappingProxyType(
    {
        "unspecified": 0,
        "keyCompromise": 1,
        "cACompromise": 2,
        "affiliationChanged": 3,
        "superseded": 4,
        "cessationOfOperation": 5,
        "certificateHold": 6,
        "removeFromCRL": 8,
        "privilegeWithdrawn": 9,
        "aACompromise": 10,
    }
)
"""The codes of CRLReason (RFC 5280, 5.3.1)."""
_REASON_NAMES = MappingProxyType({code: name for name, code in _REASON_CODES.items()})
_NO_REASON = 255

COMPROMISED = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
"""Reasons that mean that another person may have signed, since the invalidity date if it is
stated."""
CERTIFICATE_HOLD = "certificateHold"
"""The only reason that a later statement may withdraw."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_DATE = -(2**63)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlEntry:
    """One certificate revocation, from an entry of a CRL or from an OCSP response."""

    serial: int
    revoked_at: datetime
    invalid_since: datetime | None = None
    """Since when the key is suspected (RFC 5280, 5.3.2)."""
    reason: str | None = None
    """The name of the reason in RFC 5280, 5.3.1."""

    @property
    def effective(self) -> datetime:
        """The moment from which the certificate does not count."""
        if self.reason in COMPROMISED and self.invalid_since is not None:
            return min(self.revoked_at, self.invalid_since)
        return self.revoked_at


class Entries:
    """The entries of a CRL, as one immutable, sorted table of bytes.

    An entry takes 38 octets: 21 for the serial number, 8 for each of two dates in seconds, one for
    the reason. The table takes a tenth of the memory of objects (38 MB for 10^6 entries). It gives
    the garbage collector nothing to traverse, and it stays shared between forked workers.
    """

    __slots__ = ("_table",)

    _REST = struct.Struct(">qqB")
    _WIDTH = SERIAL_BYTES + _REST.size

    def __init__(self, entries: Iterable[CrlEntry]) -> None:
        """Build the table; raise `OverflowError` for a serial number wider than `SERIAL_BYTES`."""
        self._table = b"".join(sorted({self._pack(each) for each in entries}))

    def __len__(self) -> int:
        return len(self._table) // self._WIDTH

    def of(self, serial: int) -> CrlEntry | None:
        """Return the entry of that serial number; of several, the one that takes effect first.

        Raises `OverflowError` for a number wider than `SERIAL_BYTES`.
        """
        sought = _octets(serial)
        index = bisect_left(range(len(self)), sought, key=self._serial_at)
        entry: CrlEntry | None = None
        while index < len(self) and self._serial_at(index) == sought:
            each = self._entry_at(index, serial)
            if entry is None or each.effective < entry.effective:
                entry = each
            index += 1
        return entry

    def _serial_at(self, index: int) -> bytes:
        start = index * self._WIDTH
        return self._table[start : start + SERIAL_BYTES]

    def _entry_at(self, index: int, serial: int) -> CrlEntry:
        revoked, invalid, reason = self._REST.unpack_from(
            self._table, index * self._WIDTH + SERIAL_BYTES
        )
        return CrlEntry(
            serial=serial,
            revoked_at=_EPOCH + timedelta(seconds=revoked),
            invalid_since=None if invalid == _NO_DATE else _EPOCH + timedelta(seconds=invalid),
            reason=_REASON_NAMES.get(reason),
        )

    @classmethod
    def _pack(cls, entry: CrlEntry) -> bytes:
        invalid = _NO_DATE if entry.invalid_since is None else _seconds(entry.invalid_since)
        reason = _NO_REASON if entry.reason is None else _REASON_CODES[entry.reason]
        return _octets(entry.serial) + cls._REST.pack(_seconds(entry.revoked_at), invalid, reason)


def _octets(number: int) -> bytes:
    return number.to_bytes(SERIAL_BYTES, "big", signed=True)


def _seconds(moment: datetime) -> int:
    """Return a moment in whole seconds since 1970, as CRLs have them (RFC 5280, 4.1.2.5)."""
    return (moment - _EPOCH) // timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The certificates of its issuer that a CRL covers (RFC 5280, 5.2.5 and 6.3.3, b, 2)."""

    users: bool = True
    authorities: bool = True
    places: frozenset[str] | None = None
    """The URIs of its distribution point; None if the CRL is not one of several parts."""

    def covers(self, *, is_ca: bool, places: frozenset[str]) -> bool:
        """Return whether the CRL covers a certificate of that kind with these URIs of its own.

        `places` are the URIs of the certificate's distribution points.
        """
        if not (self.authorities if is_ca else self.users):
            return False
        return self.places is None or bool(self.places & places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one CRL states, over [`this_update`, `next_update`)."""

    this_update: datetime
    next_update: datetime
    revoked: Entries | None
    """The entries. None if the CRL is its issuer's but contains something that is not understood;
    then it proves nothing about any certificate."""
    digest: bytes
    """SHA-256 of the CRL."""
    scope: Scope = Scope()
    expired_since: datetime | None = None
    """Certificates that expired at this moment or later are still in it (ITU-T X.509, 9.5.2.8)."""


def find_issuers(
    crl: x509.CertificateRevocationList, authorities: Iterable[x509.Certificate], der: bytes
) -> Sequence[x509.Certificate]:
    """Return the CAs that issued a CRL, by name, key usage and signature (RFC 5280, 6.3.3, f-g).

    Several certificates may have the same name and key. If there is none, the CRL states nothing.
    `der` are the CRL's exact bytes.
    """
    try:
        if not isinstance(crl.signature_hash_algorithm, _STRONG_HASHES):
            return ()
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return ()
    return [
        authority
        for authority in authorities
        if authority.subject == crl.issuer
        and _may_sign(authority)
        and _is_signed(crl, authority, der)
    ]


def _may_sign(authority: x509.Certificate) -> bool:
    """Return whether key usage, if it is stated, includes cRLSign (RFC 5280, 6.3.3, f)."""
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_signed(
    crl: x509.CertificateRevocationList, authority: x509.Certificate, der: bytes
) -> bool:
    try:
        key = strong_public_key(authority.public_key())
        if crl.public_bytes(Encoding.DER) == der:
            return crl.is_signature_valid(key)
        return is_signed_with(key, crl, signed_part(der))
    except (TypeError, ValueError, UnsupportedAlgorithm):  # an algorithm that does not fit the key
        return False


def read_statement(crl: x509.CertificateRevocationList, digest: bytes) -> Statement:
    """Return what a CRL states. The caller must have found its issuer before.

    Raises `ValueError` if it has no nextUpdate.
    """
    this_update, next_update = read_term(crl)
    scope, expired_since = Scope(), None
    try:
        scope = _scope(crl)
        expired_since = _expired_since(crl)
        revoked = Entries(_entries(crl)) if _is_understood(crl) else None
    except Exception:  # noqa: BLE001 - an error of any kind: this CRL proves nothing
        revoked = None
    return Statement(
        this_update=this_update,
        next_update=next_update,
        revoked=revoked,
        digest=digest,
        scope=scope if revoked is not None else Scope(),
        expired_since=expired_since,
    )


def read_term(crl: x509.CertificateRevocationList) -> Term:
    """Return thisUpdate and nextUpdate of a CRL; raise `ValueError` if nextUpdate is missing."""
    if crl.next_update_utc is None:
        raise ValueError(translate("it has no nextUpdate, which RFC 5280, 5.1.2.5, requires"))
    return crl.last_update_utc, crl.next_update_utc


def _is_understood(crl: x509.CertificateRevocationList) -> bool:
    """Return whether no extension makes the CRL unusable.

    RFC 5280, 5.2: a critical extension that is not understood makes the whole CRL unusable.
    """
    return all(
        extension.oid in _HARMLESS
        or extension.oid == ExtensionOID.ISSUING_DISTRIBUTION_POINT
        or not (extension.critical or extension.oid in _PARTIAL)
        for extension in crl.extensions
    )


def _scope(crl: x509.CertificateRevocationList) -> Scope:
    """Return the scope of a CRL (RFC 5280, 5.2.5).

    Raises `ValueError` for a scope that cannot be proved here: only some reasons, other CAs'
    certificates, attribute certificates, or a relative name.
    """
    try:
        stated = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    except x509.ExtensionNotFound:
        return Scope()
    point = stated.value
    if not stated.critical or point.relative_name is not None:
        raise ValueError("a distribution point that is not critical, or named relatively")
    if point.only_some_reasons or point.indirect_crl or point.only_contains_attribute_certs:
        raise ValueError("a CRL of some reasons, of other issuers or of attributes")
    return Scope(
        users=not point.only_contains_ca_certs,
        authorities=not point.only_contains_user_certs,
        places=None if point.full_name is None else _uris(point.full_name),
    )


def _uris(names: Iterable[x509.GeneralName]) -> frozenset[str]:
    return frozenset(
        name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)
    )


_Time: Any = GeneralizedTime  # asn1crypto has no type hints


def _expired_since(crl: x509.CertificateRevocationList) -> datetime | None:
    try:
        stated = crl.extensions.get_extension_for_oid(_EXPIRED_CERTS_ON_CRL).value
    except x509.ExtensionNotFound:
        return None
    if not isinstance(stated, x509.UnrecognizedExtension):
        return None
    moment: datetime = _Time.load(stated.value, strict=True).native
    return moment


def _entries(crl: x509.CertificateRevocationList) -> Iterable[CrlEntry]:
    """Yield all entries of a CRL.

    Raises `ValueError` if an entry has a critical extension that is not understood, because this
    makes the whole CRL unusable (RFC 5280, 5.3). Raises it also if an entry names another issuer,
    because the list is then an indirect CRL.
    """
    for entry in crl:
        reason: str | None = None
        invalid_since: datetime | None = None
        for extension in entry.extensions:
            value = extension.value
            if isinstance(value, x509.CRLReason):
                reason = value.reason.value
            elif isinstance(value, x509.InvalidityDate):
                invalid_since = value.invalidity_date_utc
            elif extension.oid not in _HARMLESS_TO_ENTRY and (
                extension.critical or extension.oid == CRLEntryExtensionOID.CERTIFICATE_ISSUER
            ):
                raise ValueError("an entry is not understood")
        yield CrlEntry(
            serial=entry.serial_number,
            revoked_at=entry.revocation_date_utc,
            invalid_since=invalid_since,
            reason=reason,
        )

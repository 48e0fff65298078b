"""Is a certificate revoked, by the CRLs of its issuer? (RFC 5280, 5 and 6.3)

A CRL is judged once, when it is loaded: whose it is, its signature, its extensions, its entries.
What is kept is a table of serial numbers, in which a look-up costs microseconds however long the
list is; a nation's has 10^5 entries. There are three answers, and UNKNOWN is never GOOD.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from makul.trust.algorithms import strong_public_key

Term: TypeAlias = tuple[datetime, datetime]
"""From the first instant to the last."""

SERIAL_BYTES = 21
"""The widest serial number: 20 octets (RFC 5280, 4.1.2.2), and one for CAs that forget the sign."""

_STRONG_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
"""As in `algorithms`. The keys of CAs are held to it when their certificates are loaded."""

_HARMLESS = frozenset(
    {
        ExtensionOID.CRL_NUMBER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)
"""Extensions that, critical or not, leave a CRL what it is: complete and its issuer's own."""
_PARTIAL = frozenset(
    {
        ExtensionOID.ISSUING_DISTRIBUTION_POINT,
        ExtensionOID.DELTA_CRL_INDICATOR,
        ExtensionOID.FRESHEST_CRL,
    }
)
"""Extensions by which a CRL is a part of a whole, critical or not: of the certificates, of the
reasons, of several CAs' lists, of a base with its deltas."""

_HARMLESS_TO_ENTRY = frozenset(
    {
        CRLEntryExtensionOID.CRL_REASON,
        CRLEntryExtensionOID.INVALIDITY_DATE,
        x509.ObjectIdentifier("2.5.29.23"),  # holdInstructionCode: a hold is a revocation here
    }
)


class Revocation(Enum):
    """What an issuer's CRLs say of one certificate."""

    GOOD = "not revoked"
    REVOKED = "revoked"
    UNKNOWN = "unknown or stale"


class Serials:
    """A set of serial numbers that is never changed, as one sorted table of bytes.

    It takes a fifth of the memory of a set of `int` (21 MB for 10^6 serial numbers, not 110), gives
    the garbage collector nothing to walk through, and stays shared between forked workers.
    """

    __slots__ = ("_table",)

    def __init__(self, numbers: Iterable[int]) -> None:
        """Raises `OverflowError` for a number wider than `SERIAL_BYTES`."""
        self._table = b"".join(sorted({_octets(number) for number in numbers}))

    def __len__(self) -> int:
        return len(self._table) // SERIAL_BYTES

    def __contains__(self, number: int) -> bool:
        """Raises `OverflowError` for a number wider than `SERIAL_BYTES`."""
        sought = _octets(number)
        index = bisect_left(range(len(self)), sought, key=self._at)
        return index < len(self) and self._at(index) == sought

    def _at(self, index: int) -> bytes:
        return self._table[index * SERIAL_BYTES : (index + 1) * SERIAL_BYTES]


def _octets(number: int) -> bytes:
    return number.to_bytes(SERIAL_BYTES, "big", signed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one CRL states, over [`this_update`, `next_update`)."""

    this_update: datetime
    next_update: datetime
    revoked: Serials | None
    """None where the CRL is its issuer's, yet says what we do not understand: it cannot tell."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Every CRL of one CA."""

    all: Sequence[Statement]

    def judge(self, serial: int, *, at: datetime) -> Revocation:
        """By the newest statement at that moment, and by it alone, be it stale or unclear.

        An entry revokes whatever its date and reason are. Of several CRLs of the same instant
        none outranks the others: all must know, and any may revoke.
        """
        newest = self._newest(at)
        if not newest:
            return Revocation.UNKNOWN
        found = Revocation.GOOD
        for statement in newest:
            if statement.revoked is None or at >= statement.next_update:
                return Revocation.UNKNOWN
            try:
                if serial in statement.revoked:
                    found = Revocation.REVOKED
            except OverflowError:
                return Revocation.UNKNOWN
        return found

    def term(self, at: datetime) -> Term:
        """Over what time `judge` says the same as at that moment, when it says GOOD."""
        newest = self._newest(at)
        later = [each.this_update for each in self.all if each.this_update > at]
        ends = [each.next_update for each in newest]
        return newest[0].this_update, min(later + ends)

    def _newest(self, at: datetime) -> Sequence[Statement]:
        made = [each for each in self.all if each.this_update <= at]
        latest = max((each.this_update for each in made), default=None)
        return [each for each in made if each.this_update == latest]


NOTHING_STATED = Statements(())
"""Of a CA that has no CRL here."""


def issuers_of(
    crl: x509.CertificateRevocationList, authorities: Iterable[x509.Certificate]
) -> Sequence[x509.Certificate]:
    """The CAs whose CRL it is: by name, by key usage, and by its signature (RFC 5280, 6.3.3, f-g).

    Certificates of the same name and key may be several. None means that it states nothing.
    """
    try:
        if not isinstance(crl.signature_hash_algorithm, _STRONG_HASHES):
            return ()
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return ()
    return [
        authority
        for authority in authorities
        if authority.subject == crl.issuer and _may_sign(authority) and _is_signed(crl, authority)
    ]


def _may_sign(authority: x509.Certificate) -> bool:
    """RFC 5280, 6.3.3, f: key usage, where it is stated, holds cRLSign."""
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_signed(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(strong_public_key(authority.public_key()))
    except (TypeError, ValueError, UnsupportedAlgorithm):  # an algorithm that does not fit the key
        return False


def statement_of(crl: x509.CertificateRevocationList) -> Statement:
    """What a CRL states; call it for one whose issuer is found.

    Raises `ValueError` if it has no nextUpdate.
    """
    this_update, next_update = term_of(crl)
    try:
        revoked = Serials(_serials(crl)) if _is_complete(crl) else None
    except Exception:  # noqa: BLE001 - whatever it trips over, this CRL cannot tell
        revoked = None
    return Statement(this_update=this_update, next_update=next_update, revoked=revoked)


def term_of(crl: x509.CertificateRevocationList) -> Term:
    """Its thisUpdate and nextUpdate; raises `ValueError` if either is missing."""
    if crl.next_update_utc is None:
        raise ValueError("it has no nextUpdate, which RFC 5280, 5.1.2.5, requires")
    return crl.last_update_utc, crl.next_update_utc


def _is_complete(crl: x509.CertificateRevocationList) -> bool:
    """RFC 5280, 5.2: a critical extension that is not understood bars the whole CRL."""
    return all(
        extension.oid in _HARMLESS or not (extension.critical or extension.oid in _PARTIAL)
        for extension in crl.extensions
    )


def _serials(crl: x509.CertificateRevocationList) -> Iterable[int]:
    """The serial numbers of all entries.

    Raises `ValueError` where an entry has a critical extension that is not understood, which bars
    the whole CRL (RFC 5280, 5.3), or names another issuer: then the list is an indirect one.
    """
    for entry in crl:
        for extension in entry.extensions:
            if extension.oid in _HARMLESS_TO_ENTRY:
                continue
            if extension.critical or extension.oid == CRLEntryExtensionOID.CERTIFICATE_ISSUER:
                raise ValueError("an entry is not understood")
        yield entry.serial_number


def by_issuer(stated: Iterable[tuple[bytes, Statement]]) -> Mapping[bytes, Statements]:
    """Statements by the SHA-256 of the CA's certificate: that is, by its name *and* its key."""
    found: dict[bytes, list[Statement]] = {}
    for fingerprint, statement in stated:
        found.setdefault(fingerprint, []).append(statement)
    return MappingProxyType({key: Statements(tuple(each)) for key, each in found.items()})

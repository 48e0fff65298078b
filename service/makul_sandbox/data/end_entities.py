"""The content of the certificates of end entities: citizens, organisations and officials.

Names and profiles follow ETSI EN 319 412-1 and -2 and RFC 5280. Every name states that it is
not real.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from makul.trust.pki.certificates import SANDBOX_ORGANISATION

# RFC 5612 reserves this enterprise number for documentation, so no real policy is claimed.
_POLICIES = "1.3.6.1.4.1.32473.7"
CITIZEN_POLICY = x509.ObjectIdentifier(f"{_POLICIES}.1")
ORGANISATION_POLICY = x509.ObjectIdentifier(f"{_POLICIES}.2")

SIGNING_USAGE = frozenset({"digital_signature", "content_commitment"})
_ENCRYPTION_USAGE = frozenset({"key_encipherment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEntity:
    """The content of an end entity's certificate, without its key."""

    subject: x509.Name
    policy: x509.ObjectIdentifier
    purposes: Sequence[x509.ObjectIdentifier] = ()
    names: Sequence[x509.GeneralName] = ()
    usage: frozenset[str] = SIGNING_USAGE


def citizen_entity(*, pin_digits: str, surname: str, given_name: str | None) -> EndEntity:
    """Return a citizen who signs; `serialNumber` follows EN 319 412-1, 5.1.3.

    A person with one name has no `givenName`.
    """
    given_names = [] if given_name is None else [x509.NameAttribute(NameOID.GIVEN_NAME, given_name)]
    common_name = surname if given_name is None else f"{surname} {given_name}"
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SANDBOX_ORGANISATION),
            x509.NameAttribute(NameOID.SURNAME, surname),
            *given_names,
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"PNOKG-{pin_digits}"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    purposes = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION)
    return EndEntity(subject=subject, policy=CITIZEN_POLICY, purposes=purposes)


def organisation_entity(*, member_code: str, common_name: str) -> EndEntity:
    """Return an organisation that signs its messages, or the operator that signs receipts."""
    return EndEntity(
        subject=organisation_name(member_code, common_name),
        policy=ORGANISATION_POLICY,
        purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,),
    )


def encryption_entity(*, member_code: str, common_name: str) -> EndEntity:
    """Return an organisation to which data are encrypted. Its key signs nothing."""
    return EndEntity(
        subject=organisation_name(member_code, common_name),
        policy=ORGANISATION_POLICY,
        usage=_ENCRYPTION_USAGE,
    )


def official_entity(*, member_code: str, name: str, identifier: str) -> EndEntity:
    """Return an official of an organisation, who signs. There is no extended key usage."""
    subject = x509.Name(
        [
            *organisation_name(member_code, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, identifier),
        ]
    )
    return EndEntity(subject=subject, policy=ORGANISATION_POLICY)


def organisation_name(member_code: str, common_name: str) -> x509.Name:
    """Return a name with `organizationIdentifier` after EN 319 412-1, 5.1.4.

    The member code replaces the tax number.
    """
    code = member_code.rpartition("/")[2]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KG"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, SANDBOX_ORGANISATION),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRKG-{code}"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )

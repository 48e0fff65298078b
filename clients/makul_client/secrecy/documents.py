"""Undertakings of secrecy as documents (Procedure, cl. 16): drafted here, signed by the person."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from lxml import etree

from makul_client._internal.crypto.credentials import Credential
from makul_client._internal.crypto.xml import UnsafeXmlError, broken_fields, canonical, parse
from makul_client._internal.party_signature import SIGNATURE, sign_content
from makul_client.errors import ConfirmationError
from makul_client.models.request import ValueFreeRepr
from makul_client.profile import Profile
from makul_client.translation import translate

UNDERTAKING: Final = "urn:makul:undertaking:1"
ROOT: Final = f"{{{UNDERTAKING}}}Undertaking"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UndertakingContent(ValueFreeRepr):
    """What an employee undertakes."""

    pin: str
    name: str
    employee: str
    """The identifier by which your requests name the employee."""
    text: str
    """The reference of the text to which the employee agrees, with its version."""
    valid_from: datetime
    valid_to: datetime | None = None


def draft(
    profile: Profile,
    content: UndertakingContent,
    *,
    signed_at: datetime,
    undertaking_id: UUID | None = None,
) -> bytes:
    """Return an undertaking for the employee to sign, in exclusive canonical form.

    Raises `ConfirmationError` if it would not be valid by the published schema.
    """
    root = parse(f'<Undertaking xmlns="{UNDERTAKING}"/>'.encode())
    _add(root, "undertakingId", str(undertaking_id or uuid4()))
    person = _add(root, "person")
    _add(person, "pin", content.pin)
    _add(person, "name", content.name)
    _add(root, "recipient", profile.recipient.code)
    _add(root, "employee", content.employee)
    _add(root, "text", content.text)
    _add(root, "validFrom", _instant(content.valid_from))
    if content.valid_to is not None:
        _add(root, "validTo", _instant(content.valid_to))
    _add(root, "lastsAfter", "true")
    _add(root, "signedAt", _instant(signed_at))
    _require_valid(root)
    return canonical(root)


def sign(document: bytes, employee: Credential) -> bytes:
    """Return an undertaking as the employee signs it, with a key in a file.

    Raises `ConfirmationError` for another document, and for one that is signed already.
    """
    root = _parse(document)
    if root.find(SIGNATURE) is not None:
        raise ConfirmationError(translate("it is signed already"))
    return sign_content(canonical(root), employee)


def require_signed(document: bytes) -> bytes:
    """Return a document if it is an undertaking with a signature, which the service verifies.

    Raises `ConfirmationError`.
    """
    if _parse(document).find(SIGNATURE) is None:
        raise ConfirmationError(translate("nobody signed this undertaking"))
    return document


def _parse(document: bytes) -> "etree._Element":
    try:
        root = parse(document)
    except UnsafeXmlError as error:
        raise ConfirmationError(
            translate("the undertaking contains {cause}", cause=error)
        ) from None
    _require_valid(root)
    return root


def _require_valid(root: "etree._Element") -> None:
    broken = broken_fields(root, "undertaking") if root.tag == ROOT else ("Undertaking",)
    if broken:
        raise ConfirmationError(
            translate("the undertaking breaks the schema at {names}", names=", ".join(broken))
        )


def _add(parent: "etree._Element", name: str, text: str | None = None) -> "etree._Element":
    child = etree.SubElement(parent, f"{{{UNDERTAKING}}}{name}")
    child.text = text
    return child


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

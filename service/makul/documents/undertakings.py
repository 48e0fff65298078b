"""Read undertakings of secrecy from verified XML, and write them (undertaking.xsd; cl. 16)."""

from typing import TYPE_CHECKING

from makul.documents.canonical_writer import element, group, instant, optional
from makul.documents.schemas import undertaking_schema
from makul.documents.xml_reader import Reader, uuid
from makul.documents.xml_reader import instant as read_instant
from makul.domain.identifiers import Pin, parse_member_code
from makul.domain.undertakings import Undertaking

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:undertaking:1"


def read_undertaking(signed: "Element") -> Undertaking:
    """Read an undertaking from its verified root element. Raises `DocumentError` (REQ-01)."""
    undertaking_schema().check(signed)
    reader = Reader(signed)
    person = reader.inside("person")
    return Undertaking(
        undertaking_id=reader.read("undertakingId", uuid),
        person=person.read("pin", Pin),
        name=person.text("name"),
        recipient=reader.read("recipient", parse_member_code),
        employee=reader.text("employee"),
        text=reader.text("text"),
        valid_from=reader.read("validFrom", read_instant),
        valid_to=reader.read_if_any("validTo", read_instant),
        lasts_after=reader.text("lastsAfter") == "true",
        signed_at=reader.read("signedAt", read_instant),
    )


def render_undertaking(undertaking: Undertaking) -> bytes:
    """Return an unsigned undertaking in exclusive canonical form.

    Its root has `Id="undertaking-<undertakingId>"`. The person signs it before it is sent.
    """
    valid_to = undertaking.valid_to
    parts = (
        element("undertakingId", str(undertaking.undertaking_id)),
        group(
            "person", element("pin", undertaking.person.digits), element("name", undertaking.name)
        ),
        element("recipient", undertaking.recipient),
        element("employee", undertaking.employee),
        element("text", undertaking.text),
        element("validFrom", instant(undertaking.valid_from)),
        optional("validTo", instant(valid_to) if valid_to is not None else None),
        element("lastsAfter", "true" if undertaking.lasts_after else "false"),
        element("signedAt", instant(undertaking.signed_at)),
    )
    root = f'<Undertaking xmlns="{NAMESPACE}" Id="undertaking-{undertaking.undertaking_id}">'
    return f"{root}{''.join(parts)}</Undertaking>".encode()

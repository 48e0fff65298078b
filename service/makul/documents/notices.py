"""Read approvals of notices from verified XML, and write them (notice.xsd; Procedure, cl. 4)."""

from typing import TYPE_CHECKING

from lxml import etree

from makul.app.ports import DocumentError, NamedParty, NoticeApproval, UnwritableError
from makul.documents.canonical_writer import binary, element, group
from makul.documents.schemas import malformed_document_error, notice_schema
from makul.documents.xml_reader import Reader
from makul.documents.xml_reader import binary as read_binary
from makul.domain.identifiers import parse_member_code
from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:notice:1"


def render_approval(approval: NoticeApproval) -> bytes:
    """Return an unsigned approval in exclusive canonical form.

    Raises `UnwritableError` if the approval would differ after it is read back.
    """
    body = approval.authorised_body
    texts = (
        group("text", element("language", language), element("digest", binary(digest)))
        for language, digest in sorted(approval.digests.items())
    )
    parts = (
        group("authorisedBody", element("memberCode", body.code), element("name", body.name)),
        element("ref", approval.ref),
        *texts,
    )
    root = f'<NoticeApproval xmlns="{NAMESPACE}" Id="approval">'
    document = f"{root}{''.join(parts)}</NoticeApproval>".encode()
    _must_read_back(document, approval)
    return document


def read_approval(signed: "Element") -> NoticeApproval:
    """Read an approval from its verified root element. Raises `DocumentError` (REQ-01)."""
    notice_schema().check(signed)
    reader = Reader(signed)
    body = reader.inside("authorisedBody")
    texts = reader.each_inside("text")
    digests = {text.text("language"): text.read("digest", read_binary) for text in texts}
    if len(digests) != len(texts):
        raise malformed_document_error("text")
    return NoticeApproval(
        authorised_body=NamedParty(
            code=body.read("memberCode", parse_member_code), name=body.text("name")
        ),
        ref=reader.text("ref"),
        digests=digests,
    )


def _must_read_back(document: bytes, approval: NoticeApproval) -> None:
    try:
        same = read_approval(etree.fromstring(document, own_parser())) == approval
    except DocumentError:
        same = False
    if not same:
        raise UnwritableError("an approval does not fit its schema")

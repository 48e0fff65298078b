"""Terms of grounds are read by their exact form, and are those that XML has."""

from collections.abc import Callable

import pytest

from makul.documents import monthly_statements
from makul.documents.ground_forms import read_exact_form
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.monthly_statements import GroundTerms
from makul_sandbox.world.build import build_world
from makul_testing.builders.records import NOON

WORLD = build_world(NOON, people=30)
DOCUMENT = WORLD.documents["bank-00-data"].document


def read_as_xml(kind: str, document: bytes, monkeypatch: pytest.MonkeyPatch) -> GroundTerms | None:
    with monkeypatch.context() as patched:
        patched.setattr(monthly_statements, "read_exact_form", lambda kind, document: None)
        return XmlStatementDocuments().read_terms(kind, document)


def test_documents_of_every_kind_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most have the exact form. Paper and representatives are read as XML."""
    exact, provisions = 0, set[str | None]()
    for each in WORLD.documents.values():
        terms = read_exact_form(each.kind.value, each.document)
        if terms is not None:
            exact += 1
            assert terms == read_as_xml(each.kind.value, each.document, monkeypatch), each.name
            provisions.add(terms.provision)
    assert exact > len(WORLD.documents) / 2
    assert provisions == {None, "JUDICIAL", "OFFICIAL_REQUEST"}
    assert read_exact_form("BASIS", DOCUMENT) is None
    assert read_exact_form("OTHER", DOCUMENT) is None


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    assert old in DOCUMENT, old
    return lambda document: document.replace(old, new, 1)


OTHER_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a comment": replaced(b"<pin>", b"<pin><!-- -->"),
    "a section": replaced(b"<pin>", b"<pin><![CDATA[]]>"),
    "an instruction": replaced(b"<subject>", b"<?x?><subject>"),
    "an entity": replaced(b"<code>", b"<code>&#65;"),
    "spaces": replaced(b"<code>", b"<code> "),
    "a prefix": replaced(b"<purpose>", b'<purpose xmlns:x="y">'),
    "a second purpose": replaced(b"<purpose>", b"<purpose><code>LOAN</code></purpose><purpose>"),
    "a document type": replaced(b"<Consent ", b"<!DOCTYPE Consent><Consent "),
    "another root": replaced(b"<Consent ", b"<x><Consent "),
    "a date that is none": replaced(b"<validTo>2", b"<validTo>0"),
    "a person that is none": replaced(b"<pin>1", b"<pin>9"),
    "an element after the signature": replaced(b"</Consent>", b"<purpose/></Consent>"),
    "text at the end": replaced(b"</Consent>", b"</Consent>x"),
    "a second signature": lambda document: document.replace(
        b"</ds:Signature>", b"</ds:Signature><purpose/><ds:Signature></ds:Signature>", 1
    ),
}


@pytest.mark.parametrize("change", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_another_form_is_left_to_xml(change: Callable[[bytes], bytes]) -> None:
    """What an XML parser could read differently is never read by the form."""
    assert read_exact_form("CONSENT", DOCUMENT) is not None
    assert read_exact_form("CONSENT", change(DOCUMENT)) is None


def test_every_cut_document_is_left_to_xml() -> None:
    """No beginning of a document has the form of a document."""
    for length in range(0, len(DOCUMENT), 7):
        assert read_exact_form("CONSENT", DOCUMENT[:length]) is None

"""docs/subject.md, compared with the published schema."""

import pytest
from document_pages import Block, Page
from lxml import etree

from makul_testing.contract_files import compile_schema, elements, schema_root
from makul_testing.paths import ROOT

PAGE = Page.of(ROOT / "docs" / "subject.md", ROOT)
EXAMPLES = [block for block in PAGE.blocks() if block.language == "xml"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: f"line-{block.number}")
def test_an_example_is_valid(example: Block) -> None:
    """A reader copies an example and changes its values."""
    compile_schema("subject.xsd").assertValid(etree.fromstring(example.text))


def test_every_message_has_an_example() -> None:
    """Each operation is shown with its request and its answer."""
    shown = [etree.QName(etree.fromstring(block.text)).localname for block in EXAMPLES]

    published = elements(schema_root("subject"), "/*/xs:element")
    assert sorted(shown) == sorted(str(each.get("name")) for each in published)

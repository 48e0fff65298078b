"""docs/recipients.md lists every attribute, in the order of the contract, and no other."""

import re

import makul_schemas
from lxml import etree

from makul.domain.attributes import Attribute
from makul_testing.paths import ROOT

_PAGE = ROOT / "docs" / "recipients.md"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_ROW = re.compile(r"\| `(\w+)` \| ([^|]+) \| ([^|]+) \|")


def rows() -> list[tuple[str, str, str]]:
    text = _PAGE.read_text(encoding="utf-8")
    section = text.split("\n## Attributes\n", 1)[1].split("\n## ", 1)[0]
    return [(found[1], found[2], found[3]) for found in _ROW.finditer(section)]


def test_table_of_attributes_is_the_closed_list() -> None:
    """Procedure, cl. 4 and 7: consents and agreements name attributes of this list alone."""
    assert [name for name, _, _ in rows()] == [each.value for each in Attribute]


def test_table_of_attributes_names_the_types_of_the_contract() -> None:
    """A form is the schema's: a reader who generates code finds the type by its name."""
    schema = etree.fromstring(makul_schemas.read("recipient"))
    (person,) = (each for each in schema if each.get("name") == "Person" and "Type" in each.tag)
    types = {
        str(each.get("name")): str(each.get("type")).partition(":")[2]
        for each in person.iter(f"{_XS}element")
    }

    for name, meaning, form in rows():
        assert meaning.strip()
        assert f"`{types[name]}`" in form, name

"""docs/recipients.md lists exactly the attributes of the contract, in its order."""

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
    """Procedure, cl. 4 and 7: consents and agreements name only attributes of this list."""
    assert [name for name, _, _ in rows()] == [each.value for each in Attribute]


def test_table_of_attributes_names_the_types_of_the_contract() -> None:
    """A reader who generates code finds each type under the name that the table states."""
    schema = etree.fromstring(makul_schemas.read("recipient"))
    (person,) = (each for each in schema if each.get("name") == "Person" and "Type" in each.tag)
    types = {
        str(each.get("name")): str(each.get("type")).partition(":")[2]
        for each in person.iter(f"{_XS}element")
    }

    for name, meaning, form in rows():
        assert meaning.strip()
        assert f"`{types[name]}`" in form, name

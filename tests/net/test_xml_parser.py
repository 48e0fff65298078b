"""XML parsers are built in one module of each program, and none expands or fetches entities."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from makul.net import xml_parser
from makul_client._internal.crypto import xml_parser as client_xml_parser
from makul_testing.paths import ROOT

PROGRAMS = (
    ROOT / "service" / "makul",
    ROOT / "service" / "makul_sandbox",
    ROOT / "clients" / "makul_client",
)
MAKERS = {"XMLParser", "HTMLParser", "XMLPullParser", "iterparse", "XMLTreeBuilder"}
READERS = {"fromstring", "XML", "fromstringlist"}


def _calls() -> Iterator[tuple[str, str, ast.Call]]:
    for program in PROGRAMS:
        for path in program.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield str(path.relative_to(ROOT)), node.func.attr, node


def test_parsers_are_built_in_one_module_of_each_program() -> None:
    """Another module would have its own settings, and one of them would be forgotten."""
    assert {path for path, name, _ in _calls() if name in MAKERS} == {
        "service/makul/net/xml_parser.py",
        "clients/makul_client/_internal/crypto/xml_parser.py",
    }


def test_every_parse_names_its_parser() -> None:
    """Lxml's own default expands internal entities."""
    bare = [
        (path, call.lineno)
        for path, name, call in _calls()
        if name in READERS and len(call.args) < 2
    ]

    assert bare == []


@pytest.mark.parametrize(
    "parser",
    [
        xml_parser.build_parser(),
        xml_parser.build_parser(large=True, collect_ids=False),
        xml_parser.own_parser(),
        xml_parser.own_message_parser(),
        client_xml_parser.build_parser(),
        client_xml_parser.build_parser(large=True),
    ],
)
def test_an_entity_is_neither_expanded_nor_fetched(parser: etree.XMLParser, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for entity in ('"inside"', f'SYSTEM "file://{tmp_path}/secret"'):
        document = f'<!DOCTYPE a [<!ENTITY b {entity}>]><a c="1">&b;</a>'

        root = etree.fromstring(document.encode(), parser)

        assert "".join(root.itertext(with_tail=False)) in {"", "&b;"}
        assert root.text is None


def test_a_thread_keeps_its_parsers() -> None:
    assert xml_parser.own_parser() is xml_parser.own_parser()
    assert xml_parser.own_message_parser() is not xml_parser.own_parser()

"""Samples of every message and document show what the schemas accept and refuse."""

import base64
import copy
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import makul_schemas
import pytest
from lxml import etree

from makul_testing.contract_files import (
    NS,
    compile_schema,
    elements,
    schema_root,
)

SAMPLES = Path(__file__).parent / "samples"
GOOD = sorted(path.stem for path in SAMPLES.glob("*.xml"))
REFUSED: list[dict[str, Any]] = tomllib.loads((SAMPLES / "refused.toml").read_text("utf-8"))["case"]

PORTS = ("recipient", "oversight", "subject")
KINDS = (
    "consent",
    "basis",
    "agreement",
    "notice",
    "receipt",
    "delivery",
    "month",
    "case",
    "undertaking",
)
"""The schemas of documents."""

COMPILED = {
    namespace: compile_schema(name)
    for name in makul_schemas.names()
    if (namespace := schema_root(name).get("targetNamespace", ""))
}


def _sample(name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.parse(SAMPLES / f"{name}.xml", parser).getroot()


def _errors(document: etree._Element) -> list[str]:
    schema = COMPILED[str(etree.QName(document).namespace)]
    schema.validate(document)
    return [entry.type_name for entry in schema.error_log]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", GOOD)
def test_good_sample_is_accepted(name: str) -> None:
    """The people are synthetic, and every element occurs."""
    assert _errors(_sample(name)) == []


def test_every_root_has_a_good_sample() -> None:
    """The samples are each request, answer and document, and headers with their own rules."""
    shown = {_sample(name).tag for name in GOOD}

    for schema in (*PORTS, *KINDS):
        root = schema_root(schema)
        for element in elements(root, "/*/xs:element"):
            assert f"{{{root.get('targetNamespace')}}}{element.get('name')}" in shown
    assert "{urn:makul:types:1}Fault" in shown


def test_samples_are_in_the_documented_order_and_show_every_element() -> None:
    """Every element of a request, answer or document has an example."""
    shown = {
        str(etree.QName(node).localname) for name in GOOD for node in _sample(name).iter("{*}*")
    }

    for schema in ("types", *PORTS, *KINDS):
        for element in elements(schema_root(schema), "//xs:element[@name]"):
            assert element.get("name") in shown, f"{schema}: {element.get('name')}"


def _fragment(xml: str) -> etree._Element:
    declarations = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    return etree.fromstring(f"<wrap {declarations}>{xml}</wrap>")[0]


def _change(document: etree._Element, case: dict[str, Any]) -> None:
    (node,) = elements(document, case["at"])
    parent = node.getparent()
    if "text" in case:
        node.text = case["text"]
    elif "attribute" in case:
        node.set(*case["attribute"])
    elif "add" in case:
        node.append(_fragment(case["add"]))
    elif "before" in case:
        node.addprevious(_fragment(case["before"]))
    elif "remove" in case and parent is not None:
        parent.remove(node)
    elif "repeat" in case:
        node.addnext(copy.deepcopy(node))
    else:
        pytest.fail(f"nothing to change: {case}")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: str(case["why"]))
def test_changed_sample_is_refused_by_the_schema(case: dict[str, Any]) -> None:
    """One change to a good sample causes the expected error."""
    document = _sample(case["sample"])
    _change(document, case)

    assert case["error"] in _errors(document)


@pytest.mark.parametrize("text", ["QUJD!!!!", "<QUJD>", "QU-JD_", "QUЖJD"])
def test_libxml2_skips_what_is_not_base64(text: str) -> None:
    """A reader of a document must decode it strictly; a pattern here would cost 0.1 ms per KB.

    If this test fails one day, libxml2 has become strict and the reader's own check may be removed.
    """
    document = _sample("register-consent")
    elements(document, "//r:consentDocument")[0].text = text

    assert _errors(document) == []


@pytest.mark.parametrize(
    ("sample", "path", "limit"),
    [
        ("register-consent", "//r:consentDocument", 262_144),
        ("verify-person", "//r:image", 1_048_576),
    ],
)
def test_sizes_count_bytes_not_characters(sample: str, path: str, limit: int) -> None:
    """The largest value passes, line breaks included; one byte more does not."""
    document = _sample(sample)
    (node,) = elements(document, path)

    node.text = base64.encodebytes(bytes(limit)).decode()
    assert _errors(document) == []

    node.text = base64.b64encode(bytes(limit + 1)).decode()
    assert "SCHEMAV_CVC_MAXLENGTH_VALID" in _errors(document)


def _swaps(name: str) -> Iterator[etree._Element]:
    """Yield the sample with each two neighbours of different names exchanged."""
    count = sum(1 for _ in _sample(name).iter("{*}*"))
    for index in range(count):
        document = _sample(name)
        node = list(document.iter("{*}*"))[index]
        follower = node.getnext()
        if index and follower is not None and follower.tag != node.tag:
            follower.addnext(node)
            yield document


@pytest.mark.parametrize("name", GOOD)
def test_any_other_order_is_refused(name: str) -> None:
    """Only the documented order is accepted."""
    for document in _swaps(name):
        assert "SCHEMAV_ELEMENT_CONTENT" in _errors(document)


@pytest.mark.parametrize("name", GOOD)
def test_nil_is_refused_everywhere(name: str) -> None:
    """An absent value is omitted."""
    for index in range(sum(1 for _ in _sample(name).iter("{*}*"))):
        document = _sample(name)
        node = list(document.iter("{*}*"))[index]
        if etree.QName(node).namespace != NS["ds"]:
            node.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
            assert _errors(document)


def test_samples_show_no_real_person() -> None:
    """Samples are visibly synthetic: names mean test and sample, and numbers are full of zeros."""
    for name in GOOD:
        for node in _sample(name).iter("{*}pin"):
            assert re.fullmatch(r"[012]0101\d{4}0000\d", node.text or "")
        for node in _sample(name).iter("{*}documentNumber"):
            assert (node.text or "").startswith("ID000")

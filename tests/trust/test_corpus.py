"""Every attack of the corpus is run against the verifier of request documents."""

import random
import time
from collections.abc import Callable
from itertools import islice

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from makul.net.xml_parser import build_parser, own_parser
from makul.trust.base.algorithms import EXCLUSIVE, INCLUSIVE
from makul.trust.base.errors import SignatureFailure
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xmldsig.canonicalisation import canonical
from makul.trust.xmldsig.parsing import parse_document
from vectors.attacks import SIGNERS, VECTORS
from vectors.attacks.cast import Cast
from vectors.attacks.vector import Vector

Recorder = Callable[[str, object], None]

XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"
ELEMENTS_OF_EACH = 300
"""The maximum number of references tested; a good consent has a hundred, more is a flood."""


@pytest.fixture(scope="session")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="session")
def verifier(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> XadesVerifier:
    return cast.verifier(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector_is_refused_for_its_reason(
    cast: Cast, verifier: XadesVerifier, vector: Vector, record_property: Recorder
) -> None:
    """Each vector is refused for exactly its expected reason."""
    document = vector.build(cast)

    started = time.thread_time()
    verified = verifier.verify(document, at=vector.at)
    took = time.thread_time() - started

    record_property("corpus", vector.code.value if vector.code else "accepted")
    assert verified.proof.status is vector.status, verified.report
    assert verified.proof.reasons == ((vector.code,) if vector.code else ())
    assert (verified.signed is None) is (vector.code is not None)
    if vector.within is not None:
        assert took < vector.within.total_seconds()
    if verified.signed is not None:
        assert read(verified.signed, "pin") == cast.pin
        assert verified.signed.find(".//{http://www.w3.org/2000/09/xmldsig#}Signature") is None


def test_canonical_form_in_place_is_the_standard_one(cast: Cast) -> None:
    """Our canonical form equals that of the standard way, for every element of every attack."""
    compared = 0
    for vector in VECTORS:
        try:
            root = parse_document(vector.build(cast), build_parser())
        except SignatureFailure:
            continue
        for element in islice(root.iter(), ELEMENTS_OF_EACH):
            for method in (INCLUSIVE, EXCLUSIVE):
                assert canonical(element, method) == stock(element, method), vector.name
            compared += 1
    assert compared > 20_000


def stock(element: etree._Element, method: CanonicalizationMethod) -> bytes:
    """Return the canonical form of an element that is parsed again, with its inherited
    namespaces.
    """
    again = etree.fromstring(etree.tostring(element, with_tail=False), build_parser())
    for ancestor in element.iterancestors() if method is INCLUSIVE else ():
        for name, value in ancestor.attrib.items():  # Canonical XML 1.0, 2.4
            if str(name).startswith(XML_NAMESPACE) and name not in again.attrib:
                again.set(name, value)
    return etree.tostring(again, method="c14n", exclusive=method is EXCLUSIVE, with_comments=False)


def test_a_parser_keeps_nothing_of_what_it_parsed(cast: Cast) -> None:
    """A thread's parser reads a document like a new parser, also after broken documents."""
    documents = [vector.build(cast) for vector in VECTORS]
    documents += [document[: len(document) // 2] for document in documents[::7]]
    random.Random(20261127).shuffle(documents)  # noqa: S311 - reproducible, not secret

    own = [outcome_of(document, own_parser()) for document in documents]

    assert own == [outcome_of(document, build_parser()) for document in documents]
    assert len({type(outcome) for outcome in own}) == 2  # trees and failures, in turn


def outcome_of(document: bytes, parser: etree.XMLParser) -> bytes | tuple[str, str]:
    try:
        return etree.tostring(parse_document(document, parser))
    except SignatureFailure as failure:
        return failure.code.value, failure.why


def read(document: etree._Element, name: str) -> str | None:
    return document.findtext(f".//{{urn:makul:consent:1}}{name}")


@pytest.mark.parametrize("vector", SIGNERS, ids=lambda vector: vector.name)
def test_accepted_signer_is_not_the_subject(
    cast: Cast, verifier: XadesVerifier, vector: Vector
) -> None:
    """SIG-08 rests on this: an accepted signature names no PIN, or another person's."""
    verified = verifier.verify(vector.build(cast), at=vector.at)

    assert verified.proof.signer is not None
    pin = verified.proof.signer.pin
    assert pin is None or pin.digits != cast.pin


def test_names_are_unique() -> None:
    """A vector's name identifies it."""
    names = [vector.name for vector in VECTORS + SIGNERS]

    assert len(names) == len(set(names))

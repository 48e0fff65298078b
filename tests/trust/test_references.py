"""Canonical bytes in place, and references read strictly, held against the stock ways."""

import random
import time

import pytest
from lxml import etree
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

from makul.domain.reasons import Code
from makul.trust.algorithms import CANONICALISATIONS, EXCLUSIVE, INCLUSIVE
from makul.trust.documents import XadesVerifier
from makul.trust.failures import SignatureFailure
from makul.trust.signing import sign_document
from makul.trust.xml import canonical, canonical_without, parse_document, safe_parser
from support.pki import NOW
from support.xades import CONTENT, DS, SHA256, Forge

NAMES = ["a", "p:b", "q:c", "r:d"]
DECLARATIONS = ["", ' xmlns="urn:d"', ' xmlns:q="urn:q2"', ' xmlns:unused="urn:u"', ' p:x="&#13;1"']


def random_tree(chance: random.Random, depth: int = 0) -> str:
    """Nested elements with namespaces declared, redeclared, used and unused."""
    name = chance.choice(NAMES)
    inner = "".join(
        random_tree(chance, depth + 1) for _ in range(chance.randrange(4) if depth < 3 else 0)
    )
    text = chance.choice(["", "т", "\n ", "&lt;&#13;"])
    return f"<{name}{chance.choice(DECLARATIONS)}>{text}{inner}</{name}>{text}"


def random_documents() -> list[str]:
    chance = random.Random(20261122)  # noqa: S311 - reproducible, not secret
    head = '<root xmlns:p="urn:p" xmlns:q="urn:q" xmlns:r="urn:r">'
    return [f"{head}{random_tree(chance)}{random_tree(chance)}</root>" for _ in range(60)]


def test_canonical_in_place_equals_parsed_anew() -> None:
    """FACTS, reference handling: the quick way gives the very bytes of the stock way."""
    compared = 0
    for text in random_documents():
        for element in etree.fromstring(text).iter():
            again = etree.fromstring(etree.tostring(element, with_tail=False))
            for method in CANONICALISATIONS.values():
                exclusive = method is EXCLUSIVE
                stock = etree.tostring(again, method="c14n", exclusive=exclusive)
                assert canonical(element, method) == stock
                compared += 1
    assert compared > 1000


def test_cutting_out_equals_removing() -> None:
    """XML Signature 1.1, 6.6.4: the enveloped transform takes the element and leaves its tail."""
    for text in random_documents():
        for position in (0, 1):
            root = etree.fromstring(text)
            before = etree.tostring(root, method="c14n")
            child = root[position]
            whole = etree.tostring(root, encoding="unicode")
            cut = whole.replace(etree.tostring(child, with_tail=False, encoding="unicode"), "", 1)
            if whole.count(etree.tostring(child, with_tail=False, encoding="unicode")) != 1:
                continue
            expected = etree.tostring(etree.fromstring(cut), method="c14n")

            assert canonical_without(root, child, INCLUSIVE) == expected
            assert etree.tostring(root, method="c14n") == before


def test_agrees_with_signxml(documents: XadesVerifier, world) -> None:
    """What signxml's own signer makes and its own verifier accepts, ours reads alike."""
    signed = sign_document(CONTENT.encode(), world.citizen.key, world.citizen.chain, at=NOW)

    stock = XAdESVerifier().verify(
        signed,
        x509_cert=world.citizen.certificate,
        expect_config=XAdESSignatureConfiguration(verification_time=NOW),
    )
    ours = documents.verify(signed, at=NOW)

    assert ours.signed is not None
    assert etree.tostring(ours.signed, method="c14n") == stock[0].signed_data


def test_references_are_counted_first(documents: XadesVerifier, world) -> None:
    """A flood of references costs no more than reading it (signxml alone: seconds)."""
    reference = (
        f'<ds:Reference URI="#consent"><ds:DigestMethod Algorithm="{SHA256}"/>'
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )
    forged = Forge(holder=world.citizen, extra_references=[reference] * 1000).signed()
    started = time.process_time()

    documents.verify(forged, at=NOW)

    assert time.process_time() - started < 0.2


def test_signed_document_cannot_be_signed_again(world) -> None:
    """Two signatures would never verify: told when signing, not when the document is refused."""
    signed = Forge(holder=world.citizen).signed()

    with pytest.raises(SignatureFailure) as caught:
        sign_document(signed, world.citizen.key, world.citizen.chain, at=NOW)
    assert caught.value.code is Code.SIG_03


def test_parsed_once_and_safely() -> None:
    """STYLE, rule 7: nothing is fetched, expanded or recovered."""
    root = parse_document(f'<a xmlns:ds="{DS}">&lt;&#65;</a>'.encode(), safe_parser())

    assert root.text == "<A"

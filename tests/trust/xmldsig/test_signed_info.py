"""Strict reading of a signature and its references agrees with the standard way."""

import time

import pytest
from lxml import etree
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

from makul.domain.reasons import Code
from makul.net.xml_parser import build_parser
from makul.trust.base.errors import SignatureFailure
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xades.signing import sign_document
from makul.trust.xmldsig.parsing import find_identifiers, parse_document
from makul_testing.builders.xades import CONTENT, DS, SHA256, Forge
from makul_testing.pki.authorities import NOW


def test_references_are_read_like_signxml(documents: XadesVerifier, world) -> None:
    """A document that signxml signs and accepts is read here in the same way."""
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
    """Many references cost no more than their reading; in signxml they cost seconds."""
    reference = (
        f'<ds:Reference URI="#consent"><ds:DigestMethod Algorithm="{SHA256}"/>'
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )
    forged = Forge(holder=world.citizen, extra_references=[reference] * 1000).signed()
    started = time.process_time()

    documents.verify(forged, at=NOW)

    assert time.process_time() - started < 1


def test_signed_document_cannot_be_signed_again(world) -> None:
    """Two signatures would never verify, so the signer reports an error at once."""
    signed = Forge(holder=world.citizen).signed()

    with pytest.raises(SignatureFailure) as caught:
        sign_document(signed, world.citizen.key, world.citizen.chain, at=NOW)
    assert caught.value.code is Code.SIG_03


def test_identifiers_are_what_some_software_takes_for_one() -> None:
    """An identifier is recognised in any namespace, but not a part of its name or a longer name."""
    names = ["Id", "ID", "id", "iD", "I", "D", "i", "d", "Idd", "aId", "DI", "dI", "Di", "d_i"]
    plain = "".join(f' {name}="plain-{name}"' for name in names)
    other = "".join(f' w:{name}="other-{name}"' for name in names)
    root = etree.fromstring(f'<a xmlns:w="urn:w"{plain}><b><c{other} xml:id="x"/></b></a>')

    found = find_identifiers(root)

    some_names = names[:4]
    assert sorted(found) == sorted(
        [f"plain-{name}" for name in some_names] + [f"other-{name}" for name in some_names] + ["x"]
    )


def test_document_is_parsed_once_and_safely() -> None:
    """The parser fetches, expands and recovers nothing."""
    root = parse_document(f'<a xmlns:ds="{DS}">&lt;&#65;</a>'.encode(), build_parser())

    assert root.text == "<A"

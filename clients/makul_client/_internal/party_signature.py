"""The signature of a party under a document that the operator drew up: XAdES, enveloped.

A signing program of the party gets the exact bytes to sign, and its document is compared with them
before it is sent.
"""

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm
from signxml.xades.xades import XAdESSigner

from makul_client._internal.crypto.credentials import Credential
from makul_client._internal.crypto.xml import DSIG, UnsafeXmlError, canonical, parse
from makul_client._internal.crypto.xmldsig import BadSignatureError, verify
from makul_client.errors import ConfirmationError
from makul_client.translation import translate

SIGNATURE = f"{{{DSIG}}}Signature"


def sign_content(content: bytes, signatory: Credential) -> bytes:
    """Return a document as the signatory signs it, with a key in a file."""
    signer = XAdESSigner(
        signature_algorithm=signatory.method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    signed = signer.sign(
        parse(content),
        key=signatory.key,
        cert=[signatory.certificate],
        always_add_key_value=False,
    )
    return require_signed_content(
        content, etree.tostring(signed, xml_declaration=True, encoding="UTF-8")
    )


def require_signed_content(content: bytes, signed: bytes) -> bytes:
    """Return a signed document if exactly these bytes were signed.

    `content` is in exclusive canonical form. `signed` is the whole document or only its
    ds:Signature. Whether the signer is a registered signatory is decided by the service. Raises
    `ConfirmationError`.
    """
    expected = parse(content)
    try:
        root = parse(signed)
        if root.tag == SIGNATURE:
            whole = parse(content)
            whole.append(root)
            signed = etree.tostring(whole, xml_declaration=True, encoding="UTF-8")
        found = verify(signed, expected.tag).root
    except (UnsafeXmlError, BadSignatureError) as error:
        raise ConfirmationError(
            translate("the signature is not valid: {cause}", cause=error)
        ) from None
    if canonical(found) != content:
        raise ConfirmationError(translate("what was signed is not this document"))
    return signed

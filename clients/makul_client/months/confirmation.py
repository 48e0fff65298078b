"""The countersignature of a month: the content of the operator's head, signed by the recipient.

The recipient's document has the same content as the head, with the signature of the recipient's
signatory in place of the operator's. A signing program of the recipient gets the exact bytes to
sign, and its document is compared with them before it is sent.
"""

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm
from signxml.xades.xades import XAdESSigner

from makul_client._internal.crypto.credentials import Credential
from makul_client._internal.crypto.xml import DSIG, MONTH, UnsafeXmlError, canonical, parse
from makul_client._internal.crypto.xmldsig import BadSignatureError, verify
from makul_client.errors import ConfirmationError
from makul_client.models.months import MonthlyStatement
from makul_client.translation import translate

_SIGNATURE = f"{{{DSIG}}}Signature"
_ROOT = f"{{{MONTH}}}MonthlyStatement"


def content_to_sign(statement: MonthlyStatement) -> bytes:
    """Return the exact bytes that the signatory signs: the head without the operator's signature.

    They are in exclusive canonical form. The head was verified before.
    """
    root = parse(statement.document)
    for signature in root.findall(_SIGNATURE):
        root.remove(signature)
    return canonical(root)


def sign_statement(statement: MonthlyStatement, signatory: Credential) -> bytes:
    """Return the statement as the signatory signs it, with a key in a file."""
    signer = XAdESSigner(
        signature_algorithm=signatory.method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    signed = signer.sign(
        parse(content_to_sign(statement)),
        key=signatory.key,
        cert=[signatory.certificate],
        always_add_key_value=False,
    )
    return require_signed(statement, etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))


def require_signed(statement: MonthlyStatement, signed: bytes) -> bytes:
    """Return a signed document if exactly this statement was signed.

    `signed` is the whole document or only its ds:Signature. Whether the signer is a registered
    signatory is decided by the service. Raises `ConfirmationError`.
    """
    content = content_to_sign(statement)
    try:
        root = parse(signed)
        if root.tag == _SIGNATURE:
            whole = parse(content)
            whole.append(root)
            signed = etree.tostring(whole, xml_declaration=True, encoding="UTF-8")
        found = verify(signed, _ROOT).root
    except (UnsafeXmlError, BadSignatureError) as error:
        raise ConfirmationError(
            translate("the signature is not valid: {cause}", cause=error)
        ) from None
    if canonical(found) != content:
        raise ConfirmationError(translate("what was signed is not this statement"))
    return signed

"""Read the security token of a message and KeyInfo's reference to it.

Specification: WSS X.509 Token Profile 1.1.
"""

from typing import TYPE_CHECKING, Final

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.net.xml_names import speakable_name
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import SigningCertificate, read_certificate
from makul.trust.xmldsig.parsing import DS, only_child, read_binary

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE: Final = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU: Final = f"{_WSS}wssecurity-utility-1.0.xsd"
X509_V3: Final = f"{_WSS}x509-token-profile-1.0#X509v3"
BASE64: Final = f"{_WSS}soap-message-security-1.0#Base64Binary"

TOKEN: Final = f"{{{WSSE}}}BinarySecurityToken"
ID: Final = f"{{{WSU}}}Id"
_TOKEN_REFERENCE: Final = f"{{{WSSE}}}SecurityTokenReference"
_REFERENCE: Final = f"{{{WSSE}}}Reference"
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_TOKEN_NAME: Final = "BinarySecurityToken"  # noqa: S105 - an element's name


def require_reference_to(token: "Element", signature: "Element") -> None:
    """Require that KeyInfo names this token and nothing else (X.509 Token Profile 1.1, 3.2.1).

    Raises `SignatureFailure` (SIG-03).
    """
    reference = require_reference(signature)
    identifier = token.get(ID)
    if (
        not identifier
        or reference.get("URI") != f"#{identifier}"
        or reference.get("ValueType", X509_V3) != X509_V3
    ):
        raise _another_reference("KeyInfo names another token", reference)


def require_reference(signature: "Element") -> "Element":
    """Return the direct reference in KeyInfo.

    Raises `SignatureFailure` (SIG-03) if KeyInfo names the key in another way.
    """
    stated = only_child(signature, _KEY_INFO)
    for tag in (_TOKEN_REFERENCE, _REFERENCE):
        if len(stated) != 1 or stated[0].tag != tag:
            other = [part for part in stated if part.tag != tag] or list(stated) or [stated]
            raise _another_reference("KeyInfo holds something else than a reference", other[0])
        stated = stated[0]
    return stated


def _another_reference(why: str, element: "Element") -> SignatureFailure:
    return SignatureFailure(
        Code.SIG_03, why, field=speakable_name(element), cause=Cause.KEY_REFERENCE
    )


def read_token_certificate(token: "Element") -> SigningCertificate:
    """Return the certificate in the token.

    Raises `SignatureFailure` (SIG-02 or SIG-04) if the token contains anything else.
    """
    if token.get("ValueType") != X509_V3 or token.get("EncodingType", BASE64) != BASE64:
        raise SignatureFailure(
            Code.SIG_04,
            "the token is not an X.509 certificate in base64",
            field=_TOKEN_NAME,
            cause=Cause.TOKEN_TYPE,
        )
    try:
        der = read_binary(token)
    except SignatureFailure as failure:
        raise SignatureFailure(
            failure.code, failure.why, field=_TOKEN_NAME, cause=Cause.TOKEN_TYPE
        ) from None
    try:
        return read_certificate(der)
    except SignatureFailure as failure:
        raise failure.within(_TOKEN_NAME, Cause.TOKEN_TYPE) from None

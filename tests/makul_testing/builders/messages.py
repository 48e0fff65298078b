"""Good signed messages, built fast: canonical templates with one signature each."""

import hashlib
import uuid
from base64 import b64encode
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from makul_sandbox.data.recipients import XROAD_INSTANCE

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
_WSU = f"{_WSS}wssecurity-utility-1.0.xsd"
_X509 = f"{_WSS}x509-token-profile-1.0#X509v3"
_BASE64 = f"{_WSS}soap-message-security-1.0#Base64Binary"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"

TERM = timedelta(minutes=5)


def signed_message(
    child: bytes,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    certificate: x509.Certificate,
    *,
    at: datetime,
) -> bytes:
    """Return a SOAP 1.1 message whose Body and Timestamp are signed.

    `child` declares its own namespaces.
    """
    child = etree.tostring(
        etree.fromstring(child, etree.XMLParser(huge_tree=True)), method="c14n", exclusive=True
    )
    body = (
        f'<soap:Body xmlns:soap="{_SOAP}" xmlns:wsu="{_WSU}" wsu:Id="body">'.encode()
        + child
        + b"</soap:Body>"
    )
    created, expires = (each.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for each in (at, at + TERM))
    timestamp = (
        f'<wsu:Timestamp xmlns:wsu="{_WSU}" wsu:Id="timestamp"><wsu:Created>{created}'
        f"</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>"
    ).encode()
    info = _signed_info(key, body, timestamp)
    token = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    token_id = f"token-{uuid.uuid4()}"
    signature = (
        f'<ds:Signature xmlns:ds="{_DS}">{info}<ds:SignatureValue>{_sign(key, info.encode())}'
        f"</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference"
        f' ValueType="{_X509}" URI="#{token_id}"/></wsse:SecurityTokenReference></ds:KeyInfo>'
        "</ds:Signature>"
    )
    return (
        f'<soap:Envelope xmlns:soap="{_SOAP}"><soap:Header><wsse:Security xmlns:wsse="{_WSSE}"'
        f' xmlns:wsu="{_WSU}"><wsse:BinarySecurityToken ValueType="{_X509}"'
        f' EncodingType="{_BASE64}" wsu:Id="{token_id}">{token}</wsse:BinarySecurityToken>'
        f"{timestamp.decode()}{signature}</wsse:Security></soap:Header>"
    ).encode() + (body + b"</soap:Envelope>")


def _signed_info(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, body: bytes, timestamp: bytes
) -> str:
    method = "ecdsa-sha256" if isinstance(key, ec.EllipticCurvePrivateKey) else "rsa-sha256"
    references = "".join(
        f'<ds:Reference URI="#{name}"><ds:Transforms><ds:Transform Algorithm="{_C14N}">'
        f'</ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="{_SHA256}">'
        f"</ds:DigestMethod><ds:DigestValue>"
        f"{b64encode(hashlib.sha256(octets).digest()).decode()}</ds:DigestValue></ds:Reference>"
        for name, octets in (("body", body), ("timestamp", timestamp))
    )
    return (
        f'<ds:SignedInfo xmlns:ds="{_DS}"><ds:CanonicalizationMethod Algorithm="{_C14N}">'
        f'</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{_MORE}{method}">'
        f"</ds:SignatureMethod>{references}</ds:SignedInfo>"
    )


def _sign(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, octets: bytes) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return b64encode(key.sign(octets, padding.PKCS1v15(), hashes.SHA256())).decode()
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
    size = (key.key_size + 7) // 8
    return b64encode(r.to_bytes(size, "big") + s.to_bytes(size, "big")).decode()


def xroad_message(child: bytes, member: str, request_id: object) -> bytes:
    """Return a message as a security server of the sandbox forwards it for a member."""
    member_class, member_code = member.split("/")
    operation = etree.QName(etree.fromstring(child)).localname
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:id="http://x-road.eu/xsd/identifiers">'
        '<s:Header><xrd:client id:objectType="SUBSYSTEM">'
        f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance>"
        f"<id:memberClass>{member_class}</id:memberClass>"
        f"<id:memberCode>{member_code}</id:memberCode><id:subsystemCode>core</id:subsystemCode>"
        '</xrd:client><xrd:service id:objectType="SERVICE">'
        f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance><id:memberClass>GOV</id:memberClass>"
        "<id:memberCode>70000001</id:memberCode><id:subsystemCode>makul</id:subsystemCode>"
        f"<id:serviceCode>{operation}</id:serviceCode><id:serviceVersion>v1</id:serviceVersion>"
        f"</xrd:service><xrd:userId>EE1234</xrd:userId><xrd:id>{request_id}</xrd:id>"
        "<xrd:protocolVersion>4.0</xrd:protocolVersion></s:Header><s:Body>"
    ).encode() + (child + b"</s:Body></s:Envelope>")

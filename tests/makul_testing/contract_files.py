"""The published WSDLs and schemas as XML."""

from collections.abc import Mapping

import makul_schemas
import makul_wsdl
from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
XRD = "http://x-road.eu/xsd/xroad.xsd"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NS = {
    "xs": XS,
    "wsdl": WSDL,
    "soap": SOAP11,
    "soap12": SOAP12,
    "xrd": XRD,
    "id": "http://x-road.eu/xsd/identifiers",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "t": "urn:makul:types:1",
    "r": "urn:makul:recipient:1",
    "o": "urn:makul:oversight:1",
    "s": "urn:makul:subject:1",
    "c": "urn:makul:consent:1",
    "b": "urn:makul:basis:1",
    "a": "urn:makul:agreement:1",
    "n": "urn:makul:notice:1",
    "p": "urn:makul:receipt:1",
    "d": "urn:makul:delivery:1",
    "u": "urn:makul:undertaking:1",
}

CLAUSES = {str(number) for number in range(1, 17)} | {"5.1", "5.2", "5.3", "5.4"}
"""The clauses of the Procedure."""

OPERATIONS: Mapping[str, Mapping[str, str]] = {
    "recipient": {
        "VerifyPerson": "2, 4, 5 and 10",
        "GetPersonData": "4, 5 and 10",
        "ExplainDecision": "7",
        "RegisterConsent": "4",
        "RevokeConsent": "4",
        "GetConsentStatus": "4",
        "ListRevocations": "4",
        "GetAgreement": "7",
        "GetReceipt": "10 and 11",
        "GetMonthlyStatement": "11",
        "ConfirmMonth": "11",
        "ReportInaccuracy": "14",
        "GetCorrection": "14",
        "AcknowledgeCorrection": "14",
        "RecordUndertaking": "15 and 16",
        "ReportIncident": "15",
        "AttestDeletion": "15",
        "GetStatus": "9",
    },
    "oversight": {
        "ApproveNotice": "4",
        "AcknowledgeCase": "12",
        "CutOffRecipient": "12",
        "GetCase": "12",
        "GetEvidenceFile": "12",
        "GetAgreementDraft": "7",
        "GetMonth": "11",
        "GetNotice": "4",
        "GetStatistics": "11",
        "ListDisclosures": "11",
        "OpenCase": "12",
        "ReferCase": "12",
        "ReinstateRecipient": "12",
        "SignAgreement": "7",
        "SignMonth": "11",
        "TerminateAgreement": "12",
        "ListCorrections": "14",
        "ResolveCorrection": "14",
    },
    "subject": {
        "ListDisclosures": "4 and 11",
        "GetDisclosureReceipt": "11",
        "ListConsents": "4",
        "RevokeConsent": "4",
        "LockMatching": "4",
        "UnlockMatching": "4",
        "ReportNotMe": "4 and 11",
        "AnswerCheck": "11",
        "RequestCorrection": "4 and 14",
        "ListCorrections": "14",
    },
}
"""The operations of each port, with the clauses of the Procedure that they carry out."""

OPERATIONS_OF_PORTS = [(port, each) for port, published in OPERATIONS.items() for each in published]


def port_of(wsdl: str) -> str:
    """Return the port that a WSDL publishes: `recipient-xroad.wsdl` publishes `recipient`."""
    return wsdl.removesuffix(".wsdl").partition("-")[0]


def prefix_of(port: str) -> str:
    """Return the prefix of a port's namespace in its files."""
    return port[0]


def schema_root(name: str) -> etree._Element:
    return etree.fromstring(makul_schemas.read(name))


def wsdl_root(name: str) -> etree._Element:
    return etree.fromstring(makul_wsdl.read(name))


def elements(root: etree._Element, path: str) -> list[etree._Element]:
    found = root.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, etree._Element)]


def compile_schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(makul_schemas.location() / name))


def place(node: etree._Element) -> str:
    return f"line {node.sourceline}: {etree.QName(node).localname} {node.get('name', '')}"

# mypy: allow-untyped-calls
"""The models of requests, by which Spyne routes and `body_parser` reads.

They repeat the published schemas, which are authoritative. A Body is validated against the schema
before it is read. A test compares the models with the schemas. Facets are written as in the schema
(`xsd_pattern`, because Python's regular expressions do not support all of XSD's).
"""

from typing import Any, Final

from makul.soap.spyne_setup import ByteArray, ComplexModel, Date, DateTime, Integer32, Unicode

NAMESPACE: Final = "urn:makul:recipient:1"

_UUID: Final = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_PLAIN: Final = (
    "[^<>\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u17b4\u17b5\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ue000-\uf8ff\ufeff\ufff9-\ufffb]+"
)


def _token(pattern: str | None = None, **facets: Any) -> Any:
    return Unicode(xsd_pattern=pattern, min_occurs=1, **facets)


def _octets(longest: int) -> Any:
    return ByteArray(min_len=1, max_len=longest, min_occurs=1)


def _model(name: str, namespace: str, *members: tuple[str, Any]) -> Any:
    return ComplexModel.produce(namespace, name, dict(members))


def _optional(model: Any) -> Any:
    return model.customize(min_occurs=0)


RequestId = _token(_UUID)
Uuid = _token(_UUID)
Pin = _token(r"[012](0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{9}")
AgreementNumber = _token(r"[0-9A-Za-z][0-9A-Za-z._/\-]{0,63}")
PurposeCode = _token(r"[A-Z][A-Z0-9_]{1,63}")
AttributeName = _token(r"[a-z][A-Za-z]{1,63}")
MatchMethod = _token(r"[a-z][a-z0-9]{1,31}")
OperationName = _token(r"[A-Za-z]{1,64}")
SampleFormat = _token(r"[a-z][a-z0-9.\-]{1,31}")
DocumentNumber = _token(r"[0-9A-Z\-]{3,20}")
EmployeeId = _token(_PLAIN, min_len=1, max_len=64)
CaseNumber = _token(_PLAIN, min_len=1, max_len=64)
Name = _token(_PLAIN, min_len=1, max_len=100)
Sex = _token(values=["M", "F"])
BirthDate = Date(xsd_pattern=r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}", min_occurs=1)
UtcDateTime = DateTime(
    xsd_pattern=r"2[01][0-9]{2}[0-9\-]{6}T([01][0-9]|2[0-3])[0-9:]{6}(\.[0-9]{1,9})?(Z|[+\-][0-9:]{5})",
    min_occurs=1,
)
PageLimit = Integer32(ge=1, le=1000, min_occurs=1)
FingerPosition = Integer32(ge=1, le=10, min_occurs=1)
Document = _octets(262_144)
Salt = ByteArray(
    xsd_pattern=r"[0-9A-Za-z+/]{42}[048AEIMQUYcgkosw]=", min_len=32, max_len=32, min_occurs=1
)
SampleData = _octets(1_048_576)
Scan = _octets(10_485_760)
AuthorityDocument = _octets(1_048_576)


DemographicProbe = _model(
    "DemographicProbe",
    NAMESPACE,
    ("pin", Pin),
    ("documentNumber", _optional(DocumentNumber)),
    ("surname", _optional(Name)),
    ("givenName", _optional(Name)),
    ("patronymic", _optional(Name)),
    ("birthDate", _optional(BirthDate)),
    ("sex", _optional(Sex)),
)
"""The recipient's statements about the person."""


FaceProbe = _model(
    "FaceProbe",
    NAMESPACE,
    ("image", SampleData),
    ("format", SampleFormat),
)
"""An image of the person's face."""


FingerProbe = _model(
    "FingerProbe",
    NAMESPACE,
    ("position", FingerPosition),
    ("format", SampleFormat),
    ("data", SampleData),
)
"""An image or template of one finger."""


Probe = _model(
    "Probe",
    NAMESPACE,
    ("demographic", DemographicProbe.customize(min_occurs=1)),
    ("face", _optional(FaceProbe)),
    ("finger", FingerProbe.customize(min_occurs=0, max_occurs=10)),
)
"""The data to be compared with the record."""


Ground = _model(
    "Ground",
    NAMESPACE,
    ("consentDocument", _optional(Document)),
    ("consentId", _optional(Uuid)),
    ("basisDocument", _optional(Document)),
)
"""The ground: one of three. The schema has a choice; for Spyne they are three optional elements."""


AttributeList = _model(
    "AttributeList",
    NAMESPACE,
    ("attribute", AttributeName.customize(max_occurs=32)),
)
"""The requested attributes."""


Methods = _model(
    "Methods",
    NAMESPACE,
    ("method", MatchMethod.customize(max_occurs=8)),
)
"""The methods of a planned match."""


_UNDER_AGREEMENT: Final = [
    ("requestId", RequestId),
    ("agreementNumber", AgreementNumber),
    ("employee", _optional(EmployeeId)),
    ("caseNumber", _optional(CaseNumber)),
]
_ABOUT_PERSON: Final = [
    _UNDER_AGREEMENT[0],
    ("nonce", _optional(Salt)),  # used only in the digest of the request
    *_UNDER_AGREEMENT[1:],
]
_QUERY: Final = [("requestId", RequestId), ("employee", _optional(EmployeeId))]


VerifyPerson = _model(
    "VerifyPerson",
    NAMESPACE,
    *_ABOUT_PERSON,
    ("purpose", PurposeCode),
    ("probe", Probe.customize(min_occurs=1)),
    ("ground", _optional(Ground)),
)
"""The request to verify a person's identity."""


GetPersonData = _model(
    "GetPersonData",
    NAMESPACE,
    *_ABOUT_PERSON,
    ("purpose", PurposeCode),
    ("probe", Probe.customize(min_occurs=1)),
    ("ground", _optional(Ground)),
    ("requestedAttributes", AttributeList.customize(min_occurs=1)),
)
"""The request to match the person and release exactly these attributes."""


ExplainDecision = _model(
    "ExplainDecision",
    NAMESPACE,
    *_ABOUT_PERSON,
    ("purpose", PurposeCode),
    ("operation", OperationName),
    ("pin", _optional(Pin)),
    ("methods", Methods.customize(min_occurs=1)),
    ("ground", _optional(Ground)),
    ("requestedAttributes", _optional(AttributeList)),
)
"""The request for a dry run up to the match."""


RegisterConsent = _model(
    "RegisterConsent",
    NAMESPACE,
    *_UNDER_AGREEMENT,
    ("consentDocument", Document),
    ("scan", _optional(Scan)),
    ("authorityDocument", _optional(AuthorityDocument)),
)
"""The request to register a consent."""


RevokeConsent = _model(
    "RevokeConsent",
    NAMESPACE,
    ("requestId", RequestId),
    ("employee", _optional(EmployeeId)),
    ("caseNumber", _optional(CaseNumber)),
    ("revocationDocument", Document),
)
"""The request to revoke a consent."""


GetConsentStatus = _model(
    "GetConsentStatus",
    NAMESPACE,
    *_QUERY,
    ("consentId", Uuid),
)
"""The request for the status of a consent."""


ListRevocations = _model(
    "ListRevocations",
    NAMESPACE,
    *_QUERY,
    ("since", _optional(UtcDateTime)),
    ("after", _optional(Uuid)),
    ("limit", _optional(PageLimit)),
)
"""The request for a list of revoked consents."""


GetAgreement = _model(
    "GetAgreement",
    NAMESPACE,
    *_QUERY,
    ("agreementNumber", AgreementNumber),
)
"""The request for the terms of an agreement."""


GetReceipt = _model(
    "GetReceipt",
    NAMESPACE,
    *_QUERY,
    ("ofRequest", RequestId),
)
"""The request for the receipt of an earlier request."""


GetStatus = _model(
    "GetStatus",
    NAMESPACE,
    *_QUERY,
)
"""The request for versions, limits and time."""


OPERATIONS: Final = {
    model.get_type_name(): model
    for model in (
        VerifyPerson,
        GetPersonData,
        ExplainDecision,
        RegisterConsent,
        RevokeConsent,
        GetConsentStatus,
        ListRevocations,
        GetAgreement,
        GetReceipt,
        GetStatus,
    )
}
"""Every operation of the recipient port, by the name of its Body's child."""

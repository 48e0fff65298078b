"""The SOAP headers of the X-Road message protocol 4.0."""

from typing import Any, Final
from uuid import UUID

from makul_client.profile import XRoad, XRoadId

PROTOCOL_VERSION: Final = "4.0"
SERVICE_VERSION: Final = "v1"


def headers(
    xroad: XRoad,
    operation: str,
    *,
    request_id: UUID,
    employee: str | None,
    case_number: str | None,
) -> dict[str, Any]:
    """Return the headers as zeep takes them: `userId` is the employee, `issue` the case."""
    return {
        "client": {"objectType": "SUBSYSTEM", **_identifier_fields(xroad.client)},
        "service": {
            "objectType": "SERVICE",
            **_identifier_fields(xroad.service),
            "serviceCode": operation,
            "serviceVersion": SERVICE_VERSION,
        },
        "id": str(request_id),
        "protocolVersion": PROTOCOL_VERSION,
        "userId": employee,
        "issue": case_number,
    }


def _identifier_fields(of: XRoadId) -> dict[str, str]:
    return {
        "xRoadInstance": of.instance,
        "memberClass": of.member_class,
        "memberCode": of.member_code,
        "subsystemCode": of.subsystem,
    }

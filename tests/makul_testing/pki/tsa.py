"""The HTTP side of a time-stamping authority (RFC 3161, 3.4) for tests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import asn1crypto.cms
import asn1crypto.tsp

from makul_sandbox.data.timestamp_authority import StampingAuthority

# asn1crypto has no type annotations.
_cms: Any = asn1crypto.cms
_tsp: Any = asn1crypto.tsp


def answer_queries(
    authority: StampingAuthority, clock: Callable[[], datetime], *, status: str = "granted"
) -> Callable[[bytes], bytes]:
    """Return the function from a TimeStampReq to a TimeStampResp."""

    def answer(query: bytes) -> bytes:
        request = _tsp.TimeStampReq.load(query, strict=True)

        def amend(info: Any) -> None:
            info["message_imprint"] = request["message_imprint"]
            info["nonce"] = request["nonce"]

        token = replace(authority, amend_info=amend).stamp(b"", at=clock())
        response = _tsp.TimeStampResp(
            {
                "status": _tsp.PKIStatusInfo({"status": status}),
                "time_stamp_token": _cms.ContentInfo.load(token),
            }
        )
        return bytes(response.dump())

    return answer

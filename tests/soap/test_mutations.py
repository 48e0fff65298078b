"""A randomly damaged message always gets an answer in XML, and never causes an internal error."""

import random

import pytest

from makul.soap.channels import RequestChannel, XRoadChannel
from makul_testing.soap_client import (
    GET_STATUS,
    TrustingChannel,
    assert_typed_fault,
    build,
    enveloped,
    sample,
    send,
    xroad_headers,
)

_DAMAGED = 250
"""The number of messages for each case, which take some seconds in all."""

_PIECES = (b"<", b">", b"&", b"\0", b"]]>", b"<!--", b"<?a?>", b"\xff", b'"', b"=", b" ", b"&#0;")


def _damage(raw: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(raw)), chance.choice((0, 0, 1, 1, 2, 8, 40))
    piece = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(_PIECES)))
    other = chance.randrange(len(raw))
    if chance.random() < 0.2:
        piece = raw[other : other + chance.randrange(1, 80)]
    return raw[:at] + piece + raw[at + length :]


@pytest.mark.parametrize(
    ("body", "channel"),
    [(sample("get-person-data"), TrustingChannel()), (GET_STATUS, XRoadChannel("KG"))],
    ids=["plain", "xroad"],
)
def test_damage_is_the_sender_s_fault(body: str, channel: RequestChannel) -> None:
    """Every good vector is damaged; OPS-99 would be a mistake of the service."""
    chance = random.Random(20261122)  # noqa: S311 - reproducible, not secret
    raw = enveloped(body, header=xroad_headers())
    application = build(channel=channel)
    statuses = set()
    for _ in range(_DAMAGED):
        response = send(application, _damage(raw, chance))
        statuses.add(response.status)
        if response.status != 200:
            assert_typed_fault(response)
            assert set(response.codes) <= {"REQ-01", "REQ-02", "REQ-07", "RCP-01"}
    assert statuses >= {200, 415, 500}

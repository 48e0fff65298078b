"""Hostile messages get a typed fault: never HTML, an exception, or their own values.

The vectors are data: tests/vectors/soap/hostile.toml describes each and its expected fault.
"""

import gzip
import logging
import re
import tomllib
from typing import Any

import pytest

from makul.soap.versions import SOAP_11, SOAP_12, SoapVersion
from makul_testing.paths import VECTORS
from makul_testing.soap_client import (
    GET_STATUS,
    VERSIONS,
    FakePort,
    assert_typed_fault,
    build,
    send,
)

_FILE = VECTORS / "soap" / "hostile.toml"
_VECTORS = tomllib.loads(_FILE.read_text(encoding="utf-8"))["vector"]
SECRET = "S3CRET10101199000042"
_NAMES_11 = {"Sender": "Client"}


def _text(vector: dict[str, Any], version: SoapVersion) -> str:
    other = SOAP_12 if version is SOAP_11 else SOAP_11
    text = (
        vector["body"]
        .replace("{open}", '<s:Envelope xmlns:s="{soap}"><s:Body>')
        .replace("{close}", "</s:Body></s:Envelope>")
        .replace("{good}", GET_STATUS)
        .replace("{soap}", version.namespace)
        .replace("{other}", other.namespace)
        .replace("{secret}", SECRET)
        .replace("{{", "{")
        .replace("}}", "}")
    )
    text = re.sub(r"\{many:([^:]*):(\d+)\}", lambda many: many[1] * int(many[2]), text)
    return re.sub(
        r"\{numbered:(\w+):(\d+)\}",
        lambda many: " ".join(f'{many[1]}{number}=""' for number in range(int(many[2]))),
        text,
    )


def _raw(vector: dict[str, Any], version: SoapVersion) -> bytes:
    raw = _text(vector, version).encode(vector.get("encode", "utf-8"))
    raw = gzip.compress(raw) if vector.get("gzip") else raw
    return raw + bytes.fromhex(vector.get("hex", ""))


def _content_type(vector: dict[str, Any], version: SoapVersion) -> str | None:
    media_type = vector.get("type", version.media_type)
    if "charset" in vector:
        return f"{media_type}; charset={vector['charset']}"
    return media_type or None


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("vector", _VECTORS, ids=lambda vector: vector["name"])
def test_hostile_message_gets_a_typed_fault(
    vector: dict[str, Any], version: SoapVersion, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that cannot be understood is a fault with a reason block."""
    caplog.set_level(logging.DEBUG)
    fake = FakePort()
    environ = {
        key: value.replace("{secret}", SECRET) or None
        for key, value in vector.get("environ", {}).items()
    }

    response = send(
        build(fake),
        _raw(vector, version),
        content_type=_content_type(vector, version),
        **environ,
    )

    assert_typed_fault(response)
    assert response.codes[0] == vector["code"]
    assert SECRET.encode() not in response.body
    assert SECRET not in caplog.text
    assert fake.requests == []
    if "field" in vector:
        assert response.fields == [vector["field"]]
    _assert_status(response.status, response.fault_code, vector, version)


def _assert_status(
    status: int, fault_code: str, vector: dict[str, Any], version: SoapVersion
) -> None:
    """Assert SOAP 1.1, section 6.2: 500; SOAP 1.2 part 2, table 20: 400 for env:Sender,
    else 500.
    """
    expected = vector.get("fault", "Sender")
    media_type_known = vector.get("type", version.media_type) == version.media_type
    if version is SOAP_12 and media_type_known and vector.get("charset", "utf-8") == "utf-8":
        sender_status = 400
    else:
        expected, sender_status = _NAMES_11.get(expected, expected), 500
    if vector.get("http") != 415:
        assert fault_code == expected
    default = sender_status if expected in ("Sender", "Client") else 500
    assert status == vector.get("http", default)


def test_names_of_vectors_are_unique() -> None:
    """A vector's name identifies a failure."""
    names = [vector["name"] for vector in _VECTORS]
    assert len(names) == len(set(names))
    assert all(vector["why"] for vector in _VECTORS)

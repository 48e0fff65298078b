# mypy: allow-untyped-calls
"""The fault table: every error has its fault, and every fault is valid."""

import logging
import re
from typing import Any
from uuid import UUID

import pytest

from makul.app.ports import RejectedError, StoreUnavailableError
from makul.domain.reasons import Code, Reason
from makul.net.supervision import trace
from makul.soap.spyne_setup import Fault as SpyneFault
from makul.soap.versions import SOAP_11, SOAP_12, SoapVersion
from makul.soap.wsgi_app import AnswerSummary
from makul_testing.soap_client import (
    GET_STATUS,
    MEMBER,
    REQUEST_ID,
    VERSIONS,
    FakePort,
    assert_typed_fault,
    build,
    enveloped,
    send,
)

SECRET = "S3CRET10101199000042"


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("code", Code)
def test_every_code_makes_a_valid_fault(code: Code, version: SoapVersion) -> None:
    """Every code and SOAP version has the same typed detail."""
    reason = Reason(code=code, because=Code.SIG_07, field="pin", retry_after=60)
    fake = FakePort(raises=RejectedError(reason, request_id=UUID(int=7)))

    response = send(build(fake), enveloped(GET_STATUS, version), content_type=version.content_type)

    assert_typed_fault(response)
    assert response.headers["Content-Type"] == version.content_type
    assert response.codes == [code.value]
    assert response.fields == ["pin"]
    assert response.text(".//t:requestId") == str(UUID(int=7))


@pytest.mark.parametrize(
    ("error", "code", "names", "statuses"),
    [
        (RejectedError(Reason(code=Code.RCP_01)), "RCP-01", ("Client", "Sender"), (500, 400)),
        (RejectedError(Reason(code=Code.REQ_05)), "REQ-05", ("Server", "Receiver"), (500, 500)),
        (RejectedError(), "OPS-99", ("Server", "Receiver"), (500, 500)),
        (StoreUnavailableError(SECRET), "OPS-03", ("Server", "Receiver"), (500, 500)),
        (SpyneFault("Client.X", SECRET), "REQ-01", ("Client", "Sender"), (500, 400)),
        (SpyneFault("Server", SECRET), "OPS-99", ("Server", "Receiver"), (500, 500)),
        (ValueError(SECRET), "OPS-99", ("Server", "Receiver"), (500, 500)),
        (KeyError(SECRET), "OPS-99", ("Server", "Receiver"), (500, 500)),
        (StopIteration(SECRET), "OPS-99", ("Server", "Receiver"), (500, 500)),
        (RecursionError(SECRET), "OPS-99", ("Server", "Receiver"), (500, 500)),
        (MemoryError(SECRET), "OPS-99", ("Server", "Receiver"), (500, 500)),
    ],
)
def test_error_of_a_use_case_is_a_fault(
    error: Exception,
    code: str,
    names: tuple[str, str],
    statuses: tuple[int, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """SOAP 1.1 says Client or Server at 500; SOAP 1.2 says Sender at 400, Receiver at 500."""
    caplog.set_level(logging.DEBUG)
    for version, name, status in zip((SOAP_11, SOAP_12), names, statuses, strict=True):
        response = send(
            build(FakePort(raises=error)),
            enveloped(GET_STATUS, version),
            content_type=version.content_type,
        )
        assert_typed_fault(response)
        assert (response.codes, response.fault_code, response.status) == ([code], name, status)
        assert SECRET.encode() not in response.body
    assert SECRET not in caplog.text


def test_the_reference_of_an_internal_error_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """OPS-99 has a reference; the log has types and locations under it, and no data."""
    error = ValueError(SECRET)
    error.__cause__ = KeyError(SECRET)
    response = send(build(FakePort(raises=error)), enveloped(GET_STATUS))

    reference = re.search(r"\[([0-9a-f]{16})\]", response.text(".//faultstring") or "")
    assert reference is not None
    (record,) = [record for record in caplog.records if reference[1] in record.getMessage()]
    assert "ValueError" in record.getMessage()
    assert "KeyError" in record.getMessage()
    assert "makul_testing.soap_client" in record.getMessage()
    assert SECRET not in caplog.text


@pytest.mark.parametrize("answer", [None, "text", b"", bytearray(b"x"), [b"x"]], ids=repr)
def test_an_answer_that_is_not_bytes_is_a_fault(answer: object) -> None:
    """An error after Spyne's marker for the answer is sent as a fault, with a fault's status."""
    fake = FakePort(answer=answer)
    response = send(build(fake), enveloped(GET_STATUS))

    assert_typed_fault(response)
    assert (response.status, response.codes) == (500, ["OPS-99"])


def test_the_exact_bytes_of_the_answer_are_sent() -> None:
    """The rendered, digested and recorded bytes are sent, and nothing serialises them again."""
    answer = b"<a  xmlns='urn:x'\n b = '1'><![CDATA[ & ]]></a >"
    response = send(build(FakePort(answer=answer)), enveloped(GET_STATUS))

    assert response.status == 200
    assert b"<soap:Body>" + answer + b"</soap:Body>" in response.body


def test_a_field_that_is_not_a_name_is_left_out() -> None:
    """A reason's field is a name; anything else might be a value."""
    error = RejectedError(Reason(code=Code.REQ_01, field=f"pin {SECRET}"))
    response = send(build(FakePort(raises=error)), enveloped(GET_STATUS))

    assert_typed_fault(response)
    assert (response.fields, SECRET.encode() in response.body) == ([], False)


def test_several_reasons_stand_in_one_fault() -> None:
    """A fault has all reasons that apply, and the first gives its sentence."""
    error = RejectedError(Reason(code=Code.SIG_05), Reason(code=Code.SIG_10))
    response = send(build(FakePort(raises=error)), enveloped(GET_STATUS))

    assert response.codes == ["SIG-05", "SIG-10"]
    assert (response.text(".//faultstring") or "").startswith("SIG-05: ")


def test_soap_12_reason_speaks_three_languages() -> None:
    """SOAP 1.2 part 1, section 5.4.2: there is one Text for each language, English first."""
    response = send(
        build(FakePort(raises=RejectedError(Reason(code=Code.RCP_01)))),
        enveloped(GET_STATUS, SOAP_12),
        content_type=SOAP_12.content_type,
    )
    texts = list(response.root.iter(SOAP_12.qualified("Text")))
    languages = [text.get("{http://www.w3.org/XML/1998/namespace}lang") for text in texts]

    assert languages == ["en", "ky", "ru"]


def test_answers_are_counted_without_data() -> None:
    """A failure before the decision is counted by what was proved, and not by its content."""
    counted: list[AnswerSummary] = []
    send(build(observe=counted.append), enveloped(GET_STATUS))
    send(build(observe=counted.append), b"")
    send(
        build(FakePort(raises=StoreUnavailableError()), observe=counted.append),
        enveloped(GET_STATUS),
    )

    known: dict[str, Any] = {
        "request_id": REQUEST_ID,
        "caller": MEMBER,
        "received": len(enveloped(GET_STATUS)),
    }
    assert counted == [
        AnswerSummary(operation="GetStatus", status=200, **known),
        AnswerSummary(operation=None, status=400, faults=("REQ-01",)),
        AnswerSummary(operation="GetStatus", status=500, faults=("OPS-03",), **known),
    ]


def test_a_count_that_fails_fails_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    """An answer whose disclosure is committed must leave, even if metrics fail."""

    def broken(_: AnswerSummary) -> None:
        raise OSError(SECRET)

    assert send(build(observe=broken), enveloped(GET_STATUS)).status == 200
    assert send(build(observe=broken), b"").status == 400
    assert SECRET not in caplog.text


def test_trace_of_a_long_chain_is_bounded() -> None:
    """An error chain of any length makes one line of bounded length."""
    error: Exception = ValueError(SECRET)
    for _ in range(100):
        outer = ValueError(SECRET)
        outer.__cause__, error = error, outer

    line = trace(error)
    assert line.count("ValueError") < 10
    assert SECRET not in line

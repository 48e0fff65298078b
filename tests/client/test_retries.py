"""A request that may succeed later is repeated: bounded, under its own id, signed again."""

import base64
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from makul_client import Context, ProfileError, Retry, TransportError
from makul_testing.client.world import (
    GROUND,
    PROBE,
    Pauses,
    ask,
    client_for,
    operator,
    write_profile,
)
from makul_testing.servers.fake_service import (
    PERSON,
    Reply,
    fault,
    hang_up,
    run_fake_service,
    status,
)


@pytest.mark.parametrize(
    "failure",
    [
        hang_up,
        status(503),
        fault("REQ-05", retry="L"),
        fault("OPS-03", retry="L"),
        operator().decide("UNDETERMINED", codes=("OPS-02",), retry="L"),
    ],
    ids=["connection", "503", "REQ-05", "OPS-03", "OPS-02 decided"],
)
def test_a_repetition_has_the_same_id_and_a_new_signature(tmp_path: Path, failure: Reply) -> None:
    """docs/architecture.md, invariant 5: an id discloses at most once, so repeating it is safe."""
    pauses = Pauses()
    release = operator().decide("RELEASED", person=PERSON)
    data, requests = ask(tmp_path, failure, failure, release, pauses=pauses)

    assert data.decision.outcome == "RELEASED"
    assert len(requests) == 3
    assert len({each.text("requestId") for each in requests}) == 1
    assert len({each.digest for each in requests}) == 1
    assert len({each.message for each in requests}) == 3, "each is signed anew (REQ-09)"
    assert 0.5 <= pauses.seconds[0] <= 1 <= pauses.seconds[1] <= 2


def test_repetitions_are_bounded(tmp_path: Path) -> None:
    """There are four attempts, and then the error names the id."""
    answer, requests = ask(tmp_path, status(502))

    assert isinstance(answer, TransportError)
    assert answer.retry is Retry.LATER
    assert len(requests) == 4
    assert answer.request_id == UUID(requests[0].text("requestId"))


def test_client_waits_as_the_service_states(tmp_path: Path) -> None:
    """The wait is `retryAfter`, to the second."""
    pauses = Pauses()
    release = operator().decide("RELEASED", person=PERSON)
    ask(tmp_path, fault("REQ-06", retry="L", retry_after=7), release, pauses=pauses)

    assert pauses.seconds == [7.0]


def test_client_does_not_wait_beyond_its_limit(tmp_path: Path) -> None:
    """A quota that is full until tomorrow is reported at once."""
    pauses = Pauses()
    answer, requests = ask(tmp_path, fault("AGR-06", retry="L", retry_after=3600), pauses=pauses)

    assert answer.retry_after == 3600
    assert (len(requests), pauses.seconds) == (1, [])


@pytest.mark.parametrize(
    "final",
    [
        fault("REQ-04", retry="N"),
        fault("SIG-02"),
        operator().decide("REFUSED", codes=("CNS-05",), retry="N"),
        operator().decide("NOT_MATCHED", codes=("MAT-01",), retry="N"),
        status(404),
    ],
    ids=["REQ-04", "SIG-02", "CNS-05", "MAT-01", "404"],
)
def test_final_refusals_are_not_repeated(tmp_path: Path, final: Reply) -> None:
    """Retry N and F are not repeated."""
    _, requests = ask(tmp_path, final)

    assert len(requests) == 1


def test_closed_port_is_a_transport_error(tmp_path: Path) -> None:
    """A closed port is a transport error that names no data and no address."""
    with run_fake_service(hang_up) as service:
        file = write_profile(tmp_path, service.url)
    with client_for(file) as client, pytest.raises(TransportError) as raised:
        client.status()

    assert raised.value.retry is Retry.LATER


def test_a_request_can_be_continued(tmp_path: Path) -> None:
    """The id of an error, given again, makes the very same request."""
    request_id = uuid4()
    with run_fake_service(operator().decide("MATCHED")) as service:
        for _ in range(2):
            with client_for(write_profile(tmp_path, service.url)) as client:
                client.verify_person(PROBE, ground=GROUND, context=Context(request_id=request_id))

    assert {each.text("requestId") for each in service.requests} == {str(request_id)}
    assert service.requests[0].digest == service.requests[1].digest
    assert len(base64.b64decode(service.requests[0].text("nonce"))) == 32


@pytest.mark.parametrize("other", ["id", "key", "secret"])
def test_a_nonce_belongs_to_one_request_and_one_caller(tmp_path: Path, other: str) -> None:
    """docs/architecture.md, invariant 7: only a holder of the caller's secret can compute it."""
    request_id, secret = uuid4(), tmp_path / "nonce.key"
    secret.write_bytes(bytes(range(32)))
    with run_fake_service(operator().decide("MATCHED")) as service:
        for first in (True, False):
            named = other == "secret" and not first
            file = write_profile(
                tmp_path, service.url, extra='[nonce]\nkey = "nonce.key"' if named else ""
            )
            if other == "key" and not first:
                key = tmp_path / "seal.key.pem"
                key.write_bytes(key.read_bytes() + b"\n")
            asked_as = uuid4() if other == "id" and not first else request_id
            with client_for(file) as client:
                client.verify_person(PROBE, ground=GROUND, context=Context(request_id=asked_as))

    assert service.requests[0].text("nonce") != service.requests[1].text("nonce")


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    """A secret that can be guessed makes nonces that can be guessed."""
    (tmp_path / "nonce.key").write_bytes(b"secret")
    file = write_profile(tmp_path, "https://makul.example/v1", extra='[nonce]\nkey = "nonce.key"')

    with pytest.raises(ProfileError, match="shorter than 32 bytes"):
        client_for(file)

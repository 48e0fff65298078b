"""No personal data reach a log, an exception or a repr (Procedure, cl. 13 and 15)."""

import logging
import logging.config
from pathlib import Path

import pytest

from makul_client import Client, ConsentDocument, MakulError
from makul_client._internal.quiet_loggers import LOUD
from makul_testing.client.world import (
    DOCUMENT,
    GROUND,
    PIN,
    PROBE,
    SURNAME,
    client_for,
    operator,
    write_profile,
)
from makul_testing.servers.fake_service import PERSON, Reply, fault, run_fake_service

SECRETS = (PIN, SURNAME, DOCUMENT, "1990-01-01", "1990-13-01")
REPLIES = [
    operator().decide("RELEASED", person=PERSON),
    operator().decide("RELEASED", person=PERSON, in_receipt={"digest": b"\0" * 32}),
    operator().decide("RELEASED", person=PERSON.replace(b"1990-01-01", b"1990-13-01")),
    operator().decide("NOT_MATCHED", codes=("MAT-01",)),
    fault("REQ-01"),
]


def tell(client: Client) -> str:
    """Return everything that a caller sees of the result without requesting data."""
    try:
        data = client.get_person_data(PROBE, ["pin", "surname", "birthDate"], ground=GROUND)
    except MakulError as error:
        return f"{error!r} {error} {error.__cause__} {vars(error)}"
    return f"{data!r} {data.person!r} {data.person.surname!r}"


@pytest.mark.parametrize("reply", REPLIES)
def test_logs_at_their_loudest_hold_no_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    """No data appear even at DEBUG, after a new logging configuration, or from the libraries."""
    logging.config.dictConfig({"version": 1, "incremental": True, "loggers": {}})
    with caplog.at_level(logging.DEBUG):
        for name in (*LOUD, "zeep", "signxml", "urllib3", "requests"):
            caplog.set_level(logging.DEBUG, logger=name)
        with (
            run_fake_service(reply) as service,
            client_for(write_profile(tmp_path, service.url)) as client,
        ):
            result = tell(client)

    assert "makul_client._internal.request_sender" in {record.name for record in caplog.records}
    for secret in SECRETS:
        assert secret not in caplog.text
        assert secret not in result


def test_requests_do_not_print_their_content() -> None:
    """A traceback or log line shows only the field names of a probe or a document."""
    printed = f"{PROBE!r} {PROBE.demographic!r} {ConsentDocument(PERSON)!r}"

    assert "Demographic(pin, document_number, surname)" in printed
    for secret in SECRETS:
        assert secret not in printed

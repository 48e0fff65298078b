"""The destinations of log lines: stderr, a rotated file, a syslog socket; and their failures."""

import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from makul.observability import request_context as accounts
from makul.observability.logging_config import LogError, configure_logging, configure_security
from makul.observability.request_context import RequestContext
from makul.observability.security_events import Event
from makul.observability.security_log import LOGGER, emit_security_event

SECRET = "20101199000123"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Restore the logging configuration, which is that of the whole process."""
    root, security = logging.getLogger(), logging.getLogger(LOGGER)
    before = root.handlers[:], root.level, security.level
    yield
    for each in security.handlers[:]:
        security.removeHandler(each)
        with suppress(OSError):
            each.close()
    security.propagate = True
    root.handlers[:], root.level, security.level = before


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_events_are_lines_among_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    """The default has no separate destination."""
    configure_logging(environment="SANDBOX")
    logging.getLogger("makul.x").warning("w")
    emit_security_event(Event.RELOADED)

    other, event = lines(capsys.readouterr().err)
    assert (other["event"], other["level"]) == ("w", "warning")
    assert (event["event.code"], event["service.environment"]) == ("MKL-401", "sandbox")


def test_events_go_to_a_file_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Only its owner and group can read it."""
    path = tmp_path / "security.log"
    configure_logging(security=path)
    emit_security_event(Event.RELOADED)

    assert capsys.readouterr().err == ""
    assert [line["event.code"] for line in lines(path.read_text())] == ["MKL-401"]
    assert path.stat().st_mode & 0o027 == 0


def test_a_level_omits_requests_and_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    """`logs.level = "WARNING"` is about lines of requests; events of low severity stay."""
    configure_logging(logging.WARNING)
    logging.getLogger("makul.access").info("request", extra={"fields": {}})
    emit_security_event(Event.QUOTA_SPENT)

    assert [line["event.code"] for line in lines(capsys.readouterr().err)] == ["MKL-203"]


def test_a_rotated_file_is_opened_again(tmp_path: Path) -> None:
    """The file is opened again like after logrotate, without a signal."""
    path = tmp_path / "security.log"
    configure_security(path, environment="PRODUCTION")
    emit_security_event(Event.RELOADED)
    path.rename(tmp_path / "security.log.1")
    emit_security_event(Event.RELOAD_REFUSED)

    assert [line["event.code"] for line in lines(path.read_text())] == ["MKL-402"]


def test_events_go_to_syslog(tmp_path: Path) -> None:
    """RFC 3164: facility authpriv (10), the severity of the event, and our name."""
    place = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(place))
        daemon.settimeout(10)
        configure_security(place, environment="PRODUCTION")
        emit_security_event(Event.MESSAGE_REPLAYED)
        event = daemon.recv(65536).rstrip(b"\0").decode()

    head, _, body = event.partition(" ")
    assert head == f"<{10 * 8 + 3}>makul:"
    assert json.loads(body)["event.code"] == "MKL-103"


@pytest.mark.parametrize("where", ["nowhere/security.log", "."])
def test_an_unwritable_destination_is_refused(tmp_path: Path, where: str) -> None:
    """An action that must leave an event is not done without it."""
    with pytest.raises(LogError, match=r"logs\.security"):
        configure_security(tmp_path / where, environment="PRODUCTION")


def test_an_unwritable_event_is_reported_without_its_content(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The default of logging would print the record with its arguments on a full disk."""
    configure_logging(security=tmp_path / "security.log")
    (handler,) = logging.getLogger(LOGGER).handlers
    assert isinstance(handler, logging.FileHandler)
    handler.stream.close()
    handler.stream = os.fdopen(os.open("/dev/full", os.O_WRONLY), "w", encoding="utf-8")
    emit_security_event(Event.MESSAGE_REPLAYED, user=SECRET)

    written = capsys.readouterr().err
    assert [line["event"] for line in lines(written)] == [
        "a security event could not be written: OSError"
    ]
    assert SECRET not in written


def test_commands_without_a_destination_log_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The output of a command is for people; its actions are in the audit log."""
    configure_security(None, environment="PRODUCTION")
    emit_security_event(Event.KEY_COMPROMISED)

    assert capsys.readouterr() == ("", "")


def test_a_line_names_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    """The line has the correlation, for any writer; outside of a request there is none."""
    configure_logging()
    accounts.activate(RequestContext(listener="wsse", correlation="c0ffee"))
    logging.getLogger("makul.x").warning("within")
    accounts.clear()
    logging.getLogger("makul.x").warning("without")

    within, without = lines(capsys.readouterr().err)
    assert within["correlation"] == "c0ffee"
    assert "correlation" not in without


def test_a_traceback_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line of a traceback is a message, which a library may fill with data."""
    configure_logging()
    try:
        int(SECRET + "x")
    except ValueError:
        logging.getLogger("makul.x").exception("broke")

    written = capsys.readouterr().err
    assert SECRET not in written
    assert lines(written)[0]["event"] == "broke"

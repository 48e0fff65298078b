"""Where lines go: stderr, a file that is rotated, a syslog socket; and what if they cannot."""

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
    """Logging is the whole process's: every test leaves it as it found it."""
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
    """Where no place of their own is named."""
    configure_logging(environment="SANDBOX")
    logging.getLogger("makul.x").warning("w")
    emit_security_event(Event.RELOADED)

    other, event = lines(capsys.readouterr().err)
    assert (other["event"], other["level"]) == ("w", "warning")
    assert (event["event.code"], event["service.environment"]) == ("MKL-401", "sandbox")


def test_events_go_to_a_file_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Readable by its owner and group alone."""
    path = tmp_path / "security.log"
    configure_logging(security=path)
    emit_security_event(Event.RELOADED)

    assert capsys.readouterr().err == ""
    assert [line["event.code"] for line in lines(path.read_text())] == ["MKL-401"]
    assert path.stat().st_mode & 0o027 == 0


def test_a_level_leaves_requests_out_and_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    """`logs.level = "WARNING"` is about lines of requests; events of low severity stay."""
    configure_logging(logging.WARNING)
    logging.getLogger("makul.access").info("request", extra={"fields": {}})
    emit_security_event(Event.QUOTA_SPENT)

    assert [line["event.code"] for line in lines(capsys.readouterr().err)] == ["MKL-203"]


def test_a_rotated_file_is_opened_anew(tmp_path: Path) -> None:
    """As logrotate does it, without a signal."""
    path = tmp_path / "security.log"
    configure_security(path, environment="PRODUCTION")
    emit_security_event(Event.RELOADED)
    path.rename(tmp_path / "security.log.1")
    emit_security_event(Event.RELOAD_REFUSED)

    assert [line["event.code"] for line in lines(path.read_text())] == ["MKL-402"]


def test_events_go_to_syslog(tmp_path: Path) -> None:
    """RFC 3164: facility authpriv (10), the severity of the event, our name."""
    place = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(place))
        daemon.settimeout(10)
        configure_security(place, environment="PRODUCTION")
        emit_security_event(Event.MESSAGE_REPLAYED)
        said = daemon.recv(65536).rstrip(b"\0").decode()

    head, _, body = said.partition(" ")
    assert head == f"<{10 * 8 + 3}>makul:"
    assert json.loads(body)["event.code"] == "MKL-103"


@pytest.mark.parametrize("where", ["nowhere/security.log", "."])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, where: str) -> None:
    """What should be told is not done untold."""
    with pytest.raises(LogError, match=r"logs\.security"):
        configure_security(tmp_path / where, environment="PRODUCTION")


def test_an_event_that_cannot_be_written_is_told_without_its_content(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A full disk: logging's own way would print the record, arguments and all."""
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


def test_commands_without_a_place_tell_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What a command prints is for people; its doings are in the desk's own log."""
    configure_security(None, environment="PRODUCTION")
    emit_security_event(Event.KEY_COMPROMISED)

    assert capsys.readouterr() == ("", "")


def test_a_line_says_of_which_request_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """By correlation, whoever wrote it; outside of a request there is none."""
    configure_logging()
    accounts.opened(RequestContext(listener="wsse", correlation="c0ffee"))
    logging.getLogger("makul.x").warning("within")
    accounts.closed()
    logging.getLogger("makul.x").warning("without")

    within, without = lines(capsys.readouterr().err)
    assert within["correlation"] == "c0ffee"
    assert "correlation" not in without


def test_a_traceback_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Its last line is a message, which a library may fill with data."""
    configure_logging()
    try:
        int(SECRET + "x")
    except ValueError:
        logging.getLogger("makul.x").exception("broke")

    written = capsys.readouterr().err
    assert SECRET not in written
    assert lines(written)[0]["event"] == "broke"

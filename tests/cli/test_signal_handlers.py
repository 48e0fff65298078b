"""Tests run commands in this process; what those change in it ends with the test."""

import logging
import signal

from makul.cli.context import stopped_by_signal
from makul.observability.logging_config import configure_logging
from makul_testing.log_handlers import restored_root_logger
from makul_testing.signal_handlers import restored_signal_handlers


def test_a_handler_of_a_command_ends_with_its_test() -> None:
    """A pool of processes that a later test forks could not be terminated otherwise."""
    former = signal.getsignal(signal.SIGTERM)
    with restored_signal_handlers():
        stopped_by_signal()
        assert signal.getsignal(signal.SIGTERM) is not former

    assert signal.getsignal(signal.SIGTERM) is former


def test_a_log_of_a_command_ends_with_its_test() -> None:
    """Its stream is closed; a later record would print an error into another test's output."""
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    with restored_root_logger():
        configure_logging(logging.DEBUG)
        assert root.handlers != former

    assert (root.handlers, root.level) == (former, level)

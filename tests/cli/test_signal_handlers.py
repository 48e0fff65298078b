"""Tests run commands in this process; what those change in it ends with the test."""

import signal

from makul.cli.context import stopped_by_signal
from makul_testing.signal_handlers import restored_signal_handlers


def test_a_handler_of_a_command_ends_with_its_test() -> None:
    """A pool of processes that a later test forks could not be terminated otherwise."""
    former = signal.getsignal(signal.SIGTERM)
    with restored_signal_handlers():
        stopped_by_signal()
        assert signal.getsignal(signal.SIGTERM) is not former

    assert signal.getsignal(signal.SIGTERM) is former

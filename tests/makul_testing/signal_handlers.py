"""Handlers of signals, which a command that runs in this process until it is stopped sets."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def restored_signal_handlers() -> Iterator[None]:
    """Restore the handlers of SIGTERM and SIGINT at the end of the block.

    A process that is forked later inherits a handler, and then could not be terminated.
    """
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)

"""The root logger, which a command that runs in this process redirects to its own stderr."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def restored_root_logger() -> Iterator[None]:
    """Restore the handlers and the level of the root logger at the end of the block.

    The stderr of a command that a test called is closed afterwards. A later log record would then
    print an error of logging into the output of another test.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

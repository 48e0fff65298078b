"""The name of the program that runs, for its messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

RECIPIENT_PROGRAM: Final = "makul-client"
OVERSIGHT_PROGRAM: Final = "makul-oversight"

_NAME: Final = ContextVar("makul_client_program", default=RECIPIENT_PROGRAM)


def program_name() -> str:
    """Return the name of the program."""
    return _NAME.get()


@contextmanager
def use_program(name: str) -> Iterator[None]:
    """Name the program until the end of the block."""
    token = _NAME.set(name)
    try:
        yield
    finally:
        _NAME.reset(token)

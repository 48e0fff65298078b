"""Background threads that do their work again and again, and never end silently.

An unexpected error in a turn is logged by its types and places, counted, and the next turn is
taken. Without that the thread of the housekeeping would end at the first such error, and nobody
would learn that nothing is forgotten any more.
"""

import logging
import traceback
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Final

log = logging.getLogger(__name__)

MAX_CHAIN: Final = 8
"""Errors in a chain that are named."""

MAX_FRAMES: Final = 12
"""Places that are named of one error, the innermost."""


def ignore_error(name: str) -> None:
    """Do nothing: the log line is enough."""
    del name


class SupervisedThread:
    """A daemon thread that takes turns until it is stopped."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], object],
        *,
        pause_seconds: float,
        first_at_once: bool = False,
        stopped: Event | None = None,
        on_error: Callable[[str], None] = ignore_error,
    ) -> None:
        """Prepare the thread. `on_error` gets its name after each unexpected error.

        It takes a turn after each pause, and one before the first if it is `first_at_once`;
        `stopped` ends the pause and the thread.
        """
        self._name = name
        self._turn = turn
        self._pause = pause_seconds
        self._first_at_once = first_at_once
        self._stopped = stopped if stopped is not None else Event()
        self._on_error = on_error
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self.errors = 0
        """Unexpected errors so far."""

    def start(self) -> "SupervisedThread":
        """Start the thread."""
        self._thread.start()
        return self

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        if self._first_at_once:
            self._take_turn()
        while not self._stopped.wait(self._pause):
            self._take_turn()

    def _take_turn(self) -> None:
        # A panic of `cryptography` (Rust) is no Exception, and a library may call sys.exit.
        try:
            self._turn()
        except BaseException as error:  # noqa: BLE001 -- whatever it is, the next turn is taken
            self._report(error)

    def _report(self, error: BaseException) -> None:
        self.errors += 1
        with suppress(BaseException):  # a log that cannot be written must not end the thread either
            log.error(
                "thread %s met an unexpected error, its %d., and goes on: %s",
                self._name,
                self.errors,
                trace(error),
            )
        with suppress(BaseException):
            self._count()

    def _count(self) -> None:
        try:
            self._on_error(self._name)
        except BaseException as failure:
            told = trace(failure)
            log.error("the error of thread %s was not counted: %s", self._name, told)  # noqa: TRY400
            raise


def trace(error: BaseException) -> str:
    """How an error came about, by the types and places of its chain; never by its messages.

    Messages of exceptions quote the values they choke on, and values here are personal data.
    """
    links: list[str] = []
    link: BaseException | None = error
    while link is not None and len(links) < MAX_CHAIN:
        links.append(f"{type(link).__qualname__} at {_places(link.__traceback__)}")
        link = link.__cause__ or link.__context__
    return " <- ".join(links)


def _places(trail: TracebackType | None) -> str:
    frames = [
        f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in traceback.walk_tb(trail)
    ]
    return " ".join(frames[-MAX_FRAMES:]) or "?"

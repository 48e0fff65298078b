"""Background threads that repeat their work and never end silently.

An unexpected error is logged by types and code locations and counted; then the next turn starts.
Otherwise the first such error would end the housekeeping thread, and nobody would notice that
nothing is deleted any more.
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
"""Maximum number of errors of a chain that are named."""

MAX_FRAMES: Final = 12
"""Maximum number of code locations that are named for one error: the innermost."""


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

        A turn follows each pause of `pause_seconds`. With `first_at_once` there is also one before
        the first pause. `stopped` ends the pause and the thread.
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
            self._run_turn()
        while not self._stopped.wait(self._pause):
            self._run_turn()

    def _run_turn(self) -> None:
        # A panic of `cryptography` (Rust) is no Exception, and a library may call sys.exit.
        try:
            self._turn()
        except BaseException as error:  # noqa: BLE001 -- the next turn follows any error
            self._report(error)

    def _report(self, error: BaseException) -> None:
        self.errors += 1
        with suppress(BaseException):  # a log that cannot be written must not end the thread
            log.error(
                "thread %s had unexpected error number %d and continues: %s",
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
            text = trace(failure)
            log.error("the error of thread %s was not counted: %s", self._name, text)  # noqa: TRY400
            raise


def trace(error: BaseException) -> str:
    """Return the types and code locations of an error's chain; never its messages.

    Messages of exceptions quote the values that caused them, and these may be personal data.
    """
    links: list[str] = []
    link: BaseException | None = error
    while link is not None and len(links) < MAX_CHAIN:
        links.append(f"{type(link).__qualname__} at {_source_lines(link.__traceback__)}")
        link = link.__cause__ or link.__context__
    return " <- ".join(links)


def _source_lines(trail: TracebackType | None) -> str:
    frames = [
        f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in traceback.walk_tb(trail)
    ]
    return " ".join(frames[-MAX_FRAMES:]) or "?"

"""A child process that is killed (kill -9) during its work on a store."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from makul.store.db.base import Transaction

FORK = get_context("fork")


def killed_after(changes: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that is killed after that many changes; return whether there were so
    many.
    """
    left = changes

    def run(self: Transaction, *arguments: Any) -> int:
        nonlocal left
        changed = original(self, *arguments)
        left -= 1
        if left == 0:
            die()
        return changed

    def child() -> None:
        Transaction.execute = run  # type: ignore[method-assign] # in the child alone
        work()

    original = Transaction.execute
    worker = FORK.Process(target=child)
    worker.start()
    worker.join()
    return worker.exitcode == -signal.SIGKILL


def die() -> None:
    """End this process like a power failure."""
    os.kill(os.getpid(), signal.SIGKILL)

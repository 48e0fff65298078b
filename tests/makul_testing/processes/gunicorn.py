"""A service like `makul serve`, by processes that are killed and forked again at once.

The arbiter, worker and application are real, but the application is built before the fork, because
an import would take longer than a test waits for a worker. Its store must be closed: no process may
use connections of another.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from makul.server.gunicorn_app import serve_one
from makul_testing.in_process_service import InProcessService
from makul_testing.processes.service import Server, await_ready, free_port

_FORK = get_context("fork")
STOP_SECONDS = 30


@contextmanager
def run_preforked_service(
    installation: InProcessService, *, workers: int, listener: str = "xroad", threads: int = 4
) -> Iterator[Server]:
    """Run one listener of a service, until the block ends."""
    port = free_port()
    needed_settings = {"bind": f"127.0.0.1:{port}", "workers": workers, "threads": threads}
    settings = installation.settings.listeners[listener].model_copy(update=needed_settings)
    application: Any = installation.applications[listener]
    installation.close()

    def serve() -> None:
        serve_one(listener, lambda: settings, lambda: application, configuration_error=lambda: None)

    arbiter = _FORK.Process(target=serve)
    arbiter.start()
    assert arbiter.pid is not None
    try:
        await_ready(port)
        yield Server(port, arbiter.pid)
    finally:
        arbiter.terminate()
        arbiter.join(STOP_SECONDS)
        if arbiter.is_alive():
            for pid in (*Server(port, arbiter.pid).workers, arbiter.pid):
                os.kill(pid, signal.SIGKILL)
            arbiter.join()

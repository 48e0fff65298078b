"""Serves one listener with gunicorn: threads in a few processes, each with its own store.

gunicorn's threaded worker was measured steady under keep-alive and reloads without an error; the
application is built after the fork, so that no database handle or lock is shared between workers.
"""

import logging
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config

from makul.settings import ListenerSettings

log = logging.getLogger(__name__)

WsgiApplication = Callable[..., Iterable[bytes]]

TIMEOUT_SECONDS = 30
"""A worker silent for so long is replaced; a security server itself gives up after 60."""

GRACEFUL_SECONDS = 20
"""How long requests in flight may finish when the service stops or reloads."""

KEEP_ALIVE_SECONDS = 15
WATCH_SECONDS = 0.2
BACKLOG = 256
MAX_HEADER_FIELDS = 50
MAX_HEADER_BYTES = 8190


class Server(BaseApplication):
    """A gunicorn arbiter that builds its application in each worker.

    Upon SIGHUP the settings are read anew: by the arbiter for the number of workers, by each new
    worker for everything else. Settings that cannot be served change nothing: the workers go on.
    """

    def __init__(
        self,
        listener: Callable[[], ListenerSettings],
        build: Callable[[], WsgiApplication],
        complaint: Callable[[], str | None],
    ) -> None:
        self._listener = listener
        self._build = build
        self.complaint = complaint
        super().__init__()  # type: ignore[no-untyped-call]  # gunicorn has no types

    def load_config(self) -> None:
        """Set what matters explicitly; gunicorn's own files and environment are not read."""
        config: Any = self.cfg
        for name, value in _options(self._listener()).items():
            config.set(name, value)

    def load(self) -> WsgiApplication:
        """Build the application; called in each worker, after the fork."""
        return self._build()

    def run(self) -> None:
        """Run until stopped."""
        arbiter: Any = _CarefulArbiter(self)  # type: ignore[no-untyped-call]  # gunicorn has no types
        arbiter.run()


class _CarefulArbiter(Arbiter):
    """Reloads only what can be served: a worker that fails to boot would end the whole service."""

    def reload(self) -> None:
        """Replace the workers, or say why not."""
        complaint = self.app.complaint()
        if complaint is not None:
            log.error("not reloaded, the old workers go on: %s", complaint)
            return
        super().reload()  # type: ignore[no-untyped-call]
        log.warning("reloaded: new workers, settings read anew")


def _options(listener: ListenerSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bind": [listener.bind],
        "worker_class": "makul.worker.QuietWorker",
        "workers": listener.workers,
        "threads": listener.threads,
        "backlog": BACKLOG,
        "timeout": TIMEOUT_SECONDS,
        "graceful_timeout": GRACEFUL_SECONDS,
        "keepalive": KEEP_ALIVE_SECONDS,
        "limit_request_fields": MAX_HEADER_FIELDS,
        "limit_request_field_size": MAX_HEADER_BYTES,
        "forwarded_allow_ips": "",
        "proc_name": f"makul-{listener.channel.value}",
        "umask": 0o007,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "preload_app": False,
        "control_socket_disable": True,
    }
    if listener.tls is not None:
        options |= {
            "certfile": str(listener.tls.certificate),
            "keyfile": str(listener.tls.key),
            "ca_certs": str(listener.tls.client_ca),
            "cert_reqs": ssl.CERT_REQUIRED,
            "ssl_context": _tls_1_2_or_newer,
        }
    return options


def _tls_1_2_or_newer(
    config: Config, default_factory: Callable[[], ssl.SSLContext]
) -> ssl.SSLContext:
    del config
    context = default_factory()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def serve_one(
    listener: Callable[[], ListenerSettings],
    build: Callable[[], WsgiApplication],
    *,
    complaint: Callable[[], str | None],
) -> int:
    """Serve a listener until stopped. gunicorn leaves by SystemExit, with a code of its own.

    `complaint` says why the settings of this moment could not be served, if so.
    """
    server: Any = Server(listener, build, complaint)
    server.run()
    return 0


def serve_all(config: Path, names: Sequence[str]) -> int:
    """One process a listener, all stopped together; where one dies, so do the others.

    A listener that is silently gone would look like a recipient's network failure.
    """
    command = [sys.executable, "-m", "makul", "--config", str(config), "serve", "--listener"]
    children = [subprocess.Popen([*command, name]) for name in names]  # noqa: S603 - our own program

    asked_to_stop = False

    def forward(number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = asked_to_stop or number != signal.SIGHUP
        for child in children:
            child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    while all(child.poll() is None for child in children):
        time.sleep(WATCH_SECONDS)
    if not asked_to_stop:
        for child in children:
            child.terminate()
    codes = [abs(child.wait()) for child in children]
    return 0 if asked_to_stop else max(1, *codes)

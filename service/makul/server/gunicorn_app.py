"""Serves one listener with gunicorn: threads in a few processes, each with its own store.

Measurements of gunicorn's threaded worker under keep-alive and reloads showed no error. The
application is built after the fork, so that workers share no database handle and no lock.
"""

import gc
import logging
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config

from makul.config.settings import ListenerSettings
from makul.net.orphan_guard import attached_command
from makul.net.peer_connection import PeerLimits
from makul.observability.multiprocess import WorkerMetricsDir
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.soap.channels import fault_status
from makul.soap.http_guard import MAX_MESSAGE

log = logging.getLogger(__name__)

WsgiApplication = Callable[..., Iterable[bytes]]

TIMEOUT_SECONDS = 30
"""A worker that is silent for this time is replaced. A security server gives up after 60 s."""

GRACEFUL_SECONDS = 20
"""Time for requests in progress to finish when the service stops or reloads."""

KEEP_ALIVE_SECONDS = 15
WATCH_SECONDS = 0.2
RESTART_SECONDS = 2.0
STOP_SECONDS = 5.0
BACKLOG = 256
MAX_CONNECTIONS = 256
"""Maximum of one worker. Beyond it, the connection that has waited longest is closed."""
MAX_REQUEST_LINE = 4094
MAX_HEADER_FIELDS = 50
MAX_HEADER_BYTES = 8190


class Server(BaseApplication):
    """A gunicorn arbiter that builds its application in each worker.

    On SIGHUP the settings are read again: by the arbiter for the number of workers, by each new
    worker for everything else. Invalid settings change nothing, and the present workers continue.
    """

    def __init__(
        self,
        name: str,
        listener: Callable[[], ListenerSettings],
        build: Callable[[], WsgiApplication],
        configuration_error: Callable[[], str | None],
        metrics_dir: WorkerMetricsDir | None = None,
    ) -> None:
        self.name = name
        self._listener = listener
        self._build = build
        self._metrics_dir = metrics_dir
        self.configuration_error = configuration_error
        super().__init__()  # type: ignore[no-untyped-call]  # gunicorn has no types

    def load_config(self) -> None:
        """Set every important option explicitly. gunicorn's files and environment are not read."""
        config: Any = self.cfg
        for name, value in _options(self._listener()).items():
            config.set(name, value)
        config.set("child_exit", self._merge_dead_workers)

    def _merge_dead_workers(self, arbiter: Any, _worker: Any) -> None:
        """Merge the metrics of a worker that has ended for any reason."""
        if self._metrics_dir is not None:
            self._metrics_dir.merge_dead_workers(arbiter.WORKERS)

    def peer_limits(self) -> PeerLimits:
        """Return the time limits for peers of this listener. Each worker calls this."""
        listener = self._listener()
        return PeerLimits(
            handshake_seconds=listener.handshake_seconds,
            message_seconds=listener.message_seconds,
            answer_seconds=listener.answer_seconds,
            idle_seconds=KEEP_ALIVE_SECONDS,
            max_head_bytes=MAX_REQUEST_LINE + MAX_HEADER_FIELDS * (MAX_HEADER_BYTES + 2),
            max_body_bytes=MAX_MESSAGE,
        )

    def fault_status(self) -> int | None:
        """Return the only HTTP status of all faults of this listener, or None."""
        return fault_status(self._listener().channel)

    def load(self) -> WsgiApplication:
        """Build the application. Each worker calls this after the fork.

        Its objects live as long as the worker. They are frozen, so that the garbage collector does
        not walk through them each time that new citizens have filled the caches. That stopped a
        worker for 0.2 s.
        """
        application = self._build()
        gc.collect()
        gc.freeze()
        return application

    def run(self) -> None:
        """Run until stopped."""
        arbiter: Any = _ValidatingArbiter(self)  # type: ignore[no-untyped-call]  # gunicorn has no types
        arbiter.run()


class _ValidatingArbiter(Arbiter):
    """An arbiter that validates settings before a reload.

    A worker that fails to boot would end the whole service.
    """

    def reload(self) -> None:
        """Replace the workers, or log why they are not replaced."""
        error = self.app.configuration_error()
        if error is not None:
            log.error("not reloaded, the old workers go on: %s", error)
            emit_security_event(Event.RELOAD_REFUSED, listener=self.app.name)
            return
        super().reload()  # type: ignore[no-untyped-call]
        log.warning("reloaded: new workers, settings loaded again")
        emit_security_event(Event.RELOADED, listener=self.app.name)


def _options(listener: ListenerSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bind": [listener.bind],
        "worker_class": "makul.server.gunicorn_worker.SoapFaultWorker",
        "workers": listener.workers or 1,
        "threads": listener.threads or 1,
        "backlog": BACKLOG,
        "timeout": TIMEOUT_SECONDS,
        "graceful_timeout": GRACEFUL_SECONDS,
        "keepalive": KEEP_ALIVE_SECONDS,
        "worker_connections": MAX_CONNECTIONS,
        "limit_request_line": MAX_REQUEST_LINE,
        "limit_request_fields": MAX_HEADER_FIELDS,
        "limit_request_field_size": MAX_HEADER_BYTES,
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "header_map": "drop",  # `X_SSL_Client_Cert` must not pass as `X-SSL-Client-Cert`
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
    # A worker has one context for all connections. Without tickets, each must send its certificate.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


def serve_one(
    name: str,
    listener: Callable[[], ListenerSettings],
    build: Callable[[], WsgiApplication],
    *,
    configuration_error: Callable[[], str | None],
    metrics_dir: WorkerMetricsDir | None = None,
) -> int:
    """Serve a listener until stopped. gunicorn exits by SystemExit with a code of its own.

    `configuration_error` returns why the present settings cannot be served, or None. Raises
    `WorkerMetricsError` if the workers cannot write their metrics.
    """
    if metrics_dir is not None:
        metrics_dir.prepare()
    server: Any = Server(name, listener, build, configuration_error, metrics_dir)
    server.run()
    return 0


def serve_all(config: Path, names: Sequence[str], *, metrics: bool = False) -> int:
    """Run one process for each listener. All are stopped together, also if one of them ends.

    A listener that ended silently would look like a network failure at the recipient. With
    `metrics`, one more process exports their metrics; it is restarted if it ends. Each process ends
    with this one, even if this one is killed.
    """
    makul = attached_command("--config", str(config))
    children = [subprocess.Popen([*makul, "serve", "--listener", name]) for name in names]  # noqa: S603 - our own program
    exporter = _RestartingProcess([*makul, "metrics"]) if metrics else None

    asked_to_stop = False

    def forward(number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = asked_to_stop or number != signal.SIGHUP
        for child in children:
            child.send_signal(number)
        if exporter is not None:
            exporter.stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    while all(child.poll() is None for child in children):
        if exporter is not None and not asked_to_stop:
            exporter.keep_running()
        time.sleep(WATCH_SECONDS)
    if not asked_to_stop:
        for child in children:
            child.terminate()
    codes = [abs(child.wait()) for child in children]
    if exporter is not None:
        exporter.end()
    return 0 if asked_to_stop else max(1, *codes)


class _RestartingProcess:
    """A process without which the service can continue for a while."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def keep_running(self) -> None:
        """Start the process if it does not run. Wait for a while before each restart."""
        if self._process is not None and self._process.poll() is None:
            return
        now = time.monotonic()
        if now < self._not_before:
            return
        if self._process is not None and self._process.returncode > 0:
            log.error("%s ended with code %s", self._command[-1], self._process.returncode)
        self._not_before = now + RESTART_SECONDS
        self._process = subprocess.Popen(self._command)  # noqa: S603 - our own program

    def stop(self) -> None:
        """Terminate the process. `keep_running` starts it again with the settings of that time."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end(self) -> None:
        """End the process with the service."""
        self.stop()
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()

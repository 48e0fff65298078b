"""A threaded gunicorn worker in which no thread waits for a peer, and no peer is quoted.

gunicorn itself gives a connection to a thread with its first octet or earlier, and the thread waits
for the rest. Four half-sent messages stopped a listener with four threads. Here the loop receives
whole messages and sends answers (`net.peer_connection`), and threads only compute.

HTTP that cannot be parsed gets a SOAP fault. gunicorn would send an HTML page that contains a piece
of the request, and log that piece.
"""

import errno
import logging
import selectors
import ssl
import time
from concurrent.futures import Future
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from gunicorn.http import errors, get_parser
from gunicorn.sock import ssl_context
from gunicorn.workers.gthread import ThreadWorker

from makul.domain.reasons import Code, Reason
from makul.net import supervision
from makul.net.peer_connection import (
    MessageSocket,
    PeerConnection,
    PeerLimits,
    Phase,
    WaitCondition,
)
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.soap import faults
from makul.soap.versions import SOAP_11, Reply

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.ExpectationFailed, 417),
    (errors.ParseException, 400),
    (OSError, 400),
)
"""Types of errors, the most specific first, with their HTTP status (RFC 9110, 15.5)."""

TURN_SECONDS: Final = 0.25
"""Seconds between two checks of deadlines."""

WARNING_SECONDS: Final = 1.0
MAX_WAITING_BYTES: Final = 128 * 1024 * 1024
"""Maximum size of all incomplete messages in a worker: eight of the largest messages."""

_MASKS: Final = {
    WaitCondition.TO_READ: selectors.EVENT_READ,
    WaitCondition.TO_WRITE: selectors.EVENT_WRITE,
}
_GIVE_WAY: Final = (
    (Phase.LINGERING,),
    (Phase.IDLE, Phase.MESSAGE, Phase.HANDSHAKE),
    (Phase.ANSWER,),
)
"""Phases in which a connection waits for its peer. Those of the first group are closed first."""


class SoapFaultWorker(ThreadWorker):
    """A worker that reports a code to the sender and a kind of error to the log.

    Neither contains any part of what was sent.
    """

    poller: Any
    tpool: Any

    def init_process(self) -> None:
        """Prepare the loop, and run it until the worker is stopped."""
        self._limits: PeerLimits = self.app.peer_limits()
        self._fault_status: int | None = self.app.fault_status()
        self._context: ssl.SSLContext | None = None
        if self.cfg.is_ssl:
            self._context = ssl_context(self.cfg)  # type: ignore[no-untyped-call]
        self._connections: set[PeerConnection] = set()
        self._computing = 0
        self._looked_at = 0.0
        self._warned_at: dict[str, float] = {}
        super().init_process()  # type: ignore[no-untyped-call]

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections only while a thread is free, so that another worker may take them."""
        free = self._computing < self.cfg.threads
        super().set_accept_enabled(enabled and free)  # type: ignore[no-untyped-call]

    def accept(self, listener: Any) -> None:
        """Accept one connection. If there are too many, close the one that has waited longest."""
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._close_longest_waiting()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        now = time.monotonic()
        try:
            connection = PeerConnection.begin(
                sock,
                address,
                listener.getsockname(),
                self._limits,
                context=self._context,
                now=now,
            )
        except OSError:
            sock.close()
            return
        self._connections.add(connection)
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._close_longest_waiting(connection)
        self._advance(connection)

    def _close_longest_waiting(self, newest: PeerConnection | None = None) -> None:
        """Close the connection that has waited longest for its peer, but never the newest.

        An answered connection that only lingers is closed before all others, because it gets
        nothing more. A connection that receives its answer is closed last.
        """
        others = [each for each in self._connections if each is not newest]
        for phases in _GIVE_WAY:
            waiting = [each for each in others if each.phase in phases]
            if not waiting:
                continue
            first = min(waiting, key=lambda each: each.since)
            self._warn("too many connections: the one that waited longest is closed")
            self._close(first)
            return

    def _warn(self, problem: str) -> None:
        """Log a problem with peers at most once a second, so that peers cannot fill the log."""
        now = time.monotonic()
        if now - self._warned_at.get(problem, -WARNING_SECONDS) >= WARNING_SECONDS:
            self._warned_at[problem] = now
            log.warning(problem)

    def _advance(self, connection: PeerConnection) -> None:
        """Advance a connection, and wait for the next event that it needs."""
        try:
            waits = connection.advance(time.monotonic())
        except Exception as error:  # noqa: BLE001 - one connection must not end all others
            log.error("a connection failed: %s", supervision.trace(error))  # noqa: TRY400 - no messages
            waits = WaitCondition.NOTHING
        if waits is connection.waits and waits in _MASKS:
            self._bound_memory(connection)
            return
        if waits is WaitCondition.NOTHING:
            self._close(connection)
            return
        if connection.waits in _MASKS:
            self.poller.unregister(connection.sock)
        connection.waits = waits
        if waits is WaitCondition.FOR_THREAD:
            self._submit(connection)
        else:
            again = partial(self._on_event, connection)
            self.poller.register(connection.sock, _MASKS[waits], again)

    def _on_event(self, connection: PeerConnection, _sock: Any) -> None:
        if connection in self._connections:  # an event of this turn may have closed it
            self._advance(connection)

    def _bound_memory(self, connection: PeerConnection) -> None:
        if len(connection.framing) < MAX_WAITING_BYTES // self.worker_connections:
            return
        if sum(len(each.framing) for each in self._connections) > MAX_WAITING_BYTES:
            waiting = (each for each in self._connections if each.phase is Phase.MESSAGE)
            self._close(max(waiting, key=lambda each: len(each.framing)))
            self._warn("too many bytes of unfinished messages: the largest is thrown away")

    def _submit(self, connection: PeerConnection) -> None:
        self._computing += 1
        work = self.tpool.submit(self._compute, connection.take_message(), connection)
        work.add_done_callback(partial(self.method_queue.defer, self._answer, connection))

    def _compute(self, exchange: MessageSocket, connection: PeerConnection) -> tuple[bytes, bool]:
        """Return the answer, and whether the connection can be used again. Runs in a thread."""
        parts = SimpleNamespace(
            sock=exchange,
            client=connection.address,
            server=connection.local_address,
            parser=get_parser(self.cfg, exchange, connection.address),  # type: ignore[no-untyped-call]
            initialized=True,
            data_ready=True,
            init=lambda: None,
            is_http2=False,
        )
        keep_alive = self.handle(parts)  # type: ignore[no-untyped-call]
        unread = parts.parser.unreader.buf.getvalue()
        reusable = exchange.is_whole and exchange.is_read and not unread
        return exchange.answer, bool(keep_alive) and reusable

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Force `Connection: close` if the message cannot be separated from what follows it."""
        if not conn.sock.is_whole:
            req.force_close()
        return bool(super().handle_request(req, conn))  # type: ignore[no-untyped-call]

    def _answer(self, connection: PeerConnection, done: "Future[tuple[bytes, bool]]") -> None:
        """Send the answer that a thread has computed. Runs in the loop."""
        self._computing -= 1
        error = done.exception()
        if error is not None:
            log.error("an answer failed: %s", supervision.trace(error))
        answer, keep_alive = done.result() if error is None else (b"", False)
        connection.begin_answer(answer, keep=keep_alive and self.alive, now=time.monotonic())
        self._advance(connection)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Run one turn of the loop. A late peer is cut off after its bytes were read."""
        super().wait_for_and_dispatch_events(min(timeout, TURN_SECONDS))  # type: ignore[no-untyped-call]
        now = time.monotonic()
        if now - self._looked_at >= TURN_SECONDS:
            self._looked_at = now
            for each in list(self._connections):
                if each.phase is not Phase.COMPUTING and each.deadline <= now:
                    self._end_overdue(each, now)

    def _end_overdue(self, connection: PeerConnection, now: float) -> None:
        if connection.phase is not Phase.MESSAGE:
            self._close(connection)
            return
        self._warn("a message did not arrive in its time")
        error = faults.HttpError(408, Reason(code=Code.REQ_01))
        connection.begin_answer(self._fault(error), keep=False, now=now)
        self._advance(connection)

    def _close(self, connection: PeerConnection) -> None:
        if connection.waits in _MASKS:
            self.poller.unregister(connection.sock)
        connection.waits = None
        self._connections.discard(connection)
        self.nr_conns -= 1
        connection.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """Shorten the deadline of idle connections when the worker stops."""
        for each in self._connections:
            if each.phase in (Phase.IDLE, Phase.LINGERING):
                each.deadline = min(each.deadline, deadline)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT002 - gunicorn's
        """Close every connection at the end of a worker."""
        if force:
            for each in list(self._connections):
                self._close(each)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer once and let the connection close. A sender that is gone is ignored."""
        del req, addr
        status = next((status for kind, status in _STATUS if isinstance(exc, kind)), 500)
        code = Code.OPS_99 if status == 500 else Code.REQ_07
        log.warning("HTTP not understood: %s", type(exc).__name__)
        if code is Code.REQ_07:
            emit_security_event(Event.FORBIDDEN_MESSAGE, reasons=(code.value,))
        client.sendall(self._fault(faults.HttpError(status, Reason(code=code))))

    def _fault(self, error: faults.HttpError) -> bytes:
        error.status = self._fault_status or error.status
        return _serialize_reply(faults.reply(faults.report(error), SOAP_11))


def _serialize_reply(reply: Reply) -> bytes:
    body = b"".join(reply.chunks)
    head = (
        f"HTTP/1.1 {reply.status_line}\r\nConnection: close\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body

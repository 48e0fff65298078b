"""One connection of a worker, read and written without blocking: no thread waits for a peer.

The worker's loop moves every connection on. A thread gets a message only when it is complete, and
leaves an answer that the loop sends. Each phase has one deadline for all of its bytes: a peer that
sends or reads an octet now and then gains no time by it.
"""

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from makul.net.http_framing import MessageFraming, ReceivedMessage

MAX_DISCARDED_BYTES: Final = 20 * 1024 * 1024
"""Bytes of a too large message that are discarded. Its sender is still writing and so gets the
answer instead of a reset; beyond this limit the connection is closed."""

LINGER_SECONDS: Final = 2.0
"""Seconds for the peer to close after the last answer (RFC 9112, section 9.6)."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_BLOCK_BYTES: Final = 256 * 1024
_BLOCKS_A_TURN: Final = 8
"""Blocks that are read before the other connections get their turn."""


class WaitCondition(Enum):
    """The event that a connection waits for."""

    TO_READ = auto()
    TO_WRITE = auto()
    FOR_THREAD = auto()
    """A message can be taken."""
    NOTHING = auto()
    """The connection is finished and can be closed."""


class Phase(Enum):
    """The activity of a connection."""

    HANDSHAKE = auto()
    IDLE = auto()
    """No octet of a message has arrived."""
    MESSAGE = auto()
    COMPUTING = auto()
    ANSWER = auto()
    LINGERING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerLimits:
    """The limits for one peer: seconds for each phase, and bytes that it may send."""

    handshake_seconds: float
    message_seconds: float
    answer_seconds: float
    idle_seconds: float
    max_head_bytes: int
    max_body_bytes: int


class MessageSocket:
    """One received message and its answer, in the form of the socket that gunicorn works with."""

    def __init__(self, message: ReceivedMessage, connection: socket.socket) -> None:
        self._unread = memoryview(message.data)
        self._connection = connection
        self._is_whole = message.is_whole
        self._answer: list[bytes] = []

    @property
    def is_whole(self) -> bool:
        """False if the connection must be closed after the answer."""
        return self._is_whole

    @property
    def is_read(self) -> bool:
        """True if the whole message was read."""
        return not self._unread

    @property
    def answer(self) -> bytes:
        """Return the bytes that were sent."""
        return b"".join(self._answer)

    def recv(self, size: int) -> bytes:
        """Return received bytes, or the end of input after the last; never blocks."""
        block = bytes(self._unread[:size])
        self._unread = self._unread[size:]
        return block

    def sendall(self, data: bytes) -> None:
        """Store the bytes; the worker's loop sends them."""
        self._answer.append(bytes(data))

    def send(self, data: bytes) -> int:
        """Discard the bytes: gunicorn sends only `100 Continue` here, after the message arrived."""
        return len(data)

    def peer_certificate(self) -> bytes | None:
        """Return the peer's certificate in DER; None if TLS does not end here."""
        if isinstance(self._connection, ssl.SSLSocket):
            return self._connection.getpeercert(binary_form=True)
        return None

    def setblocking(self, _: bool) -> None:
        """Do nothing: the socket never blocks."""

    def settimeout(self, _: float | None) -> None:
        """Do nothing: the connection has its own deadlines."""

    def shutdown(self, _: int) -> None:
        """Do nothing: the loop ends the connection."""

    def close(self) -> None:
        """Do nothing: the loop ends the connection."""


@dataclass(slots=True, eq=False)
class PeerConnection:
    """A connection, its phase and the deadline of that phase."""

    sock: socket.socket
    address: Any
    local_address: Any
    limits: PeerLimits
    framing: MessageFraming
    phase: Phase
    deadline: float
    """The deadline by the monotonic clock; it applies in every phase but COMPUTING."""
    since: float
    """When the phase began, by the same clock."""
    waits: WaitCondition | None = None
    """The event for which the connection is registered with the poller."""
    _outgoing: memoryview = field(default_factory=lambda: memoryview(b""))
    _keep: bool = False
    _linger_until: float = 0.0
    """The earliest end of lingering. A sender that is still writing a refused message has until the
    deadline of that message."""
    _discarded_bytes: int = 0

    @classmethod
    def begin(
        cls,
        sock: socket.socket,
        address: Any,
        local_address: Any,
        limits: PeerLimits,
        *,
        context: ssl.SSLContext | None,
        now: float,
    ) -> "PeerConnection":
        """Take over an accepted socket; with `context`, TLS ends here. Raises `OSError`."""
        sock.setblocking(False)
        seconds = limits.idle_seconds
        phase = Phase.IDLE
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            seconds, phase = limits.handshake_seconds, Phase.HANDSHAKE
        framing = MessageFraming(
            max_head_bytes=limits.max_head_bytes, max_body_bytes=limits.max_body_bytes
        )
        return cls(sock, address, local_address, limits, framing, phase, now + seconds, now)

    def advance(self, now: float) -> WaitCondition:
        """Read or write as much as possible without blocking, and return what to wait for."""
        try:
            while True:
                before = self.phase
                waits = self._step(now)
                if self.phase is before or waits is WaitCondition.FOR_THREAD:
                    return waits
        except ssl.SSLWantReadError:
            return WaitCondition.TO_READ
        except ssl.SSLWantWriteError:
            return WaitCondition.TO_WRITE
        except BlockingIOError:
            return WaitCondition.TO_WRITE if self.phase is Phase.ANSWER else WaitCondition.TO_READ
        except OSError:  # a reset, or no TLS: the peer is gone or is refused
            return WaitCondition.NOTHING

    def _step(self, now: float) -> WaitCondition:
        match self.phase:
            case Phase.HANDSHAKE:
                self._handshake(now)
                return WaitCondition.TO_READ
            case Phase.IDLE | Phase.MESSAGE:
                return self._receive(now)
            case Phase.ANSWER:
                return self._send(now)
            case Phase.LINGERING:
                return self._discard()
            case Phase.COMPUTING:
                return WaitCondition.FOR_THREAD

    def _handshake(self, now: float) -> None:
        assert isinstance(self.sock, ssl.SSLSocket)  # noqa: S101 - by `begin`
        self.sock.do_handshake()
        self._enter(Phase.IDLE, now, self.limits.idle_seconds)

    def _receive(self, now: float) -> WaitCondition:
        for _ in range(_BLOCKS_A_TURN):
            if self.framing.is_complete:
                break
            data = self.sock.recv(_BLOCK_BYTES)
            if not data and not len(self.framing):
                return WaitCondition.NOTHING
            if not data:
                self.framing.end_input()
                break
            if self.phase is Phase.IDLE:
                self._enter(Phase.MESSAGE, now, self.limits.message_seconds)
            self.framing.feed(data)
            self._send_continue()
        if not self.framing.is_complete:
            return WaitCondition.TO_READ
        self.phase = Phase.COMPUTING
        return WaitCondition.FOR_THREAD

    def _send_continue(self) -> None:
        if self.framing.expects_continue and not self.framing.is_complete:
            self.framing.expects_continue = False
            with suppress(OSError):  # if it is not sent, the sender waits as long as it chooses
                self.sock.send(CONTINUE)

    def take_message(self) -> MessageSocket:
        """Return the complete message, for a thread."""
        message = self.framing.take()
        self._linger_until = 0.0 if message.is_whole else self.deadline
        return MessageSocket(message, self.sock)

    def begin_answer(self, answer: bytes, *, keep: bool, now: float) -> None:
        """Start to send an answer; with `keep` the connection then waits for the next message."""
        self._outgoing = memoryview(answer)
        self._keep = keep
        self._enter(Phase.ANSWER, now, self.limits.answer_seconds)

    def _send(self, now: float) -> WaitCondition:
        while self._outgoing:
            self._outgoing = self._outgoing[self.sock.send(self._outgoing) :]
        if not self._keep:
            self._linger(now)
        elif len(self.framing):
            self._enter(Phase.MESSAGE, now, self.limits.message_seconds)
        else:
            self._enter(Phase.IDLE, now, self.limits.idle_seconds)
        return WaitCondition.TO_READ

    def _linger(self, now: float) -> None:
        """Signal the end of output, and let the peer read the answer before the close."""
        if isinstance(self.sock, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self.sock.unwrap()
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.phase = Phase.LINGERING
        self.deadline = max(now + LINGER_SECONDS, self._linger_until)

    def _discard(self) -> WaitCondition:
        for _ in range(_BLOCKS_A_TURN):
            data = self.sock.recv(_BLOCK_BYTES)
            self._discarded_bytes += len(data)
            if not data or self._discarded_bytes > MAX_DISCARDED_BYTES:
                return WaitCondition.NOTHING
        return WaitCondition.TO_READ

    def _enter(self, phase: Phase, now: float, seconds: float) -> None:
        self.phase, self.deadline, self.since = phase, now + seconds, now

    def close(self) -> None:
        """Close the connection immediately."""
        with suppress(OSError):
            self.sock.close()

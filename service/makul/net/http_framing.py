"""Find where an HTTP/1.1 message ends while its bytes arrive (RFC 9112, section 6).

The module decides only when a message is given to the parser. gunicorn's parser reads those bytes
again and decides what they mean. If the two disagree, the parser reaches the end of its input, the
sender gets an error, and the connection is closed. So a disagreement cannot smuggle a second
message into the first.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

MAX_TRAILER_BYTES: Final = 8192
MAX_CHUNKS: Final = 65_536
"""Maximum number of chunks: with 1 KiB each, four of the largest messages. Reading millions of
chunks of one octet costs seconds."""
_END_OF_HEAD: Final = b"\r\n\r\n"
_END_OF_LINE: Final = b"\r\n"
_MAX_CHUNK_LINE_BYTES: Final = 1024
_MAX_LENGTH_DIGITS: Final = 18
_HEX_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")


class _Part(Enum):
    HEAD = auto()
    BODY = auto()
    CHUNK_LINE = auto()
    CHUNK = auto()
    TRAILER = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """The bytes of one message."""

    data: bytes
    is_whole: bool
    """False if the sender stopped, or if the message breaks a limit or a rule of framing. The
    connection must not be used again after its answer."""


class MessageFraming:
    """The message that arrives on one connection."""

    def __init__(self, *, max_head_bytes: int, max_body_bytes: int) -> None:
        """Set the limits in bytes.

        A longer head or body is passed on unchanged, and the parser or the guard refuses it.
        """
        self._max_head_bytes = max_head_bytes
        self._max_body_bytes = max_body_bytes
        self._buffer = bytearray()
        self._begin_message()

    def _begin_message(self) -> None:
        self._part = _Part.HEAD
        self._at = 0  # where the part that is being read begins, or where the search continues
        self._end = 0  # where the message ends, once it is known
        self._body_bytes = 0  # bytes of the chunks so far
        self._chunks = 0
        self._is_whole = False
        self.expects_continue = False
        """True if the sender waits for `100 Continue` before the body (RFC 9110, 10.1.1)."""

    def __len__(self) -> int:
        """Return the number of bytes in memory."""
        return len(self._buffer)

    @property
    def is_complete(self) -> bool:
        """True if a message can be taken."""
        return self._part is _Part.END

    def feed(self, data: bytes) -> None:
        """Add bytes, and process as many as possible."""
        self._buffer += data
        self._process_buffer()

    def end_input(self) -> None:
        """Treat the bytes so far as the message, because the sender has stopped."""
        if self._buffer and not self.is_complete:
            self._pass_remaining()

    def take(self) -> ReceivedMessage:
        """Return the complete message; the bytes after it begin the next one."""
        message = ReceivedMessage(bytes(self._buffer[: self._end]), self._is_whole)
        del self._buffer[: self._end]
        self._begin_message()
        self._process_buffer()
        return message

    def _process_buffer(self) -> None:
        steps = {
            _Part.HEAD: self._read_head,
            _Part.BODY: self._read_body,
            _Part.CHUNK_LINE: self._read_chunk_line,
            _Part.CHUNK: self._read_chunk,
            _Part.TRAILER: self._read_trailer,
        }
        while self._part is not _Part.END and steps[self._part]():
            pass

    def _read_head(self) -> bool:
        # RFC 9112, section 2.2: one empty line before the request line may be ignored.
        begin = 2 if self._buffer.startswith(_END_OF_LINE) else 0
        end = self._buffer.find(_END_OF_HEAD, max(begin, self._at))
        if end < 0:
            self._at = max(begin, len(self._buffer) - len(_END_OF_HEAD) + 1)
            if len(self._buffer) > self._max_head_bytes:
                self._pass_remaining()
            return False
        body = end + len(_END_OF_HEAD)
        self._frame_body(bytes(self._buffer[begin:end]).split(_END_OF_LINE)[1:], body)
        return True

    def _frame_body(self, lines: list[bytes], body: int) -> None:
        """Determine the length of the body from the header fields."""
        lengths: list[bytes] = []
        codings: list[bytes] = []
        for line in lines:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length":
                    lengths.append(value.strip(b" \t"))
                case b"transfer-encoding":
                    codings.append(value.strip(b" \t").lower())
                case b"expect":
                    self.expects_continue = value.strip(b" \t").lower() == b"100-continue"
        self._at = body
        if codings == [b"chunked"] and not lengths:
            self._part = _Part.CHUNK_LINE
        elif codings or len(lengths) > 1:
            self._pass_remaining()
        elif not lengths:
            self._finish(body)
        elif (length := self._length_in(lengths[0])) is None:
            self._pass_remaining()
        else:
            self._part, self._end = _Part.BODY, body + length

    def _length_in(self, value: bytes) -> int | None:
        """Return a length that is well formed and within the limit; otherwise None."""
        if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
            return None
        return int(value) if int(value) <= self._max_body_bytes else None

    def _read_body(self) -> bool:
        if len(self._buffer) < self._end:
            return False
        self._finish(self._end)
        return True

    def _read_chunk_line(self) -> bool:
        """Read the size of a chunk (RFC 9112, section 7.1); the parser judges extensions."""
        end = self._buffer.find(_END_OF_LINE, self._at, self._at + _MAX_CHUNK_LINE_BYTES)
        if end < 0:
            if len(self._buffer) - self._at > _MAX_CHUNK_LINE_BYTES:
                self._pass_remaining()
            return False
        digits = bytes(self._buffer[self._at : end]).partition(b";")[0].rstrip(b" \t")
        if not 0 < len(digits) <= _MAX_LENGTH_DIGITS or not _HEX_DIGITS.issuperset(digits):
            self._pass_remaining()
            return False
        size = int(digits, 16)
        self._at = end + len(_END_OF_LINE)
        self._body_bytes += size
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            self._pass_remaining()
            return False
        self._part = _Part.CHUNK if size else _Part.TRAILER
        self._end = self._at + size
        return True

    def _read_chunk(self) -> bool:
        """Read the bytes of a chunk and the line end after them."""
        if self._body_bytes > self._max_body_bytes:
            # One byte more than the limit lets the guard see that the limit is broken.
            excess = self._body_bytes - self._max_body_bytes - 1
            if len(self._buffer) >= self._end - excess:
                self._pass_remaining()
            return False
        if len(self._buffer) < self._end + len(_END_OF_LINE):
            return False
        self._at = self._end + len(_END_OF_LINE)
        self._part = _Part.CHUNK_LINE
        return True

    def _read_trailer(self) -> bool:
        if self._buffer.startswith(_END_OF_LINE, self._at):
            self._finish(self._at + len(_END_OF_LINE))
            return True
        end = self._buffer.find(_END_OF_HEAD, self._at)
        if end >= 0:
            self._finish(end + len(_END_OF_HEAD))
        elif len(self._buffer) - self._at > MAX_TRAILER_BYTES:
            self._pass_remaining()
        return False

    def _finish(self, end: int) -> None:
        self._part, self._end, self._is_whole = _Part.END, end, True

    def _pass_remaining(self) -> None:
        """Pass on all bytes; what follows cannot be separated from them."""
        self._part, self._end, self._is_whole = _Part.END, len(self._buffer), False

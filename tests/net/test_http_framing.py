"""The end of a message (RFC 9112, section 6) is found for any division of its bytes."""

from random import Random

import pytest

from makul.net.http_framing import MAX_CHUNKS, MessageFraming, ReceivedMessage

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
WHOLE = {
    "no body": HEAD + b"\r\n",
    "an empty body": HEAD + b"Content-Length: 0\r\n\r\n",
    "a length": HEAD + b"Content-Length: 5\r\n\r\nabcde",
    "a length with spaces": HEAD + b"content-LENGTH: \t5 \r\n\r\nabcde",
    "a body like a head": HEAD + b"Content-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n",
    "an empty line before": b"\r\n" + HEAD + b"Content-Length: 1\r\n\r\na",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    "a chunk like an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n",
    "a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n",
}
CUT = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length that is none": b"Content-Length: 0x5\r\n\r\n",
    "a length with a sign": b"Content-Length: +5\r\n\r\n",
    "a length in other digits": "Content-Length: ٥\r\n\r\n".encode(),
    "a length of many digits": b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a length beyond the limit": b"Content-Length: 1001\r\n\r\n",
    "another coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a chunk size that is none": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk without a size": b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "a chunk line without end": b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 2000,
    "a size of many digits": b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 50 + b"1\r\n",
    "a trailer without end": b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + b"b" * 9000,
    "chunks beyond the limit": (
        b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n"
    ),
    "a chunk beyond the limit": b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" + b"x" * 1001,
    "a head without end": b"A: " + b"b" * 3000,
}


def framing() -> MessageFraming:
    return MessageFraming(max_head_bytes=2500, max_body_bytes=1000)


def in_pieces(data: bytes, dice: Random) -> list[bytes]:
    cuts = sorted(dice.sample(range(len(data)), k=min(len(data), 7)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("message", WHOLE.values(), ids=WHOLE)
def test_a_message_ends_with_its_last_octet(message: bytes) -> None:
    """The message is complete with its last octet and not before."""
    for end in range(len(message)):
        early = framing()
        early.feed(message[:end])
        assert not early.is_complete
    dice = Random(9112)  # noqa: S311 - where to cut, and no secret
    for _ in range(50):
        read = framing()
        for piece in in_pieces(message, dice):
            assert not read.is_complete or not piece
            read.feed(piece)
        assert read.is_complete
        assert read.take() == ReceivedMessage(message, is_whole=True)
        assert len(read) == 0


@pytest.mark.parametrize("following", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("message", WHOLE.values(), ids=WHOLE)
def test_next_message_begins_after_the_last(message: bytes, following: bytes) -> None:
    """RFC 9112, 9.3.2: bytes after a message begin the next one."""
    if following.startswith(b"\r\n"):
        following = following[2:]
    read = framing()
    read.feed(message + following)

    assert [read.take().data, read.take().data] == [message, following]
    assert not read.is_complete


@pytest.mark.parametrize("wrong", CUT.values(), ids=CUT)
def test_a_malformed_message_is_passed_on(wrong: bytes) -> None:
    """The message is passed on for the parser to refuse, and nothing is read after it."""
    for step in (1, 100, 100_000):
        read = framing()
        sent = HEAD + wrong
        for at in range(0, len(sent), step):
            if not read.is_complete:
                read.feed(sent[at : at + step])
        assert read.is_complete
        assert not read.take().is_whole


@pytest.mark.parametrize("message", WHOLE.values(), ids=WHOLE)
def test_half_a_message_counts_by_its_bytes(message: bytes) -> None:
    """Half a message counts as the bytes that have arrived."""
    read = framing()
    read.feed(message[:-1])
    read.end_input()

    assert read.take() == ReceivedMessage(message[:-1], is_whole=False)


def test_a_sender_may_wait_for_continue() -> None:
    """RFC 9110, 10.1.1: the sender waits for 100 Continue."""
    read = framing()
    read.feed(HEAD + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
    assert (read.expects_continue, read.is_complete) == (True, False)
    read.feed(b"a")
    read.take()
    assert not read.expects_continue


def test_one_octet_at_a_time_takes_linear_time() -> None:
    """CWE-407: a search continues where it ended."""
    read = MessageFraming(max_head_bytes=400_000, max_body_bytes=1000)
    for _ in range(390_000):
        read.feed(b"x")
    assert not read.is_complete


def test_chunks_are_counted() -> None:
    """CWE-400: millions of chunks of one octet are not read to their end."""
    read = MessageFraming(max_head_bytes=1000, max_body_bytes=10 * MAX_CHUNKS)
    read.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + MAX_CHUNKS * b"1\r\nx\r\n")
    assert not read.is_complete
    read.feed(b"1\r\nx\r\n0\r\n\r\n")
    assert read.is_complete
    assert not read.take().is_whole

"""gunicorn's threaded worker, which answers HTTP that it cannot parse with a SOAP fault.

gunicorn itself would send an HTML page with a piece of the request in it, and log that piece.
"""

import logging
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from makul.domain.reasons import Code, Reason
from makul.observing.events import Event
from makul.observing.security import tell
from makul.soap import faults
from makul.soap.messages import SOAP_11, Reply

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.ExpectationFailed, 417),
    (errors.ParseException, 400),
    (OSError, 400),
)
"""What broke, most particular first, and the HTTP status it stands for (RFC 9110, 15.5)."""


class QuietWorker(ThreadWorker):
    """Tells the sender a code, and the log a kind of error; nobody what was sent."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer once and let the connection be closed; a sender that is gone is left alone."""
        del req, addr
        status = next((status for kind, status in _STATUS if isinstance(exc, kind)), 500)
        code = Code.OPS_99 if status == 500 else Code.REQ_07
        log.warning("HTTP not understood: %s", type(exc).__name__)
        if code is Code.REQ_07:
            tell(Event.FORBIDDEN_MESSAGE, reasons=(code.value,))
        reply = faults.reply(faults.report(faults.HttpError(status, Reason(code=code))), SOAP_11)
        try:
            client.sendall(_on_the_wire(reply))
        except OSError:
            log.info("the sender of it is gone")


def _on_the_wire(reply: Reply) -> bytes:
    body = b"".join(reply.chunks)
    head = (
        f"HTTP/1.1 {reply.status_line}\r\nConnection: close\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body

"""The HTTP transport of one signed message and its answer. It logs neither."""

from typing import Final
from urllib.parse import quote

import requests

from makul_client.errors import TransportError
from makul_client.profile import Endpoint
from makul_client.translation import translate, translate_cause

MAX_ANSWER: Final = 32 * 1024 * 1024
"""The maximum size of an answer, in bytes.

The largest answer that the schema allows is smaller: 22 samples of 1 MiB in base64.
"""

_CHUNK: Final = 64 * 1024
_ANSWERED: Final = frozenset({200, 400, 500})
"""The statuses of a SOAP answer: 200, 500 for a fault, 400 for a SOAP 1.2 fault of the sender."""
_PASSING: Final = frozenset({408, 425, 429, 502, 503, 504})


class Wire:
    """An HTTP session to one address, with verified TLS, no redirects and no proxies."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session = requests.Session()
        # use neither .netrc nor proxies, because the profile does not name them
        self._session.trust_env = False
        self._session.verify = str(endpoint.tls_ca) if endpoint.tls_ca else True
        if endpoint.tls_certificate and endpoint.tls_key:
            self._session.cert = (str(endpoint.tls_certificate), str(endpoint.tls_key))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, operation: str, message: bytes, *, max_answer: int = MAX_ANSWER) -> bytes:
        """Post a message and return the answer's bytes, a SOAP envelope or not.

        No answer longer than `max_answer` bytes is read. Compressed answers are refused, because a
        few bytes could then become many. Raises `TransportError`. Its message contains no part of
        either.
        """
        try:
            with self._session.post(
                self._endpoint.url,
                data=message,
                headers={
                    "Content-Type": "text/xml; charset=utf-8",
                    "SOAPAction": f'"{quote(operation)}"',
                    "User-Agent": "makul-client",
                    "Accept-Encoding": "identity",
                },
                timeout=(self._endpoint.connect_timeout, self._endpoint.answer_timeout),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return self._body(answer, max_answer)
        except requests.exceptions.SSLError:
            raise TransportError(
                translate(
                    "no TLS connection: the server's certificate is not trusted, or it refused"
                    " yours; see [service] tls_ca and tls_certificate in the profile"
                ),
                passing=False,
            ) from None
        except requests.Timeout:
            raise TransportError(translate("no answer in time"), passing=True) from None
        except requests.RequestException as error:
            raise TransportError(_describe_failure(error), passing=True) from None

    def _body(self, answer: requests.Response, max_answer: int) -> bytes:
        if answer.status_code not in _ANSWERED:
            raise TransportError(
                translate(
                    "the server answered with HTTP status {status}", status=answer.status_code
                ),
                passing=answer.status_code in _PASSING,
            )
        if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise TransportError(
                translate("the answer is compressed, which was not requested"), passing=False
            )
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > max_answer:
                raise TransportError(translate("the answer is too large"), passing=False)
        return bytes(body)


def _describe_failure(error: BaseException) -> str:
    """Return that the service cannot be reached, with the system's reason if there is one.

    Libraries wrap the reason, such as "Connection refused", several times.
    """
    link: BaseException | None = error
    for _ in range(16):
        if link is None:
            break
        # The errors of requests are `OSError` too, and have no `strerror`.
        if isinstance(link, OSError) and link.strerror:
            return translate(
                "the service cannot be reached ({cause})", cause=translate_cause(link.strerror)
            )
        link = link.__cause__ or link.__context__
    return translate("the service cannot be reached")

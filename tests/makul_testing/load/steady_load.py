"""Requests without a pause to a running service, while a test changes something."""

import http.client
import threading
import time
from dataclasses import dataclass, field

from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import InProcessService, about, person_request
from makul_testing.processes.service import Server

HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def messages(installation: InProcessService, count: int) -> list[bytes]:
    document, holder = installation.document("bank-00-data"), installation.world.messages["bank"]
    return [
        signed_message(
            person_request(
                **about(
                    installation.person_of(document), of=document.presented_by, document=document
                )
            ),
            holder.key,
            holder.certificate,
            at=installation.clock(),
        )
        for _ in range(count)
    ]


def ask(port: int, message: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/v1/recipient", message, HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@dataclass
class Load:
    """Requests without a pause from some threads, until they are stopped."""

    server: Server
    queue: list[bytes]
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    going: bool = True

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._work) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.going = False
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self.going and self.queue:
            try:
                self.answers.append(ask(self.server.port, self.queue.pop()))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(type(error).__name__)

    def until(self, more: int) -> None:
        """Wait for that many more answers."""
        target = len(self.answers) + more
        deadline = time.monotonic() + 120
        while len(self.answers) < target and time.monotonic() < deadline:
            time.sleep(0.05)

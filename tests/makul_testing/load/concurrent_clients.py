"""Recipients that send requests over HTTP without a pause, and repeat them without an answer.

Their answers are kept, and later compared with the records. They use X-Road: a repetition has the
very same bytes, and there is nothing to sign.
"""

import base64
import http.client
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from makul_testing.builders.messages import xroad_message
from makul_testing.in_process_service import InProcessService, about, person_request
from makul_testing.load.steady_load import ask

PATIENCE_SECONDS = 60.0
"""Seconds, longer than any fault here: after them a request counts as unanswered."""

_OUTCOME = re.compile(rb"<outcome>([A-Z_]+)</outcome>")
_CODE = re.compile(rb"<(?:\w+:)?code(?: [^>]*)?>([A-Z]+-\d+)<")
_RECEIPT = re.compile(rb"<receipt>([A-Za-z0-9+/=]+)</receipt>")
_LEAF = re.compile(rb"<leafHash>([A-Za-z0-9+/=]+)</leafHash>")
_PERSON = re.compile(rb"<(?:\w+:)?person[ >]")

RELEASED = "RELEASED"


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """An answer on the wire."""

    status: int
    body: bytes

    @property
    def word(self) -> str:
        """Return the outcome, with its codes if nothing was given; for a fault, its codes."""
        found = _OUTCOME.search(self.body)
        outcome = found[1].decode() if found else "fault"
        codes = sorted({code.decode() for code in _CODE.findall(self.body)})
        return outcome if outcome == RELEASED else " ".join([outcome, *codes])

    @property
    def gives(self) -> bool:
        """Return whether it contains anything about a person."""
        return _PERSON.search(self.body) is not None

    @property
    def leaf(self) -> bytes:
        """Return the leaf's hash from the receipt."""
        receipt = _RECEIPT.search(self.body)
        assert receipt is not None
        leaf = _LEAF.search(base64.b64decode(receipt[1]))
        assert leaf is not None
        return base64.b64decode(leaf[1])


def message(
    installation: InProcessService, document_name: str, request_id: UUID, **changes: Any
) -> bytes:
    """Build a request with one of the service's documents, as the security server forwards it."""
    ground = installation.document(document_name)
    party = ground.presented_by
    fields = about(installation.person_of(ground), of=party, document=ground, request_id=request_id)
    return xroad_message(person_request(**fields | changes), party.code, request_id)


@dataclass
class ConcurrentClients:
    """Some threads that send requests until they are stopped; `repeats` is the repeated share."""

    installation: InProcessService
    port: int
    document_name: str = "bank-00-data"
    threads: int = 4
    repeats: float = 0.25
    asking: set[bytes] = field(default_factory=set)
    """The requests in progress."""
    answers: dict[UUID, WireAnswer] = field(default_factory=dict)
    """The first answer under each id that gave something, or that ended it."""
    words: Counter[str] = field(default_factory=Counter)
    """Every answer, without repeated ones."""
    broken: Counter[str] = field(default_factory=Counter)
    """Connections that gave no answer."""
    repeated: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    """Answers that came in place of data that had been given before."""
    closed: object = None
    """While this is set, no request that begins may get data."""
    given_after: list[bytes] = field(default_factory=list)
    differing: list[UUID] = field(default_factory=list)
    """Answers that were given twice with different bytes."""
    unanswered: list[UUID] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> "ConcurrentClients":
        self._going = True
        self._dice = random.Random(20261127)  # noqa: S311 -- what is asked again, not a secret
        self._workers = [threading.Thread(target=self._work) for _ in range(self.threads)]
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        for worker in self._workers:
            worker.join(PATIENCE_SECONDS)
        assert not any(worker.is_alive() for worker in self._workers), "a client is stuck"
        if self.errors:
            raise self.errors[0]

    @property
    def released(self) -> dict[UUID, WireAnswer]:
        """Return what was acknowledged: data, and their receipts."""
        return {
            each: answer for each, answer in dict(self.answers).items() if answer.word == RELEASED
        }

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until this is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {self.words} {self.broken}"
            time.sleep(0.005)

    def more(self, number: int) -> None:
        """Wait until that many more requests were acknowledged."""
        target = self.words[RELEASED] + number
        self.until(lambda: self.words[RELEASED] >= target)

    def ask_again(self, ids: list[UUID]) -> None:
        """Repeat each of these by its very bytes: each gets its former answer."""
        for request_id in ids:
            self._again(request_id, message(self.installation, self.document_name, request_id))

    def _work(self) -> None:
        try:
            while self._going:
                request_id = uuid4()
                request_message = message(self.installation, self.document_name, request_id)
                answer = self._insist(request_id, request_message)
                if answer is not None and self._dice.random() < self.repeats:
                    self._again(request_id, request_message)
        except BaseException as error:  # noqa: BLE001 -- raised when the block ends
            self.errors.append(error)

    def _insist(self, request_id: UUID, request_message: bytes) -> WireAnswer | None:
        """Repeat until there is an answer that is not "later"; return None if there was none."""
        deadline = time.monotonic() + PATIENCE_SECONDS / 2
        while time.monotonic() < deadline:
            answer = self._once(request_message)
            if answer is not None:
                self.words[answer.word] += 1
                assert answer.gives is (answer.word == RELEASED), answer.word
                if not answer.word.startswith("fault OPS-"):
                    self.answers[request_id] = answer
                    return answer
            time.sleep(0.02)
        self.unanswered.append(request_id)
        return None

    def _again(self, request_id: UUID, request_message: bytes) -> None:
        """Repeat a request: the bytes must be those of the first answer, if that gave something."""
        deadline = time.monotonic() + PATIENCE_SECONDS / 2
        while time.monotonic() < deadline:
            answer = self._once(request_message)
            if answer is not None and not answer.word.startswith("fault OPS-"):
                self._compare(request_id, answer)
                return
            time.sleep(0.02)
        self.unanswered.append(request_id)

    def _compare(self, request_id: UUID, answer: WireAnswer) -> None:
        first = self.answers[request_id]
        self.repeated += 1
        if answer.gives and answer.body != first.body:
            self.differing.append(request_id)
        elif first.gives and not answer.gives:
            self.withheld[answer.word] += 1

    def _once(self, request_message: bytes) -> WireAnswer | None:
        self.asking.add(request_message)
        closed = self.closed
        try:
            answer = WireAnswer(*ask(self.port, request_message))
        except (OSError, http.client.HTTPException) as error:
            self.broken[type(error).__name__] += 1
            return None
        finally:
            self.asking.discard(request_message)
        if answer.gives and closed is not None and closed is self.closed:
            self.given_after.append(request_message)
        return answer

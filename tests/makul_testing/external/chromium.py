"""A headless Chromium that shows a page, by its DevTools protocol over a pair of pipes.

The protocol over pipes is JSON with a NUL after each message, so no WebSocket library is needed.
The browser has no network: every name resolves to an address of this machine where nothing listens.
"""

import base64
import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from makul_testing.external.requirements import found

DEADLINE_SECONDS: Final = 120
"""Time for one answer: the first start on a loaded machine takes half a minute."""

_OVERFLOW: Final = """(() => {
  const wide = [], root = document.documentElement;
  for (const each of document.querySelectorAll('body *')) {
    if (each.closest('svg') || each.closest('.footer-text')) continue;
    const box = each.getBoundingClientRect();
    if (box.width && box.right > root.clientWidth + 1 && !each.closest('.wide'))
      wide.push(each.tagName + '.' + each.className + ' ' + Math.round(box.right));
  }
  return {page: root.scrollWidth - root.clientWidth, wide: wide.slice(0, 5)};
})()"""


class Chromium:
    """One page in a running browser, and the events that it caused."""

    def __init__(self, write_to: int, read_from: int) -> None:
        self._write_to, self._read_from = write_to, read_from
        self._selector = selectors.DefaultSelector()
        self._selector.register(read_from, selectors.EVENT_READ)
        self._received = b""
        self._last = 0
        self._session = ""
        self.events: list[tuple[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write_to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next_message()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]
            self._keep(answer)

    def _keep(self, message: Any) -> None:
        self.events.append((message.get("method", ""), message.get("params", {})))

    def _next_message(self) -> Any:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while b"\0" not in self._received:
            assert self._selector.select(max(0.0, deadline - time.monotonic())), "no answer"
            part = os.read(self._read_from, 1 << 20)
            assert part, "the browser ended"
            self._received += part
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)

    def open(self, file: Path, *, width: int, height: int = 1000) -> None:
        """Show a file in a window of this width, and wait until it is loaded."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Page.navigate", url=file.as_uri())
        while not any(name == "Page.loadEventFired" for name, _ in self.events):
            self._keep(self._next_message())

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, which itself has no script."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def overflow(self) -> Any:
        """Return by how much the page is wider than its window, and the elements that are."""
        return self.evaluate(_OVERFLOW)

    def complaints(self) -> list[Any]:
        """Return what the browser wrote to its console: errors, violations of the policy."""
        return [
            facts
            for name, facts in self.events
            if name in {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
        ]

    def requests(self) -> list[str]:
        """Return the addresses that the page asked for, without its own."""
        return [
            facts["request"]["url"]
            for name, facts in self.events
            if name == "Network.requestWillBeSent" and facts.get("type") != "Document"
        ]

    def print_pdf(self) -> bytes:
        """Return the page as the print dialogue writes it to a PDF file."""
        printed = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])


@contextmanager
def running_chromium() -> Iterator[Chromium]:
    """Start a browser with a new profile; it ends with the block."""
    program = found("chromium")
    assert program is not None
    profile = tempfile.mkdtemp(prefix="makul-chromium-")
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()
    process = subprocess.Popen(
        [
            *(
                "/bin/bash",
                "-c",
                f'exec "$@" 3<&{to_browser} 4>&{from_browser}',
                "chromium",
                program,
            ),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"),
            *("--host-resolver-rules=MAP * 127.0.0.1:9", f"--user-data-dir={profile}"),
        ],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Chromium(from_us, to_us)
    finally:
        os.close(from_us)
        os.close(to_us)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=DEADLINE_SECONDS)
        shutil.rmtree(profile, ignore_errors=True)

"""Run one target in one process for some seconds: `python -m fuzz.run TARGET --seconds N`.

Coverage guides it if atheris can be imported; otherwise only mutation (`--engine plain`). It ends
with one line of JSON: inputs and findings. A finding is made small and written to the directory of
findings, with the command that shows it again.
"""

import argparse
import faulthandler
import json
import logging
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from fuzz.targets import Target

TARGETS = (
    "bundle",
    "crl",
    "document",
    "document_tree",
    "envelope",
    "guard",
    "header",
    "message",
    "note",
    "ocsp",
    "scan",
    "sealing",
    "timestamp",
)
SLOW_SECONDS = 1.0
"""The maximum time of an input (CPU of the process, so that a busy machine is no finding)."""
SLOW_EACH_TIME_OF = 3
"""The maximum time of the first input, which also pays for what is made once."""
HUNG_SECONDS = 20
"""Seconds of wall time after which the process is killed and its stack is shown."""
MAX_MEMORY = 3 * 1024**3
MAX_INPUT = 300 * 1024
SHRINK_SECONDS = 5.0


def main() -> int:
    options = _options()
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    atheris = _atheris() if options.engine == "atheris" else None
    target = _load(options.target, atheris)
    if options.input is not None:
        return _reproduce(target, options.input)
    session = _Session(target, options.findings, options.seconds)
    session.seeds()
    if atheris is not None:
        _guided(atheris, session, options.seed)
    session.fuzz(random.Random(options.seed))  # noqa: S311 - to be repeated
    return session.report()


def _atheris() -> Any:
    """Return the coverage-guided engine, or None if it cannot be imported."""
    try:
        import atheris  # noqa: PLC0415 - it may be missing
    except ImportError:
        return None
    return atheris


def _load(name: str, atheris: Any) -> "Target":
    """Return the target; makul is imported here, so that atheris sees which lines run."""
    if atheris is None:
        from fuzz.targets import targets  # noqa: PLC0415 - after the engine
    else:
        with atheris.instrument_imports(include=["makul", "makul_client"]):
            from fuzz.targets import targets  # noqa: PLC0415
    return targets()[name]()


def _guided(atheris: Any, session: "_Session", seed: int) -> NoReturn:
    """Let LibFuzzer choose inputs until the time is over; it would end the process, so we do."""

    def one(data: bytes) -> None:
        session.one(data)
        if session.over():
            status = session.report()
            sys.stdout.flush()
            os._exit(status)

    with tempfile.TemporaryDirectory(prefix="makul-seeds-") as directory:
        for number, data in enumerate(session.corpus):
            (Path(directory) / str(number)).write_bytes(data)
        flags = [f"-seed={seed + 1}", f"-max_len={MAX_INPUT}", "-rss_limit_mb=0", "-verbosity=0"]
        sys.stdout.flush()
        atheris.Setup([sys.argv[0], *flags, directory], one)
        atheris.Fuzz()
    raise SystemExit(3)


def _options() -> Any:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--engine", choices=("atheris", "plain"), default="atheris")
    parser.add_argument("--input", type=Path, help="run this one input and say what happens")
    return parser.parse_args()


def _reproduce(target: "Target", path: Path) -> int:
    why = _outcome(target, path.read_bytes())
    print(why or "nothing happens")
    return 1 if why else 0


def _outcome(target: "Target", data: bytes) -> str | None:
    """Return what is wrong with the treatment of an input, or None.

    An input is slow only if it is slow each time. The process's own work (a collection of its whole
    heap, under atheris) may fall into any single run, and is not the input's fault.
    """
    for _ in range(SLOW_EACH_TIME_OF):
        why, took = _once(target, data)
        if why is not None or took <= SLOW_SECONDS:
            return why
    return f"slow: {SLOW_SECONDS} s of CPU exceeded, {SLOW_EACH_TIME_OF} times"


def _once(target: "Target", data: bytes) -> tuple[str | None, float]:
    """Return what failed, if anything, and the CPU time."""
    faulthandler.dump_traceback_later(HUNG_SECONDS, exit=True)
    started = time.process_time()
    why = None
    try:
        target.run(data)
    except MemoryError:
        why = "memory beyond its bound"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        why = f"{type(error).__name__}: {error}"[:300]
    finally:
        faulthandler.cancel_dump_traceback_later()
    return why, time.process_time() - started


class _Session:
    """The tried inputs and the stored findings, until the time is over."""

    def __init__(self, target: "Target", findings: Path, seconds: float) -> None:
        self._target = target
        self._findings = findings
        self._seconds = seconds
        self._until = 0.0
        self._seen: set[str] = set()
        self.inputs = 0
        self.found: list[str] = []

    @property
    def corpus(self) -> Sequence[bytes]:
        return self._target.seeds

    def seeds(self) -> None:
        """Try the good inputs first, then start the time."""
        for seed in self.corpus:
            self.one(seed)
        self._until = time.monotonic() + self._seconds

    def over(self) -> bool:
        return time.monotonic() >= self._until

    def fuzz(self, chosen: random.Random) -> None:
        """Try mutations of the seeds until the time is over."""
        while not self.over():
            self.one(mutated(chosen.choice(self.corpus), chosen, self.corpus)[:MAX_INPUT])

    def report(self) -> int:
        """Print the result and return the exit status."""
        result = {"target": self._target.name, "inputs": self.inputs, "found": self.found}
        print(json.dumps(result))
        return 1 if self.found else 0

    def one(self, data: bytes) -> None:
        self.inputs += 1
        why = _outcome(self._target, data)
        if why is None or why in self._seen:
            return
        self._seen.add(why)
        self._keep(data, why)

    def _keep(self, data: bytes, why: str) -> None:
        small = shrunk(data, lambda tried: _outcome(self._target, tried) == why)
        self._findings.mkdir(parents=True, exist_ok=True)
        path = self._findings / f"{self._target.name}-{sha256(small).hexdigest()[:16]}"
        path.write_bytes(small)
        command = f"make fuzz ARGS='{self._target.name} --input {path}'"
        path.with_suffix(".txt").write_text(f"{why}\nTo see it again: {command}\n")
        self.found.append(f"{path}: {why}")


_WORDS = (
    b"<", b">", b"&", b"&amp;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?", b"<!DOCTYPE a>",
    b'Id="consent"', b'xml:id="consent"', b"URI=\"\"", b"#consent", b"xmlns:ds=",
    b"\0", b"\xef\xbb\xbf",
    b"\xff\xfe", b"/", b"''", b"&#0;", b"&#x41;", b"=", b" " * 64, b"\xc0\xbc",
)  # fmt: skip


def mutated(data: bytes, chosen: random.Random, corpus: Sequence[bytes]) -> bytes:
    """Return up to eight changes of bytes: flips, deletions, repetitions, words of XML, other
    parts.
    """
    data_copy = bytearray(data)
    for _ in range(chosen.randint(1, 8) if chosen.random() < 0.5 else 1):
        place = chosen.randint(0, len(data_copy))
        match chosen.randrange(7):
            case 0 if data_copy:
                data_copy[place % len(data_copy)] ^= 1 << chosen.randrange(8)
            case 1 if data_copy:
                data_copy[place % len(data_copy)] = chosen.randrange(256)
            case 2:
                del data_copy[place : place + chosen.randint(1, 64)]
            case 3:
                data_copy[place:place] = chosen.choice(_WORDS)
            case 4:
                data_copy[place:place] = data_copy[place : place + chosen.randint(1, 512)]
            case 5:
                other = chosen.choice(corpus)
                start = chosen.randint(0, len(other))
                data_copy[place:place] = other[start : start + chosen.randint(1, 512)]
            case _:
                start = chosen.randint(0, len(data_copy))
                data_copy[place : place + 8] = data_copy[start : start + 8]
    return bytes(data_copy)


def shrunk(data: bytes, still: Callable[[bytes], bool]) -> bytes:
    """Return a smaller input that is still a finding; parts are removed while time is left."""
    until, size = time.monotonic() + SHRINK_SECONDS, max(len(data) // 2, 1)
    while size and time.monotonic() < until:
        place = 0
        while place < len(data) and time.monotonic() < until:
            tried = data[:place] + data[place + size :]
            if still(tried):
                data = tried
            else:
                place += size
        size //= 2
    return data


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    sys.exit(main())

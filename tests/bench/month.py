"""A month of a million disclosures: counted, exported and stated (cl. 11), with constant memory.

The records have the size of real ones. One real request is answered, and its record is encrypted
again by the store's own code, under another id, moment, subject and leaf for each row. That takes
minutes and eight gigabytes, so the result is stored in `build/bench-cache`. The recipients,
purposes, outcomes and grounds vary; a few rows lie outside the month.
"""

import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2

from bench.population import CACHE
from bench.requests import ask
from makul.composition.adapters import utc_now
from makul.domain.months import Month
from makul.ledger.signed_note import ED25519
from makul.store import StoreKeys, open_store
from makul.store.db import codecs
from makul.store.db.codecs import micros
from makul.store.encryption import fields as crypto
from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher
from makul.store.log.tile_files import LogDirectory
from makul.store.open import database_at
from makul.store.records import private_fields as private
from makul.store.records.private_fields import encrypt_private, open_private
from makul.store.schema import version as schema
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_sandbox.data.recipients import PARTIES
from makul_testing.in_process_service import InProcessService, build_installation
from makul_testing.tlog.builder import ORIGIN, sequence

MONTH = Month(2026, 10)
DISCLOSURES = 1_000_000
BATCH = 2_000
SAMPLE_SECONDS = 0.1
SETTLED = 0.05
"""The part of an export after which its memory counts as its need."""

_OUTCOMES = ("RELEASED", "RELEASED", "RELEASED", "MATCHED", "NOT_MATCHED", "REFUSED")
_GROUNDS = ("CONSENT", "CONSENT", "CONSENT", "BASIS")


def measure_month(*, count: int = DISCLOSURES, cache: Path = CACHE) -> dict[str, Any]:
    """Measure the seconds to count a month, cold and again, the seconds and growth of an export,
    and the seconds to build and sign its statements.
    """
    directory = month_installation(count, cache)
    counted = _count(directory, count)
    return {
        "disclosures": count,
        **counted,
        **_export(directory, count),
        **_state(directory, count),
    }


def _count(directory: Path, count: int) -> dict[str, Any]:
    """Compute the statistics of `makul disclosure statistics`, in a separate process."""
    program = (
        "import sys, time\n"
        "from bench.month import MONTH, open_cached_store\n"
        "store = open_cached_store(sys.argv[1])\n"
        "for _ in range(5):\n"
        "    began = time.perf_counter()\n"
        "    counts = store.registry.statistics(MONTH)\n"
        "    print(time.perf_counter() - began, sum(each.decisions for each in counts))\n"
    )
    environment = os.environ | {"PYTHONPATH": "tests"}
    result = subprocess.run(
        [sys.executable, "-c", program, str(directory)],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    counts = [line.split() for line in result.stdout.splitlines()]
    assert {int(decisions) for _, decisions in counts} == {count}, "not every decision was counted"
    seconds = [float(each) for each, _ in counts]
    return {
        "aggregate_first_seconds": round(seconds[0], 3),
        "aggregate_seconds": round(min(seconds), 3),
    }


def open_cached_store(directory: str) -> Any:
    """Open the store of a cached service."""
    keys = StoreKeys.load(Path(directory) / "store.json")
    return open_store(Path(directory) / "makul.db", keys, who="bench")


def _export(directory: Path, count: int) -> dict[str, Any]:
    """Run `makul disclosure export`, watched from outside."""
    output = directory / "month.ndjson"
    output.unlink(missing_ok=True)
    part = output.with_name(output.name + ".part")
    command = [sys.executable, "-m", "makul", "--config", str(directory / "makul.toml")]
    command += ["disclosure", "export", "--month", str(MONTH), "--format", "ndjson"]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--output", str(output)])
    samples: list[tuple[int, float]] = []
    while process.poll() is None:
        size = part.stat().st_size if part.exists() else 0
        samples.append((size, _rss_mb(process.pid)))
        time.sleep(SAMPLE_SECONDS)
    took = time.perf_counter() - began
    assert process.returncode == 0, "the export failed"
    whole = output.stat().st_size
    with output.open("rb") as file:
        rows = sum(1 for _ in file)
    assert rows == count, f"{rows} rows were written"
    output.unlink()
    settled = [rss for size, rss in samples if size >= whole * SETTLED and rss]
    assert settled, "the export was over before its memory was looked at"
    return {
        "export_seconds": round(took, 1),
        "export_mb": round(whole / 1e6, 1),
        "export_rss_mb": round(max(settled), 1),
        "export_rss_growth_mb": round(max(settled) - settled[0], 1),
    }


def _state(directory: Path, count: int) -> dict[str, Any]:
    """Run `makul month build` for every recipient: lines, grounds, exceptions, pages, signatures.

    The rows are in no tree, so the statements are drafts; all else is that of a statement.
    """
    output = directory / "months"
    shutil.rmtree(output, ignore_errors=True)
    _publish_log(directory)
    command = [sys.executable, "-m", "makul", "--config", str(directory / "makul.toml")]
    command += ["month", "build", str(MONTH), "--output", str(output), "--draft", "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _rss_mb(process.pid))
        time.sleep(SAMPLE_SECONDS)
    took = time.perf_counter() - began
    answer, _ = process.communicate()
    assert process.returncode == 0, "the statements were not built"
    lines = sum(each["lines"] for each in json.loads(answer))
    assert lines == count, f"{lines} lines were written"
    shutil.rmtree(output)
    return {"statement_seconds": round(took, 1), "statement_rss_mb": round(peak, 1)}


def _publish_log(directory: Path) -> None:
    """Publish a checkpoint, on which statements rest."""
    if (directory / "ledger.key").exists():
        return
    new_key_file(directory / "ledger.key", ORIGIN, ED25519)
    with (directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    store = open_cached_store(str(directory))
    try:
        sequence(store, NoteSigner.load(directory / "ledger.key", ORIGIN), at=utc_now())
        LogDirectory(directory / "log").write_checkpoint(store.ledger.latest().note)
    finally:
        store.close()


def _rss_mb(pid: int) -> float:
    """Return the resident memory, or 0 if the process has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def month_installation(count: int, cache: Path) -> Path:
    """Return the cached service with that many disclosures in the month; make it if it
    is missing.
    """
    ingredients = [schema.VERSION, str(count), *map(inspect.getsource, (codecs, crypto, private))]
    name = hashlib.sha256("\0".join([*ingredients, inspect.getsource(_rows)]).encode()).hexdigest()[
        :12
    ]
    directory = cache / f"month-{count}-{name}"
    if (directory / "whole").exists():
        return directory
    print(f"recording {count:,} disclosures, once")
    for former in cache.glob(f"month-{count}-*"):
        shutil.rmtree(former)
    directory.mkdir(parents=True)
    installation = build_installation(directory)
    installation.post(ask(installation, 1)[0])
    _fill(installation, count)
    installation.close()
    (directory / "whole").touch()
    return directory


def _fill(installation: InProcessService, count: int) -> None:
    path = installation.settings.store.database
    database = database_at(installation.settings.place)
    cipher = FieldCipher(StoreKeys.load(installation.settings.store.keys), Compressor(database))
    connection: Any = dbapi2.connect(str(path), isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.row_factory = dbapi2.Row
    model = dict(connection.execute("SELECT * FROM disclosure").fetchone())
    columns = ", ".join(model)
    marks = ", ".join(f":{name}" for name in model)
    pins = [person.pin for person in installation.world.people]
    batch: list[dict[str, Any]] = []
    for row in _rows(model, cipher, pins, count):
        batch.append(row)
        if len(batch) == BATCH:
            _write(connection, columns, marks, batch)
            batch = []
    _write(connection, columns, marks, batch)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _write(connection: Any, columns: str, marks: str, batch: list[dict[str, Any]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO disclosure ({columns}) VALUES ({marks})", batch)  # noqa: S608
    connection.executemany(
        "INSERT INTO ledger_leaf (disclosure_id, leaf_hash, recorded_at)"
        " VALUES (:disclosure_id, :leaf_hash, :decided_at)",
        batch,
    )
    connection.execute("COMMIT")


def _rows(
    model: dict[str, Any], cipher: FieldCipher, pins: list[Any], count: int
) -> Iterator[dict[str, Any]]:
    """Yield rows spread evenly over the month, and one at each instant just outside."""
    delivery = open_private(cipher, model["disclosure_id"], model["sealed"])
    step = (MONTH.ends - MONTH.begins) / count
    instant = timedelta(microseconds=1)
    for number in range(-1, count + 1):
        at = MONTH.begins + number * step if number < count else MONTH.ends
        if number < 0:
            at = MONTH.begins - instant
        disclosure_id = _uuid7(at)
        subject, outcome = pins[number % len(pins)], _OUTCOMES[number % len(_OUTCOMES)]
        party = PARTIES[number % len(PARTIES)]
        mine = replace(delivery, subject=subject, leaf_salt=os.urandom(32))
        yield {
            **model,
            "disclosure_id": disclosure_id,
            "recipient": party.code,
            "agreement_number": party.agreement,
            "purpose": party.purpose,
            "request_id": os.urandom(16),
            "outcome": outcome,
            "ground_kind": None if outcome == "REFUSED" else _GROUNDS[number % len(_GROUNDS)],
            "subject_index": cipher.index("pin", subject.digits),
            "decided_at": micros(at),
            "sealed": encrypt_private(cipher, disclosure_id, mine),
            "leaf_hash": os.urandom(32),
        }


def _uuid7(at: datetime) -> bytes:
    """Return a UUID of version 7 (RFC 9562, 5.7) of a moment; the library makes only
    those of now.
    """
    drawn = bytearray((micros(at) // 1000).to_bytes(6, "big") + os.urandom(10))
    drawn[6] = 0x70 | drawn[6] & 0x0F
    drawn[8] = 0x80 | drawn[8] & 0x3F
    return bytes(drawn)

"""A month of a million disclosures: counted, exported and stated (cl. 11), with constant memory.

The records and their documents have the size of real ones (`bench.month_population`). Making them
takes half an hour and ten gigabytes, so the result is stored in `build/bench-cache`.
"""

import hashlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from bench import month_population
from bench.month_population import MONTH, SIGNERS, GroundDocuments, month_rows
from bench.population import CACHE, signers
from bench.requests import ask_about
from makul.composition.adapters import utc_now
from makul.ledger.signed_note import ED25519
from makul.store import StoreKeys, open_store
from makul.store.db import codecs
from makul.store.db.sqlite import driver
from makul.store.encryption import fields as crypto
from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher
from makul.store.log.tile_files import LogDirectory
from makul.store.open import database_at
from makul.store.records import private_fields as private
from makul.store.schema import version as schema
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_sandbox.data.citizens import KEYED
from makul_sandbox.world.build import World
from makul_sandbox.world.signers import NOTICE, SandboxSigners
from makul_testing.in_process_service import InProcessService, build_installation
from makul_testing.raw_sql import without_guards
from makul_testing.tlog.builder import ORIGIN, sequence

DISCLOSURES = 1_000_000
BATCH = 20_000
SAMPLE_SECONDS = 0.1
SETTLED = 0.05
"""The part of an export after which its memory counts as its need."""


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
    """Run `makul month build`: lines, grounds, exceptions, pages and a signature for each
    recipient.
    """
    output = directory / "months"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "makul", "--config", str(directory / "makul.toml")]
    command += ["month", "build", str(MONTH), "--output", str(output), "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    samples: list[tuple[int, float]] = []
    while process.poll() is None:
        samples.append((len(list(output.rglob("page-*.xml"))), _own_mb(process.pid)))
        time.sleep(SAMPLE_SECONDS)
    took = time.perf_counter() - began
    answer, _ = process.communicate()
    assert process.returncode == 0, "the statements were not built"
    built = json.loads(answer)
    lines = sum(each["lines"] for each in built)
    assert lines == count, f"{lines} lines were written"
    shutil.rmtree(output)
    pages = sum(each["pages"] for each in built)
    settled = [own for written, own in samples if written >= pages * SETTLED and own]
    assert settled, "the build was over before its memory was looked at"
    return {
        "statement_seconds": round(took, 1),
        "statement_exceptions": sum(each["exceptions"] for each in built),
        "statement_rss_mb": round(max(settled), 1),
        "statement_rss_growth_mb": round(max(settled) - settled[0], 1),
    }


def _own_mb(pid: int) -> float:
    """Return the memory of a process and of those that it started, without mapped files.

    The system may release the pages of a mapped file at any time.
    """
    own = 0.0
    for each in (pid, *_children(pid)):
        try:
            status = Path(f"/proc/{each}/status").read_text()
        except OSError:  # it has ended
            continue
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
        own += int(found[1]) / 1024 if found is not None else 0.0
    return own


def _children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []


def _publish_log(directory: Path) -> None:
    """Give every leaf its index, and publish the checkpoint on which statements rest."""
    new_key_file(directory / "ledger.key", ORIGIN, ED25519)
    with (directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    sequence_log(directory)


def sequence_log(directory: Path) -> None:
    """Give every leaf that waits its index, and publish the checkpoint."""
    store = open_cached_store(str(directory))
    try:
        signer, more = NoteSigner.load(directory / "ledger.key", ORIGIN), True
        while more:
            more = sequence(store, signer, at=utc_now()).more
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
    ingredients = [schema.VERSION, str(count), inspect.getsource(_fill)]
    ingredients += map(inspect.getsource, (codecs, crypto, private, month_population))
    name = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:12]
    directory = cache.absolute() / f"month-{count}-{name}"
    if (directory / "whole").exists():
        return directory
    print(f"recording {count:,} disclosures, once")
    for former in cache.glob(f"month-{count}-*"):
        shutil.rmtree(former)
    directory.mkdir(parents=True)
    installation = build_installation(directory, people=KEYED + SIGNERS)
    _fill(installation, count)
    installation.close()
    _publish_log(directory)
    (directory / "whole").touch()
    return directory


def _fill(installation: InProcessService, count: int) -> None:
    signed_by = signers(installation.world, min(SIGNERS, count))
    for message in ask_about(installation, signed_by):
        installation.post(message)
    database = database_at(installation.settings.place)
    cipher = FieldCipher(StoreKeys.load(installation.settings.store.keys), Compressor(database))
    # The agreements of the world are signed today. They must be in force in the month.
    for table, columns in _AGREED.items():
        with without_guards(installation.settings.place, table) as unguarded:
            for column in columns:
                unguarded.execute(f"UPDATE {table} SET {column} = {column} - {_EARLIER}")  # noqa: S608
    documents = GroundDocuments(
        signers=_document_signers(installation.world), given_at=MONTH.begins - timedelta(days=5)
    )
    connection: Any = driver.connect(
        str(installation.settings.store.database), isolation_level=None
    )
    connection.execute("PRAGMA synchronous = OFF")
    # Documents are ordered by their digests. Without a large cache each insert reads and writes.
    connection.execute("PRAGMA cache_size = -4000000")
    connection.row_factory = driver.Row
    recorded = connection.execute("SELECT * FROM disclosure ORDER BY disclosure_id").fetchall()
    models = [
        documents.read_model(dict(row), cipher, each.credential)
        for row, each in zip(recorded, signed_by, strict=True)
    ]
    columns = tuple(models[0].row)
    rows = month_rows(models, documents, cipher, count)
    while batch := list(islice(rows, BATCH)):
        _write(connection, columns, batch)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _document_signers(world: World) -> SandboxSigners:
    return SandboxSigners(
        people=world.people[:1],
        citizens={},
        officials={},
        stranger=world.stranger,
        notice_digest=hashlib.sha256(NOTICE.encode()).digest(),
        at=world.made_at,
    )


def _write(connection: Any, columns: tuple[str, ...], batch: list[dict[str, Any]]) -> None:
    marks = ", ".join(f":{name}" for name in columns)
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        f"INSERT INTO disclosure ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
        batch,
    )
    for statement in _BESIDE:
        connection.executemany(statement, batch)
    connection.execute("COMMIT")


_BESIDE = (
    """INSERT INTO ledger_leaf (disclosure_id, leaf_hash, recorded_at)
    VALUES (:disclosure_id, :leaf_hash, :decided_at)""",
    "INSERT INTO ledger_queue (disclosure_id) VALUES (:disclosure_id)",
    """INSERT INTO evidence (recipient, digest, kind, sealed, kept_at)
    VALUES (:recipient, :ground_digest, :ground_kind, :document, :decided_at)""",
    """INSERT INTO ground_use
    (recipient, kind, ground_id, digest, allowed, used, valid_from, valid_to) VALUES
    (:recipient, :ground_kind, :ground_id, :ground_digest, :allowed, :used, :valid_from, :valid_to)
    """,
)
_AGREED = {
    "agreement": ("changed_at", "valid_from"),
    "agreement_draft": ("drafted_at",),
    "agreement_signature": ("recorded_at",),
}
_EARLIER = timedelta(days=90) // timedelta(microseconds=1)

"""The number of leaves a second to which the sequencer assigns an index.

In a store with many waiting leaves and no other work, the sequencer takes them in batches of the
default size, writes tiles, signs the tree and publishes it, until none waits. The ledger can follow
that many decisions a second.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import insert

from bench.stores import Database
from makul.app.ports.ledger import Lease
from makul.app.sequencer import Sequencer
from makul.config.settings import LedgerSettings
from makul.store.db.codecs import micros
from makul.store.db.location import DatabaseLocation
from makul.store.log.tile_files import LogDirectory
from makul.store.open import database_at
from makul.store.schema.ledger_tables import ledger_leaf, ledger_queue
from makul.trust.tlog.note_keys import NoteVerifier
from makul_testing.tlog.builder import LEASE, ORIGIN, a_note_signer

LEAVES = 200_000
WRITTEN_AT_ONCE = 5_000
_ADD_LEAF = insert(ledger_leaf)
_QUEUE_LEAF = insert(ledger_queue)


def measure_ledger(directory: Path, database: Database, *, leaves: int = LEAVES) -> dict[str, Any]:
    """Measure the leaves a second, with publication."""
    installation = database.installation(directory / "installation", people=40)
    _wait_in_line(installation.settings.place, leaves)
    signer = a_note_signer(directory)
    batch = int(LedgerSettings.model_fields["batch"].default)
    sequencer = Sequencer(
        store=installation.store.ledger,
        signer=signer,
        checker=NoteVerifier(key=signer.key),
        published=LogDirectory(directory / "published"),
        lease=Lease(holder=uuid4(), length=LEASE.length),
        batch=batch,
        clock=installation.clock,
    )
    began = time.perf_counter()
    size, rounds = 0, 0
    while size < leaves:
        round_result = sequencer.run_once()
        assert round_result.size is not None, "another sequencer is at work"
        assert round_result.taken, f"{leaves - size} leaves were left"
        size, rounds = round_result.size, rounds + 1
    took = time.perf_counter() - began
    latest = installation.store.ledger.latest()
    assert latest is not None
    # the leaves of the acts that set up the service are there too
    assert latest.size >= leaves
    assert ORIGIN in latest.note.decode()
    installation.close()
    return {
        "leaves_per_second": round(latest.size / took),
        "leaves": leaves,
        "batch": batch,
        "rounds": rounds,
    }


def _wait_in_line(place: DatabaseLocation, leaves: int) -> None:
    """Add leaves as recorded decisions leave them, in no order of ids, as commits come."""
    database, at = database_at(place), micros(datetime.now(UTC))
    for start in range(0, leaves, WRITTEN_AT_ONCE):
        with database.transaction() as transaction:
            for number in range(start, min(start + WRITTEN_AT_ONCE, leaves)):
                leaf = {
                    "disclosure_id": os.urandom(16),
                    "leaf_hash": os.urandom(32),
                    "recorded_at": at + number,
                }
                transaction.execute(_ADD_LEAF, leaf)
                transaction.execute(_QUEUE_LEAF, leaf)
    database.close()

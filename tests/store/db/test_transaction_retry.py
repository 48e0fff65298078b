"""Work that lost a race is repeated, and each repetition is counted."""

from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import insert

from makul.app.ports import StoreUnavailableError
from makul.store.db.base import Transaction
from makul.store.open import database_at
from makul.store.schema.identity_table import store_identity
from makul_testing.external.postgres import Cluster

_ADD = insert(store_identity)


def test_each_repetition_is_reported_once(server: Cluster, server_template: str) -> None:
    """Another transaction took the unique key twice, then the work succeeds (PostgreSQL only)."""
    retries: list[str] = []
    database = database_at(
        server.place(server.create(template=server_template)), lambda: retries.append("again")
    )
    row = {"index_check": b"i", "sealed_check": b"s", "baseline_at": None}
    with database.transaction() as transaction:
        store_id = uuid4().bytes
        transaction.execute(_ADD, {"store_id": store_id, **row})
    losses = [store_id, store_id]

    def work(transaction: Transaction) -> int:
        return transaction.execute(
            _ADD, {"store_id": losses.pop() if losses else uuid4().bytes, **row}
        )

    try:
        assert database.run_transaction(work) == 1
    finally:
        database.close()
    assert retries == ["again", "again"]


def test_a_commit_that_rolls_back_is_recognised(server: Cluster, server_template: str) -> None:
    """A COMMIT that rolls back is recognised.

    PostgreSQL answers COMMIT without an error after a failed statement, and undoes all. If the
    store ignored that, an answer would leave unrecorded (invariant 1).
    """
    database = database_at(server.place(server.create(template=server_template)))
    row = {
        "store_id": uuid4().bytes,
        "index_check": b"i",
        "sealed_check": b"s",
        "baseline_at": None,
    }

    def work(transaction: Transaction) -> str:
        transaction.execute(_ADD, row)
        with suppress(psycopg.Error):
            transaction.execute(_ADD, row)
        return "done"

    try:
        with pytest.raises(StoreUnavailableError):
            database.run_transaction(work)
        assert database.run_transaction(lambda transaction: transaction.execute(_ADD, row)) == 1
    finally:
        database.close()

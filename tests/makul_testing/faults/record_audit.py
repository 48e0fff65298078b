"""The records after a fault, read without the store's code."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from makul.store.db.location import DatabaseLocation
from makul_testing.load.concurrent_clients import ConcurrentClients, WireAnswer
from makul_testing.raw_sql import raw

Count = Callable[[str], None]
"""The function by which a fault test prints its line of counts, at the end of the run."""

_WITHOUT_LEAF = (
    "SELECT count(*) FROM disclosure LEFT JOIN ledger_leaf"
    " ON ledger_leaf.disclosure_id = disclosure.disclosure_id"
    " WHERE ledger_leaf.disclosure_id IS NULL"
)
_WITHOUT_DECISION = (
    "SELECT count(*) FROM ledger_leaf LEFT JOIN disclosure"
    " ON ledger_leaf.disclosure_id = disclosure.disclosure_id"
    " WHERE disclosure.disclosure_id IS NULL"
    " AND ledger_leaf.disclosure_id NOT IN"
    " (SELECT act_id FROM act UNION ALL SELECT repetition_id FROM repetition)"
)
_RELEASED = (
    "SELECT request_id, leaf_hash FROM disclosure JOIN ledger_leaf"
    " ON ledger_leaf.disclosure_id = disclosure.disclosure_id WHERE outcome = 'RELEASED'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAudit:
    """Counts that must be zero, and the releases."""

    without_leaf: int
    """Decisions that the ledger will never hold."""
    without_decision: int
    """Leaves without a record."""
    released: dict[UUID, bytes]
    """The leaf of each id under which data were released."""
    twice: int
    """Ids under which data were released more than once."""

    def lost(self, acknowledged: dict[UUID, WireAnswer]) -> set[UUID]:
        """Return ids whose data left, and whose decision or leaf is not that of the receipt."""
        return {
            each for each, answer in acknowledged.items() if self.released.get(each) != answer.leaf
        }


def assert_nothing_is_lost(clients: ConcurrentClients, after: RecordAudit) -> None:
    """Assert that each acknowledged request is recorded once, with its leaf, and
    answered equally.
    """
    assert after.lost(clients.released) == set()
    assert (after.without_leaf, after.without_decision, after.twice) == (0, 0, 0)
    assert (clients.unanswered, clients.differing, clients.withheld) == ([], [], {})


def audit_records(place: DatabaseLocation) -> RecordAudit:
    """Read the records."""
    with raw(place) as connection:
        ((without_leaf,),) = connection.execute(_WITHOUT_LEAF).fetchall()
        ((without_decision,),) = connection.execute(_WITHOUT_DECISION).fetchall()
        rows = connection.execute(_RELEASED).fetchall()
    released = {UUID(bytes=bytes(request_id)): bytes(leaf) for request_id, leaf in rows}
    return RecordAudit(
        without_leaf=without_leaf,
        without_decision=without_decision,
        released=released,
        twice=len(rows) - len(released),
    )

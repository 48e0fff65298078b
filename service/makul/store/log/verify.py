"""Verify every record against the log, and the log against itself; report the first mismatch.

The check reads in pages and keeps none, so a million decisions take no more memory than a thousand.
The service may run meanwhile. First the log is checked as it was when the check began. Then, in one
snapshot, the check reads every leaf without an index in that log, and every row that decisions rest
on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select

from makul.app.ports.ledger import CosignatureChecking, Finding, LedgerReport, NoteChecking
from makul.language.translation import translate
from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE, RightEdge
from makul.ledger.merkle import HASH_BYTES
from makul.ledger.tiles import TILE_WIDTH, Tile, hashes_at
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.log.expectations import Expectations
from makul.store.log.record_facts import UUID_BYTES
from makul.store.log.record_kinds import FoundRecords, Records
from makul.store.log.row_check import RowCheck
from makul.store.log.stray_rows import find_stray_rows
from makul.store.log.tree import LOG, TILE
from makul.store.schema.ledger_tables import (
    checkpoint,
    cosignature,
    ledger_head,
    ledger_leaf,
    ledger_lost,
    ledger_position,
    ledger_queue,
)

PAGE = 512
"""Records that are read at once: some megabytes if each has a report and a receipt."""

_HEAD = select(ledger_head.c.size, ledger_head.c.root).where(ledger_head.c.log == bindparam("log"))

_PLACED = (
    select(
        ledger_position.c.position,
        ledger_position.c.disclosure_id,
        ledger_leaf.c.leaf_hash,
    )
    .select_from(
        ledger_position.outerjoin(
            ledger_leaf, ledger_leaf.c.disclosure_id == ledger_position.c.disclosure_id
        )
    )
    .where(
        ledger_position.c.position >= bindparam("start"),
        ledger_position.c.position < bindparam("size"),
    )
    .order_by(ledger_position.c.position)
    .limit(bindparam("page"))
)
_LOST = (
    select(ledger_lost.c.position, ledger_lost.c.leaf_hash)
    .where(ledger_lost.c.position >= bindparam("start"), ledger_lost.c.position < bindparam("size"))
    .order_by(ledger_lost.c.position)
    .limit(bindparam("page"))
)
_REST = (
    select(
        ledger_leaf.c.disclosure_id,
        ledger_leaf.c.recorded_at,
        ledger_position.c.position,
        ledger_queue.c.disclosure_id,
    )
    .select_from(
        ledger_leaf.outerjoin(
            ledger_position, ledger_position.c.disclosure_id == ledger_leaf.c.disclosure_id
        ).outerjoin(ledger_queue, ledger_queue.c.disclosure_id == ledger_leaf.c.disclosure_id)
    )
    .where(
        or_(ledger_position.c.position.is_(None), ledger_position.c.position >= bindparam("size")),
        ledger_leaf.c.disclosure_id > bindparam("after"),
    )
    .order_by(ledger_leaf.c.disclosure_id)
    .limit(bindparam("page"))
)
_CHECKPOINTS = (
    select(checkpoint.c.size, checkpoint.c.root, checkpoint.c.note)
    .where(checkpoint.c.size > bindparam("after"), checkpoint.c.size <= bindparam("size"))
    .order_by(checkpoint.c.size)
    .limit(bindparam("page"))
)
_COSIGNATURES = select(cosignature.c.witness, cosignature.c.line).where(
    cosignature.c.size == bindparam("size")
)
_LEAVES = select(func.count()).select_from(ledger_leaf)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerVerificationOptions:
    """The parameters of the check."""

    origin: str
    checker: NoteChecking
    max_merge_delay: timedelta
    witnesses: Mapping[str, CosignatureChecking]
    """The witnesses' keys by the names under which their lines are stored. Lines of other witnesses
    cannot be verified."""
    lost: int
    """Number of lost decisions that are known: any other number in the store is a finding."""
    at: datetime


class _FoundError(Exception):
    """The first mismatch: it ends the check."""

    def __init__(self, where: str, record: str, what: str) -> None:
        super().__init__(what)
        self.finding = Finding(where=where, record=record, what=what)


class LedgerCheck:
    """One run of the check. Raises `StoreUnavailableError`."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        question: LedgerVerificationOptions,
        report: Callable[[int, int], None],
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._question = question
        self._report = report
        self._size = self._checked = self._waiting = self._checkpoints = self._all = 0
        self._lost = self._first_lost = 0
        self._newest = 0
        """The size of the last verified checkpoint. An empty log may be unsigned still."""

    def run(self) -> LedgerReport:
        """Return the report, with the first finding in log order, if there is one."""
        finding: Finding | None = None
        try:
            with Expectations() as expectations:
                self._run(expectations)
        except _FoundError as error:
            finding = error.finding
        return LedgerReport(
            size=self._size,
            checked=self._checked,
            waiting=self._waiting,
            checkpoints=self._checkpoints,
            lost=self._lost,
            finding=finding,
        )

    def _run(self, expectations: Expectations) -> None:
        records = Records(self._database, self._cipher, expectations)
        head = self._database.fetch_one(_HEAD, {"log": LOG})
        if head is None:
            raise _FoundError("ledger_head", LOG, translate("the log has no head"))
        self._size, root = head
        (self._all,) = self._database.fetch_one(_LEAVES, {}) or (0,)
        edge = self._replay(self._size, records)
        if edge.root() != root:
            what = translate("the root is not that of the leaves")
            raise _FoundError("ledger_head", LOG, what)
        with self._database.snapshot() as transaction:
            self._check_unplaced(transaction, records)
            self._refuse_strays(transaction)
            rows_check = RowCheck(self._cipher, expectations, at=self._question.at)
            for finding in rows_check.find(transaction):
                raise _FoundError(*finding)
        if self._lost != self._question.lost:
            what = translate(
                "{number} decisions are noted as lost, and --lost names {known}",
                number=self._lost,
                known=self._question.lost,
            )
            raise _FoundError("ledger_lost", str(self._first_lost), what)

    def _replay(self, size: int, records: Records) -> RightEdge:
        """Verify every leaf at its index, every tile and every checkpoint."""
        edge, signed = EMPTY_EDGE, self._read_checkpoints(size)
        due = self._hold(next(signed, None), edge, signed)
        for page in self._pages(size, records):
            leaves = page
            while leaves:
                until = due[0] - edge.size if due is not None else len(leaves)
                edge = self._append(edge, leaves[:until])
                due, leaves = self._hold(due, edge, signed), leaves[until:]
        if self._newest != size:
            what = translate("the log's tree is not signed")
            raise _FoundError("checkpoint", str(size), what)
        for level, row in enumerate(edge.partial):
            if row:
                self._hold_tile(Tile(level, hashes_at(level, size) // TILE_WIDTH), row)
        return edge

    def _pages(self, size: int, records: Records) -> Iterator[list[bytes]]:
        """Yield leaf hashes in their order, each of a verified record or marked as lost."""
        start = 0
        while start < size:
            values = {"start": start, "size": size, "page": PAGE}
            placed, lost = (
                self._database.fetch_all(_PLACED, values),
                self._database.fetch_all(_LOST, values),
            )
            until = placed[-1][0] + 1 if placed else start
            records_of_page = records.placed(self._database, start, until)
            leaves: list[bytes] = []
            # Each list is complete up to its page's end. So only the part without a gap can be
            # checked now.
            for row in sorted((*placed, *lost), key=lambda each: int(each[0])):
                if row[0] != start + len(leaves):
                    break
                leaves.append(self._find_leaf(row, records_of_page))
            if not leaves:
                what = translate("no leaf has this index")
                raise _FoundError("ledger_position", str(start), what)
            start += len(leaves)
            self._report(self._checked, self._all)
            yield leaves

    def _find_leaf(self, row: Row, found: FoundRecords) -> bytes:
        """Return the leaf hash at an index.

        Its record is verified, unless the index is marked as lost.
        """
        if len(row) == len(_LOST.selected_columns):
            self._lost += 1
            self._first_lost = row[0] if self._lost == 1 else self._first_lost
            return bytes(row[1])
        _, record_id, leaf_hash = row
        if leaf_hash is None:
            what = translate("the leaf of this index is missing")
            raise _FoundError("ledger_leaf", _name(record_id), what)
        self._hold_record(record_id, found)
        return bytes(leaf_hash)

    def _hold_record(self, record_id: bytes, found: FoundRecords) -> None:
        name, records = _name(record_id), found.of(record_id)
        if not records:
            raise _FoundError("ledger_leaf", name, translate("a leaf without its record"))
        for _, hold, row in records:
            find_mismatch = hold(row)
            if find_mismatch is not None:
                raise _FoundError(find_mismatch[0], name, find_mismatch[1])
        self._checked += 1

    def _append(self, edge: RightEdge, leaves: list[bytes]) -> RightEdge:
        appended = edge.extended(leaves)
        for tile, hashes in appended.tiles.items():
            if tile.width == TILE_WIDTH:
                self._hold_tile(tile, hashes)
        return appended.edge

    def _hold_tile(self, tile: Tile, hashes: bytes) -> None:
        """Verify a tile; a partial tile may have grown since the check began."""
        row = self._database.fetch_one(TILE, {"level": tile.level, "index": tile.index})
        name = f"{tile.level}/{tile.index}"
        if row is None:
            raise _FoundError("ledger_tile", name, translate("the tile is not there"))
        if row[0][: len(hashes)] != hashes or len(row[0]) % HASH_BYTES:
            raise _FoundError("ledger_tile", name, translate("the tile is not that of the leaves"))

    def _read_checkpoints(self, size: int) -> Iterator[Row]:
        """Yield the checkpoints of the log as it was when the check began, by size."""
        after = -1
        while rows := self._database.fetch_all(
            _CHECKPOINTS, {"after": after, "size": size, "page": PAGE}
        ):
            yield from rows
            after = rows[-1][0]

    def _hold(self, due: Row | None, edge: RightEdge, signed: Iterator[Row]) -> Row | None:
        """Verify the checkpoint of this size against the tree, and return the next checkpoint.

        If there is no checkpoint of this size, it returns `due`.
        """
        if due is None or due[0] != edge.size:
            return due
        size, root, note = due
        try:
            body = self._question.checker.verify(note)
        except ValueError:
            what = translate("its signature is not valid")
            raise _FoundError("checkpoint", str(size), what) from None
        if root != edge.root():
            what = translate("its root is not that of the leaves")
            raise _FoundError("checkpoint", str(size), what)
        if body != Checkpoint(self._question.origin, size, root).body():
            what = translate("what was signed is another tree")
            raise _FoundError("checkpoint", str(size), what)
        self._hold_cosignatures(size, note)
        self._checkpoints += 1
        self._newest = size
        return next(signed, None)

    def _hold_cosignatures(self, size: int, note: bytes) -> None:
        """Verify the lines of the known witnesses."""
        for witness, line in self._database.fetch_all(_COSIGNATURES, {"size": size}):
            checker = self._question.witnesses.get(witness)
            if checker is None:
                continue
            try:
                checker.verify(note + f"{line}\n".encode())
            except ValueError:
                what = translate("the witness's signature is not valid")
                raise _FoundError("cosignature", f"{size} {witness}", what) from None

    def _check_unplaced(self, transaction: Transaction, records: Records) -> None:
        """Verify leaves without an index, or with one assigned since the check began."""
        after = b""
        latest = micros(self._question.at - self._question.max_merge_delay)
        while rows := transaction.fetch_all(
            _REST, {"size": self._size, "after": after, "page": PAGE}
        ):
            last = rows[-1][0]
            found = records.rest(transaction, size=self._size, after=after, last=last)
            for record_id, recorded_at, position, queued in rows:
                self._hold_record(record_id, found)
                if position is None and queued is None:
                    what = translate("the leaf has no index and does not wait for one")
                    raise _FoundError("ledger_queue", _name(record_id), what)
                if position is None:
                    self._hold_waiting(record_id, recorded_at, latest)
            after = last
            self._report(self._checked, self._all)

    def _hold_waiting(self, record_id: bytes, recorded_at: object, latest: int) -> None:
        if not isinstance(recorded_at, int) or recorded_at < latest:
            what = translate("it waits longer than max_merge_delay")
            raise _FoundError("ledger_leaf", _name(record_id), what)
        self._waiting += 1

    def _refuse_strays(self, transaction: Transaction) -> None:
        """Refuse rows that belong to no other row."""
        for where, key, what in find_stray_rows(transaction):
            raise _FoundError(where, _name(key), what)


def _name(key: object) -> str:
    """Return a row's key for printing: a decision's UUID, or any other value as text."""
    if isinstance(key, bytes) and len(key) == UUID_BYTES:
        return str(UUID(bytes=key))
    return key.hex() if isinstance(key, bytes) else str(key)

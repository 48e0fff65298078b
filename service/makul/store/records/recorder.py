"""Record a decision in one transaction, completely or not at all (invariants 1, 4 and 5).

All fields are encrypted before the transaction begins, because other transactions wait while it
runs. On SQLite every other writer waits. On PostgreSQL a revocation for the same recipient waits.

The order of checks in the transaction is fixed: message, request id, preconditions, limits. The
rows of the record are written only after all checks have passed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from makul.app.ports import (
    Caller,
    Committed,
    Conflict,
    Entry,
    MessageMark,
    Recorded,
    Recorder,
    Replay,
    RequestKey,
    Space,
)
from makul.domain.disclosures import TELLS_OF_A_PERSON, GroundKind, Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DOCUMENTS_A_DAY
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import dumps, micros, reasons_to_text
from makul.store.encryption.fields import FieldCipher, place
from makul.store.records.answers import answer_with_receipt, answer_without_receipt
from makul.store.records.closed_request import find_closed_request, given_by
from makul.store.records.consent_revocations import take_back
from makul.store.records.locks import (
    PendingRevocationLock,
    announce_revocation,
    lock_for_revocation,
)
from makul.store.records.preconditions import (
    CallerChannel,
    against_entry,
    against_recipient,
    against_replay,
)
from makul.store.records.repetitions import RepeatedAnswer, add_repetition, is_recorded
from makul.store.records.retention import purge_replay_guards
from makul.store.records.sealed_fields import Private, open_private, private_of, seal_private
from makul.store.records.service_usage import count_inquiry, count_use
from makul.store.records.usage_limits import (
    add_attempt,
    check_attempts,
    insert_replay_guard,
    use_evidence,
    use_ground,
    use_paper,
    use_quota,
)
from makul.store.schema.ledger_tables import ledger_queue
from makul.store.schema.tables import disclosure, evidence, ledger_leaf, request_key

_GIVES_NOTHING = frozenset({Outcome.REFUSED, Outcome.UNDETERMINED})

_EVIDENCE_KEPT = select(evidence.c.digest).where(
    evidence.c.recipient == bindparam("recipient"), evidence.c.digest == bindparam("digest")
)
_LEAF_KEPT = select(ledger_leaf.c.leaf_hash).where(
    ledger_leaf.c.disclosure_id == bindparam("disclosure_id")
)
_ADD_DISCLOSURE = insert(disclosure)
_ADD_LEAF = insert(ledger_leaf)
_QUEUE_LEAF = insert(ledger_queue)
_ADD_EVIDENCE = insert(evidence)
_CLOSE_KEY = insert(request_key)

_REUSED = Reason(code=Code.REQ_04, field="requestId")


class StoreRecorder(Recorder):
    """Recorder that writes decisions to the store.

    Raises `StoreUnavailableError` if the transaction fails. Then either nothing was recorded, or
    the outcome of the commit is unknown. The caller gets no answer and must retry with the same
    request id.
    """

    def __init__(
        self, database: Database, sealer: FieldCipher, *, evidence_a_day: int = DOCUMENTS_A_DAY
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._budget = evidence_a_day

    def record(self, entry: Entry) -> Recorded:
        """Record the entry completely or not at all.

        Raises ValueError if the entry contradicts itself.
        """
        _refuse_contradictions(entry)
        purge_replay_guards(self._database, entry.mark, at=entry.decided_at)
        rows = self._rows(entry)
        if entry.revokes is None:
            return self._perform(entry, rows, None)
        with announce_revocation(self._database, entry.key.recipient) as taking:
            return self._perform(entry, rows, taking)

    def _perform(
        self, entry: Entry, rows: "_Rows", taking: PendingRevocationLock | None
    ) -> Recorded:
        repeated = RepeatedAnswer.create(
            entry.key, entry.channel, entry.certificate, at=entry.decided_at
        )
        return self._database.perform(
            lambda transaction: self._record(transaction, entry, rows, taking, repeated),
            settled=lambda transaction: (
                _recorded(transaction, rows) or self._repeated(transaction, repeated)
            ),
        )

    def _record(
        self,
        transaction: Transaction,
        entry: Entry,
        rows: "_Rows",
        taking: PendingRevocationLock | None,
        repeated: RepeatedAnswer,
    ) -> Recorded:
        if taking is not None:
            lock_for_revocation(transaction, taking)
        stopped: Replay | Conflict | None
        before = self._before(transaction, entry, repeated)
        if _stops(before, entry):
            stopped = before
        else:
            if rows.key is not None and before is None:
                # This row is written before any limit is counted. Of two requests with one id, the
                # second waits here and then finds the answer of the first
                # (docs/decisions/0021-postgresql.md).
                transaction.run(_CLOSE_KEY, rows.key)
            stopped = self._stopped(transaction, entry, rows)
        if isinstance(stopped, Conflict):
            transaction.discard()
        elif stopped is None:
            _write(transaction, rows)
            add_attempt(transaction, self._sealer, entry)
            self._take_back(transaction, entry)
            count_use(transaction, entry.key.recipient, rows.bytes, at=entry.decided_at)
        return stopped or Committed()

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """Return the stored answer of a closed request id and record the repetition.

        The preconditions are checked again first. Returns a `Conflict` with REQ-05 if the id is
        open.
        """
        repeated = RepeatedAnswer.create(key, caller.channel, caller.certificate, at=at)

        def work(transaction: Transaction) -> Replay | Conflict | None:
            seen = insert_replay_guard(transaction, caller.mark)
            given = self._repeat(transaction, repeated) if seen is None else Conflict((seen,))
            if not isinstance(given, Replay):
                transaction.discard()
            return given

        # A closed id never opens again. An open id therefore means that the first request is not
        # yet decided.
        return self._database.perform(
            work, settled=lambda transaction: self._repeated(transaction, repeated)
        ) or Conflict((Reason(code=Code.REQ_05),))

    def _repeat(
        self, transaction: Transaction, repeated: RepeatedAnswer
    ) -> Replay | Conflict | None:
        """Return the stored answer and record the repetition; return None if the id is open."""
        stored = self._stored(transaction, repeated)
        if not isinstance(stored, _Stored):
            return stored
        add_repetition(transaction, self._sealer, repeated, stored.disclosure_id, stored.decided_at)
        count_use(transaction, repeated.key.recipient, 0, at=repeated.at)
        return Replay(stored.answer)

    def _repeated(
        self, transaction: Transaction, repeated: RepeatedAnswer
    ) -> Replay | Conflict | None:
        """Return the answer of a repetition whose commit outcome is unknown.

        Returns None if it was not recorded.

        This reads the preconditions again, which locks the recipient's row. `_recorded` explains
        why that lock is needed.
        """
        if not is_recorded(transaction, repeated):
            return None
        stored = self._stored(transaction, repeated)
        return Replay(stored.answer) if isinstance(stored, _Stored) else stored

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """Store the replay guard of a message that records nothing else.

        Returns False if the message came before (REQ-09).
        """

        def work(transaction: Transaction) -> bool:
            return insert_replay_guard(transaction, mark) is None

        purge_replay_guards(self._database, mark, at=at)
        return self._database.perform(work)

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """Count a request that records nothing else.

        Returns the number of such requests in this minute.
        """
        return self._database.perform(
            lambda transaction: count_inquiry(transaction, recipient, at=at)
        )

    def _rows(self, entry: Entry) -> "_Rows":
        """Build the encrypted rows of an entry.

        A document that is already stored is not encrypted again.
        """
        at = micros(entry.decided_at)
        disclosure_id, recipient = entry.disclosure_id.bytes, entry.key.recipient
        new = []
        for piece in entry.evidence:
            row = {"recipient": recipient, "digest": piece.digest}
            if self._database.one(_EVIDENCE_KEPT, row) is None:
                where = evidence_place(recipient, piece.digest)
                sealed = self._sealer.seal(piece.document, where)
                new.append({**row, "kind": piece.kind, "sealed": sealed, "kept_at": at})
        closed = None
        if entry.closes:
            answer = answer_without_receipt(self._sealer, entry.answer, entry.receipt)
            closed = {
                **_key_values(entry.key),
                "disclosure_id": disclosure_id,
                "answer": self._sealer.seal(answer, _answer_place(entry.key)),
                "answer_until": micros(entry.keep_answer_until),
                "decided_at": at,
            }
        return _Rows(
            disclosure=_disclosure_row(self._sealer, entry, private_of(entry)),
            leaf={"disclosure_id": disclosure_id, "leaf_hash": entry.leaf.hash, "recorded_at": at},
            new_evidence=tuple(new),
            key=closed,
            recipient=recipient,
        )

    def _before(
        self, transaction: Transaction, entry: Entry, repeated: RepeatedAnswer
    ) -> Replay | Conflict | None:
        """Return the earlier result of this message or request id; None if both are new."""
        seen = insert_replay_guard(transaction, entry.mark)
        if seen is not None:
            return Conflict((seen,))
        if not entry.closes:
            return None
        return self._repeat(transaction, repeated)

    def _stopped(self, transaction: Transaction, entry: Entry, rows: "_Rows") -> Conflict | None:
        """Return the precondition that no longer holds or the limit that is reached.

        Returns None if there is none.
        """
        # Even the refusal of a match discloses something about a person, so it needs the same
        # preconditions (invariant 4).
        if entry.requires_active or entry.attempt_limits is not None:
            reasons = against_entry(transaction, self._sealer, entry)
            if reasons:
                return Conflict(reasons)
        # Scans of one day must not prevent a subject from revoking a consent. A revocation
        # therefore has twice the daily budget.
        budget = self._budget if entry.revokes is None else 2 * self._budget
        reason = use_evidence(transaction, entry, rows.evidence_bytes, budget=budget)
        if reason is None:
            reason = check_attempts(transaction, self._sealer, entry)
        if reason is None:
            reason = use_paper(transaction, entry)
        if reason is None:
            reason = use_ground(transaction, self._sealer, entry)
        if reason is None:
            reason = use_quota(transaction, entry)
        return Conflict((reason,)) if reason is not None else None

    def _take_back(self, transaction: Transaction, entry: Entry) -> None:
        if entry.revokes is not None:
            code, at = entry.key.recipient, entry.decided_at
            take_back(transaction, self._sealer, code, entry.revokes, at=at)

    def _stored(
        self, transaction: Transaction, repeated: RepeatedAnswer
    ) -> "_Stored | Conflict | None":
        """Return the answer of a closed request id, or the reason for not giving it.

        Returns None if the id is open.

        A different request digest is REQ-04. A deleted answer is REQ-04 too, because the id stays
        closed.
        """
        key, at = repeated.key, repeated.at
        closed = find_closed_request(transaction, _key_values(key))
        if closed is None:
            return None
        if closed.sealed is None:
            return Conflict((_REUSED,))
        private = open_private(self._sealer, closed.disclosure_id, closed.sealed)
        differs = key.reused_by(private.known)
        if differs is not None:
            return Conflict((Reason(code=Code.REQ_04, field=differs),))
        if key.space is Space.REVOCATION:
            # The answer to a consent revocation releases nothing, so it is returned for every state
            # of the recipient. The recipient's row is still locked, because the rows read may exist
            # on one copy of the database only (see `_recorded`).
            against_recipient(transaction, key.recipient)
        else:
            way = CallerChannel(channel=repeated.channel, certificate=repeated.certificate)
            reasons = against_replay(transaction, key.recipient, given_by(closed), way, at=at)
            if reasons:
                return Conflict(reasons)
        answer, until = closed.answer, closed.answer_until
        if answer is None or until is None or until <= micros(at):
            return Conflict((_REUSED,))
        plain = self._sealer.open(answer, _answer_place(key))
        return _Stored(
            answer=answer_with_receipt(self._sealer, plain, private.receipt),
            disclosure_id=closed.disclosure_id,
            decided_at=closed.decided_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The stored answer of a closed request id, and the decision that it belongs to."""

    answer: bytes
    disclosure_id: bytes
    decided_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of an entry, encrypted before the transaction begins."""

    disclosure: dict[str, object]
    leaf: dict[str, object]
    new_evidence: tuple[dict[str, object], ...]
    key: dict[str, object] | None
    recipient: MemberCode

    @property
    def bytes(self) -> int:
        """The number of encrypted bytes that this entry adds to the store."""
        answer = self.key["answer"] if self.key is not None else None
        parts = (self.disclosure["sealed"], answer)
        return self.evidence_bytes + sum(len(part) for part in parts if isinstance(part, bytes))

    @property
    def evidence_bytes(self) -> int:
        """The number of encrypted bytes of the new evidence."""
        sealed = (piece["sealed"] for piece in self.new_evidence)
        return sum(len(piece) for piece in sealed if isinstance(piece, bytes))


def _disclosure_row(sealer: FieldCipher, entry: Entry, private: Private) -> dict[str, object]:
    ground, subject = entry.ground, entry.subject
    disclosure_id = entry.disclosure_id.bytes
    return {
        "disclosure_id": disclosure_id,
        "recipient": entry.key.recipient,
        "space": entry.key.space.value,
        "request_id": entry.key.request_id.bytes,
        "operation": entry.operation.value,
        "channel": entry.channel.value,
        "certificate": entry.certificate,
        "agreement_number": entry.agreement_number,
        "purpose": entry.purpose,
        "subject_index": sealer.index("pin", subject.digits) if subject is not None else None,
        "outcome": entry.outcome.value,
        "reasons": reasons_to_text(entry.reasons),
        "released": dumps(sorted(entry.released)),
        "ground_kind": ground.kind.value if ground is not None else None,
        "ground_id": ground.id.bytes if ground is not None else None,
        "ground_digest": ground.digest if ground is not None else None,
        "decided_at": micros(entry.decided_at),
        "sealed": seal_private(sealer, disclosure_id, private),
        "sealed_to": entry.sealed_to,
    }


def _stops(before: Replay | Conflict | None, entry: Entry) -> bool:
    """Return whether an earlier result ends the recording of this entry.

    A refusal discloses nothing. It is therefore recorded under a closed id too, and does not change
    the stored answer of that id. A message that came before (REQ-09) is never recorded again.
    """
    if before is None or isinstance(before, Replay):
        return before is not None
    seen = any(reason.code is Code.REQ_09 for reason in before.reasons)
    return seen or entry.outcome not in _GIVES_NOTHING


def _recorded(transaction: Transaction, rows: _Rows) -> Recorded | None:
    """Return the result of an entry whose commit outcome is unknown; None if it was not recorded.

    The entry is found by its own leaf and never by its request id, which another request may have
    closed.

    A commit that was interrupted while it waited for a replica is visible at once, but exists on
    one copy only. So this locks the recipient's row. The lock is written, and the commit of this
    transaction waits for that replica (docs/decisions/0021-postgresql.md).
    """
    row = transaction.one(_LEAF_KEPT, rows.leaf)
    if row is None or row[0] != rows.leaf["leaf_hash"]:
        return None
    against_recipient(transaction, rows.recipient)
    return Committed()


def _write(transaction: Transaction, rows: _Rows) -> None:
    transaction.run(_ADD_DISCLOSURE, rows.disclosure)
    transaction.run(_ADD_LEAF, rows.leaf)
    transaction.run(_QUEUE_LEAF, rows.leaf)
    for piece in rows.new_evidence:
        if transaction.one(_EVIDENCE_KEPT, piece) is None:
            transaction.run(_ADD_EVIDENCE, piece)


def _refuse_contradictions(entry: Entry) -> None:
    """Raise ValueError for an entry that contradicts itself.

    Such an entry is an error of the program and not of the request. It must not be recorded as if
    it were correct.
    """
    told = entry.outcome in TELLS_OF_A_PERSON
    if told and not (entry.closes and entry.requires_active):
        raise ValueError("a decision that tells of a person closes its id and requires rights")
    if (entry.meter or entry.register_consent) and entry.ground is None:
        raise ValueError("there is no ground to meter or register")
    if entry.meter and entry.register_consent:
        raise ValueError("registering a consent is no use of it")
    if entry.register_consent:
        kept = {piece.digest for piece in entry.evidence}
        by_consent = entry.ground is not None and entry.ground.kind is GroundKind.CONSENT
        if not by_consent or entry.ground is None or entry.ground.digest not in kept:
            raise ValueError("a consent is registered together with its document")
    if entry.revokes is not None:
        if entry.outcome is not Outcome.ACCEPTED or entry.key.space is not Space.REVOCATION:
            raise ValueError("a consent is revoked where that is what was accepted")
        if entry.revokes.document not in {piece.digest for piece in entry.evidence}:
            raise ValueError("a consent is revoked together with the document that says so")
    if (entry.failed_attempt or entry.attempt_limits is not None) and entry.subject is None:
        raise ValueError("attempts are counted against a subject")


def _key_values(key: RequestKey) -> dict[str, object]:
    return {
        "recipient": key.recipient,
        "space": key.space.value,
        "request_id": key.request_id.bytes,
    }


def _answer_place(key: RequestKey) -> bytes:
    space: Space = key.space
    return place(
        "request_key",
        "answer",
        key.recipient.encode(),
        space.value.encode(),
        key.request_id.bytes,
    )


def evidence_place(recipient: str, digest: bytes) -> bytes:
    """Return the associated data of a document's encrypted bytes."""
    return place("evidence", "sealed", recipient.encode(), digest)

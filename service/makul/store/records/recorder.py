"""Record a decision in one transaction, completely or not at all (invariants 1, 4 and 5).

All fields are encrypted before the transaction begins, because other transactions wait while it
runs. On SQLite every other writer waits. On PostgreSQL a revocation for the same recipient waits.

The order of checks in the transaction is fixed: message, request id, preconditions, limits. The
rows of the record are written only after all checks have passed.
"""

from datetime import datetime

from makul.app.ports import (
    Caller,
    Committed,
    Conflict,
    Entry,
    MessageMark,
    Recorded,
    Recorder,
    Refusal,
    Replay,
    RequestKey,
    RevocationAcceptance,
    Undetermined,
)
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DOCUMENTS_A_DAY
from makul.store.db.base import Database, Transaction
from makul.store.encryption.fields import FieldCipher
from makul.store.records.answer_replay import StoredAnswer, find_stored_answer
from makul.store.records.effects import count_effects, write_effects
from makul.store.records.entry_rows import EntryRows
from makul.store.records.locks import (
    PendingRevocationLock,
    announce_revocation,
    lock_for_revocation,
)
from makul.store.records.preconditions import check_entry, check_recipient
from makul.store.records.repetitions import RepeatedAnswer, add_repetition, is_recorded
from makul.store.records.retention import purge_replay_guards
from makul.store.records.service_usage import count_inquiry, count_use
from makul.store.records.usage_limits import insert_replay_guard, use_evidence


class StoreRecorder(Recorder):
    """Recorder that writes decisions to the store.

    Raises `StoreUnavailableError` if the transaction fails. Then either nothing was recorded, or
    the outcome of the commit is unknown. The caller gets no answer and must retry with the same
    request id.
    """

    def __init__(
        self, database: Database, cipher: FieldCipher, *, evidence_a_day: int = DOCUMENTS_A_DAY
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._budget = evidence_a_day

    def record(self, entry: Entry) -> Recorded:
        """Record the entry completely or not at all."""
        facts = entry.facts
        purge_replay_guards(self._database, facts.caller.mark, at=facts.at)
        rows = EntryRows.build(self._database, self._cipher, entry)
        if not isinstance(entry.decision, RevocationAcceptance):
            return self._run(entry, rows, None)
        with announce_revocation(self._database, facts.caller.recipient) as pending:
            return self._run(entry, rows, pending)

    def _run(
        self, entry: Entry, rows: EntryRows, pending: PendingRevocationLock | None
    ) -> Recorded:
        caller = entry.facts.caller
        repeated = RepeatedAnswer.create(
            entry.key, caller.channel, caller.certificate, at=entry.facts.at
        )
        return self._database.run_transaction(
            lambda transaction: self._record(transaction, entry, rows, pending, repeated),
            resolve_unknown_commit=lambda transaction: (
                _read_recorded(transaction, rows) or self._read_repetition(transaction, repeated)
            ),
        )

    def _record(
        self,
        transaction: Transaction,
        entry: Entry,
        rows: EntryRows,
        pending: PendingRevocationLock | None,
        repeated: RepeatedAnswer,
    ) -> Recorded:
        if pending is not None:
            lock_for_revocation(transaction, pending)
        stopped: Replay | Conflict | None
        before = self._find_earlier(transaction, entry, repeated)
        if _ends_recording(before, entry):
            stopped = before
        else:
            if before is None:
                # This row is written before any limit is counted. Of two requests with one id, the
                # second waits here and then finds the answer of the first
                # (docs/decisions/0021-postgresql.md).
                rows.close_key(transaction)
            stopped = self._find_conflict(transaction, entry, rows)
        if isinstance(stopped, Conflict):
            transaction.mark_rollback()
        elif stopped is None:
            rows.write(transaction)
            write_effects(transaction, self._cipher, entry)
            count_use(transaction, rows.recipient, rows.bytes, at=entry.facts.at)
        return stopped or Committed()

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """Return the stored answer of a closed request id and record the repetition.

        The preconditions are checked again first. Returns a `Conflict` with REQ-05 if the id is
        open.
        """
        repeated = RepeatedAnswer.create(key, caller.channel, caller.certificate, at=at)

        def work(transaction: Transaction) -> Replay | Conflict | None:
            repeated_message = insert_replay_guard(transaction, caller.mark)
            answer = (
                self._replay(transaction, repeated)
                if repeated_message is None
                else Conflict((repeated_message,))
            )
            if not isinstance(answer, Replay):
                transaction.mark_rollback()
            return answer

        # A closed id never opens again. An open id therefore means that the first request is not
        # yet decided.
        return self._database.run_transaction(
            work,
            resolve_unknown_commit=lambda transaction: self._read_repetition(transaction, repeated),
        ) or Conflict((Reason(code=Code.REQ_05),))

    def _replay(
        self, transaction: Transaction, repeated: RepeatedAnswer
    ) -> Replay | Conflict | None:
        """Return the stored answer and record the repetition; return None if the id is open."""
        stored = find_stored_answer(transaction, self._cipher, repeated)
        if not isinstance(stored, StoredAnswer):
            return stored
        add_repetition(transaction, self._cipher, repeated, stored.disclosure_id, stored.decided_at)
        count_use(transaction, repeated.key.recipient, 0, at=repeated.at)
        return Replay(stored.answer)

    def _read_repetition(
        self, transaction: Transaction, repeated: RepeatedAnswer
    ) -> Replay | Conflict | None:
        """Return the answer of a repetition whose commit outcome is unknown.

        Returns None if it was not recorded.

        This reads the preconditions again, which locks the recipient's row. `_read_recorded`
        explains why that lock is needed.
        """
        if not is_recorded(transaction, repeated):
            return None
        stored = find_stored_answer(transaction, self._cipher, repeated)
        return Replay(stored.answer) if isinstance(stored, StoredAnswer) else stored

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """Store the replay guard of a message that records nothing else.

        Returns False if the message came before (REQ-09).
        """

        def work(transaction: Transaction) -> bool:
            return insert_replay_guard(transaction, mark) is None

        purge_replay_guards(self._database, mark, at=at)
        return self._database.run_transaction(work)

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """Count a request that records nothing else.

        Returns the number of such requests in this minute.
        """
        return self._database.run_transaction(
            lambda transaction: count_inquiry(transaction, recipient, at=at)
        )

    def _find_earlier(
        self, transaction: Transaction, entry: Entry, repeated: RepeatedAnswer
    ) -> Replay | Conflict | None:
        """Return the earlier result of this message or request id; None if both are new."""
        repeated_message = insert_replay_guard(transaction, entry.facts.caller.mark)
        if repeated_message is not None:
            return Conflict((repeated_message,))
        if not entry.decision.closes_request_id:
            return None
        return self._replay(transaction, repeated)

    def _find_conflict(
        self, transaction: Transaction, entry: Entry, rows: EntryRows
    ) -> Conflict | None:
        """Return the precondition that no longer holds or the limit that is reached.

        Returns None if there is none.
        """
        if entry.decision.has_preconditions:
            reasons = check_entry(transaction, self._cipher, entry)
            if reasons:
                return Conflict(reasons)
        # Scans of one day must not prevent a subject from revoking a consent. A revocation
        # therefore has twice the daily budget.
        revokes = isinstance(entry.decision, RevocationAcceptance)
        budget = 2 * self._budget if revokes else self._budget
        reason = use_evidence(transaction, entry, rows.evidence_bytes, budget=budget)
        if reason is None:
            reason = count_effects(transaction, self._cipher, entry)
        return Conflict((reason,)) if reason is not None else None


def _ends_recording(before: Replay | Conflict | None, entry: Entry) -> bool:
    """Return whether an earlier result ends the recording of this entry.

    A refusal discloses nothing. It is therefore recorded under a closed id too, and does not change
    the stored answer of that id. A message that came before (REQ-09) is never recorded again.
    """
    if before is None or isinstance(before, Replay):
        return before is not None
    is_replayed = any(reason.code is Code.REQ_09 for reason in before.reasons)
    return is_replayed or not isinstance(entry.decision, Refusal | Undetermined)


def _read_recorded(transaction: Transaction, rows: EntryRows) -> Recorded | None:
    """Return the result of an entry whose commit outcome is unknown; None if it was not recorded.

    A commit that was interrupted while it waited for a replica is visible at once, but exists on
    one copy only. So this locks the recipient's row. The lock is written, and the commit of this
    transaction waits for that replica (docs/decisions/0021-postgresql.md).
    """
    if not rows.is_recorded(transaction):
        return None
    check_recipient(transaction, rows.recipient)
    return Committed()

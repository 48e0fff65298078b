"""The stored answer of a closed request id, read again for a repetition of the request."""

from dataclasses import dataclass

from makul.app.ports import Conflict, Space
from makul.domain.reasons import Code, Reason
from makul.store.db.base import Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.answers import answer_with_receipt
from makul.store.records.closed_request import ClosedRequest, find_closed_request, given_by
from makul.store.records.entry_rows import answer_associated_data, key_values
from makul.store.records.preconditions import CallerChannel, check_recipient, check_replay
from makul.store.records.private_fields import open_private
from makul.store.records.repetitions import RepeatedAnswer

_REUSED = Reason(code=Code.REQ_04, field="requestId")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """The stored answer of a closed request id, and the decision that it belongs to."""

    answer: bytes
    disclosure_id: bytes
    decided_at: int


def find_stored_answer(
    transaction: Transaction, cipher: FieldCipher, repeated: RepeatedAnswer
) -> StoredAnswer | Conflict | None:
    """Return the answer of a closed request id, or the reason for not giving it.

    Returns None if the id is open.

    A different request digest is REQ-04. A deleted answer is REQ-04 too, because the id stays
    closed.
    """
    key = repeated.key
    closed = find_closed_request(transaction, key_values(key))
    if closed is None:
        return None
    if closed.sealed is None:
        return Conflict((_REUSED,))
    private = open_private(cipher, closed.disclosure_id, closed.sealed)
    differs = key.reused_by(private.known)
    if differs is not None:
        return Conflict((Reason(code=Code.REQ_04, field=differs),))
    reasons = _unmet_preconditions(transaction, cipher, repeated, closed)
    if reasons:
        return Conflict(reasons)
    answer, until = closed.answer, closed.answer_until
    if answer is None or until is None or until <= micros(repeated.at):
        return Conflict((_REUSED,))
    plain = cipher.decrypt(answer, answer_associated_data(key))
    return StoredAnswer(
        answer=answer_with_receipt(cipher, plain, private.receipt),
        disclosure_id=closed.disclosure_id,
        decided_at=closed.decided_at,
    )


def _unmet_preconditions(
    transaction: Transaction,
    cipher: FieldCipher,
    repeated: RepeatedAnswer,
    closed: ClosedRequest,
) -> tuple[Reason, ...]:
    """Return the preconditions that the stored answer no longer meets."""
    key = repeated.key
    if key.space is Space.REVOCATION:
        # The answer to a consent revocation releases nothing, so it is returned for every state of
        # the recipient. The recipient's row is still locked, because the rows read may exist on one
        # copy of the database only (see `_read_recorded` in `store.records.recorder`).
        check_recipient(transaction, key.recipient)
        return ()
    way = CallerChannel(channel=repeated.channel, certificate=repeated.certificate)
    return check_replay(transaction, cipher, key, given_by(closed), way, at=repeated.at)

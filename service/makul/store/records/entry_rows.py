"""Rows of an entry, encrypted before the transaction that writes them begins.

Other transactions wait while a transaction runs, so none of that time is spent on encryption.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select

from makul.app.ports import Entry, Release, RequestKey
from makul.domain.identifiers import MemberCode
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import dumps, micros, reasons_to_text
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.records.answers import answer_without_receipt
from makul.store.records.notification_rows import ADD_NOTIFICATION, notification_row
from makul.store.records.private_fields import encrypt_private, private_fields
from makul.store.records.request_messages import request_message_row
from makul.store.schema.ledger_tables import ledger_leaf, ledger_queue
from makul.store.schema.record_tables import disclosure, evidence, request_message
from makul.store.schema.usage_tables import request_key

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
_ADD_MESSAGE = insert(request_message)
_CLOSE_KEY = insert(request_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRows:
    """The rows of an entry."""

    disclosure: dict[str, object]
    leaf: dict[str, object]
    new_evidence: tuple[dict[str, object], ...]
    message: dict[str, object] | None
    """The row of the signed request; None if it is not kept."""
    key: dict[str, object] | None
    """The row that closes the request id; None if the id stays open."""
    notification: dict[str, object] | None
    """The notification to the subject, in the outbox; None if the decision names none."""
    recipient: MemberCode

    @classmethod
    def build(cls, database: Database, cipher: FieldCipher, entry: Entry) -> "EntryRows":
        """Build the encrypted rows of an entry.

        A document that is already stored is not encrypted again.
        """
        at = micros(entry.facts.at)
        disclosure_id = entry.disclosure_id.bytes
        return cls(
            new_evidence=_new_evidence(database, cipher, entry),
            message=request_message_row(cipher, entry),
            key=_closed_key(cipher, entry) if entry.decision.closes_request_id else None,
            disclosure=_disclosure_row(cipher, entry),
            leaf={
                "disclosure_id": disclosure_id,
                "leaf_hash": entry.leaf.hash,
                "recorded_at": at,
            },
            notification=notification_row(cipher, entry),
            recipient=entry.facts.caller.recipient,
        )

    @property
    def bytes(self) -> int:
        """The number of encrypted bytes that this entry adds to the store."""
        answer = self.key["answer"] if self.key is not None else None
        message = self.message["sealed"] if self.message is not None else None
        parts = (self.disclosure["sealed"], answer, message)
        return self.evidence_bytes + sum(len(part) for part in parts if isinstance(part, bytes))

    @property
    def evidence_bytes(self) -> int:
        """The number of encrypted bytes of the new evidence."""
        sealed = (piece["sealed"] for piece in self.new_evidence)
        return sum(len(piece) for piece in sealed if isinstance(piece, bytes))

    def close_key(self, transaction: Transaction) -> None:
        """Write the row that closes the request id, if the decision closes it."""
        if self.key is not None:
            transaction.execute(_CLOSE_KEY, self.key)

    def write(self, transaction: Transaction) -> None:
        """Write the decision, its leaf, its new evidence and its signed request."""
        transaction.execute(_ADD_DISCLOSURE, self.disclosure)
        transaction.execute(_ADD_LEAF, self.leaf)
        transaction.execute(_QUEUE_LEAF, self.leaf)
        if self.notification is not None:
            transaction.execute(ADD_NOTIFICATION, self.notification)
        for piece in self.new_evidence:
            if transaction.fetch_one(_EVIDENCE_KEPT, piece) is None:
                transaction.execute(_ADD_EVIDENCE, piece)
        if self.message is not None:
            transaction.execute(_ADD_MESSAGE, self.message)

    def is_recorded(self, transaction: Transaction) -> bool:
        """Return whether this very entry was recorded.

        The entry is found by its own leaf and never by its request id, which another request may
        have closed.
        """
        row = transaction.fetch_one(_LEAF_KEPT, self.leaf)
        return row is not None and bool(row[0] == self.leaf["leaf_hash"])


def key_values(key: RequestKey) -> dict[str, object]:
    """Return the columns by which the row of a request id is found."""
    return {
        "recipient": key.recipient,
        "space": key.space.value,
        "request_id": key.request_id.bytes,
    }


def answer_associated_data(key: RequestKey) -> bytes:
    """Return the associated data of a stored answer's encrypted bytes."""
    return field_associated_data(
        "request_key",
        "answer",
        key.recipient.encode(),
        key.space.value.encode(),
        key.request_id.bytes,
    )


def evidence_associated_data(recipient: str, digest: bytes) -> bytes:
    """Return the associated data of a document's encrypted bytes."""
    return field_associated_data("evidence", "sealed", recipient.encode(), digest)


def _new_evidence(
    database: Database, cipher: FieldCipher, entry: Entry
) -> tuple[dict[str, object], ...]:
    recipient, new = entry.facts.caller.recipient, []
    for piece in entry.decision.evidence:
        row = {"recipient": recipient, "digest": piece.digest}
        if database.fetch_one(_EVIDENCE_KEPT, row) is None:
            sealed = cipher.encrypt(
                piece.document, evidence_associated_data(recipient, piece.digest)
            )
            kept_at = micros(entry.facts.at)
            new.append({**row, "kind": piece.kind, "sealed": sealed, "kept_at": kept_at})
    return tuple(new)


def _closed_key(cipher: FieldCipher, entry: Entry) -> dict[str, object]:
    key = entry.key
    answer = answer_without_receipt(cipher, entry.answer, entry.receipt)
    return {
        **key_values(key),
        "disclosure_id": entry.disclosure_id.bytes,
        "answer": cipher.encrypt(answer, answer_associated_data(key)),
        "answer_until": micros(entry.keep_answer_until),
        "decided_at": micros(entry.facts.at),
    }


def _disclosure_row(cipher: FieldCipher, entry: Entry) -> dict[str, object]:
    decision, facts = entry.decision, entry.facts
    ground, subject = decision.ground, decision.subject
    release = decision if isinstance(decision, Release) else None
    disclosure_id = entry.disclosure_id.bytes
    return {
        "disclosure_id": disclosure_id,
        "recipient": facts.caller.recipient,
        "space": facts.space.value,
        "request_id": facts.request_id.bytes,
        "operation": facts.operation.value,
        "channel": facts.caller.channel.value,
        "certificate": facts.caller.certificate,
        "agreement_number": facts.agreement_number,
        "purpose": facts.purpose,
        "subject_index": cipher.index("pin", subject.digits) if subject is not None else None,
        "outcome": decision.outcome.value,
        "reasons": reasons_to_text(decision.reasons),
        "released": dumps(sorted(release.released) if release is not None else []),
        "ground_kind": ground.kind.value if ground is not None else None,
        "ground_id": ground.id.bytes if ground is not None else None,
        "ground_digest": ground.digest if ground is not None else None,
        "decided_at": micros(facts.at),
        "sealed": encrypt_private(cipher, disclosure_id, private_fields(entry)),
        "sealed_to": release.sealed_to if release is not None else None,
    }

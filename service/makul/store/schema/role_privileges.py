"""Privileges of each duty on each table: what its work needs, and nothing more.

A test performs the work of each duty under a separate role. It compares the privileges that the
statements needed with those listed here. So it finds a surplus privilege as well as a missing one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from makul.app.ports import Duty

VERSION_TABLE = "alembic_version"
"""The table of Alembic. Every process that opens a store reads the schema version from it."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A privilege in the form of PostgreSQL."""

    table: str
    verb: str
    """`SELECT`, `INSERT`, `UPDATE` or `DELETE`; or a privilege that is granted to no role."""
    column: str = ""
    """The column of an `UPDATE`, which is granted only by column."""

    def __str__(self) -> str:
        return f"{self.verb} {self.table}{f'.{self.column}' if self.column else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The tables that a duty uses, by kind of use."""

    reads: tuple[str, ...]
    adds: tuple[str, ...]
    changes: Mapping[str, tuple[str, ...]]
    """Columns that are updated. For a row that is only locked, one column is enough."""
    forgets: tuple[str, ...]

    def rights(self) -> Iterator[Right]:
        yield from (Right(table, "SELECT") for table in self.reads)
        yield from (Right(table, "INSERT") for table in self.adds)
        yield from (Right(table, "DELETE") for table in self.forgets)
        for table, columns in self.changes.items():
            yield from (Right(table, "UPDATE", column) for column in columns)


_OPENING = (VERSION_TABLE, "store_identity")
_LOG = ("checkpoint", "cosignature", "ledger_head", "ledger_position", "ledger_tile")
_REGISTER = (
    "agreement",
    "agreement_draft",
    "agreement_signature",
    "certificate",
    "notice_approval",
    "notice_text",
    "official",
    "official_withdrawal",
    "person",
    "person_sample",
    "recipient",
    "sealing_certificate",
    "signatory",
)
_RECORD = ("disclosure", "evidence", "ledger_leaf", "ledger_queue", "request_key", "revocation")
_METERS = (
    *("attempt", "daily_use", "evidence_use", "ground_use", "paper_use"),
    *("recipient_use", "seen_message"),
)

_MONTHS = ("contested_answer", "contested_line", "month_document", "monthly_statement")
_CASES = ("oversight_case", "oversight_case_step")
_CORRECTIONS = ("correction", "correction_recall")
_SECRECY = ("deletion_attestation", "incident", "undertaking", "undertaking_end")

_SERVING = _Work(
    reads=(
        *(*_OPENING, *_REGISTER, *_RECORD, *_METERS, *_LOG, *_MONTHS, *_CORRECTIONS),
        *("act", "act_answer", "consent_giver", "dictionary", "gate", "matching_lock"),
        *("notification", *_CASES, *_SECRECY),
    ),
    adds=(
        *(*_RECORD, *_METERS, "consent_giver", "dictionary", "gate", "repetition"),
        *("act", "act_answer", "contested_line", "month_document", "notification"),
        *("correction", "request_message", *_CASES, *_SECRECY),
    ),
    changes={
        "agreement": ("to_lock_by",),
        "certificate": ("to_lock_by",),
        "correction_recall": ("acknowledged_at",),
        "daily_use": ("used",),
        "evidence_use": ("bytes",),
        "gate": ("kind",),
        "ground_use": ("used", "registered_at"),
        "monthly_statement": ("state", "confirmation", "changed_at"),
        "paper_use": ("used",),
        "recipient": ("to_lock_by",),
        "recipient_use": ("requests", "bytes"),
        "request_key": ("answer", "answer_until"),
        "sealing_certificate": ("to_lock_by",),
    },
    forgets=("attempt", "gate", "recipient_use", "seen_message"),
)
"""The work of serving.

It changes nothing in the registry except the state of a month, when a recipient confirms or
contests it; that is an act. It deletes only in housekeeping.
"""

_OVERSEEING = _Work(
    reads=(
        *(*_OPENING, "checkpoint", "cosignature", "ledger_head", "ledger_leaf", "ledger_queue"),
        *("agreement", "officer", "recipient", "reinstatement_proposal", "termination_proposal"),
        *("agreement_draft", "agreement_signature", "desk_document"),
        *("notice_approval", "notice_text"),
        *("act", "act_answer", "gate"),
        *("disclosure", "recipient_use", "repetition", "seen_message"),
        *(*_MONTHS, *_CASES, *_CORRECTIONS, "signatory"),
    ),
    adds=(
        *("act", "act_answer", "gate", "month_document"),
        *("reinstatement_proposal", "termination_proposal"),
        *("agreement_signature", "desk_document", "notice_approval", *_CASES),
        *("ledger_leaf", "ledger_queue", "recipient_use", "seen_message"),
    ),
    changes={
        "agreement": ("state", "changed_at"),
        "correction": ("state", "changed_at", "acknowledge_by"),
        "gate": ("kind",),
        "monthly_statement": ("state", "closing", "changed_at"),
        "oversight_case": ("state", "changed_at"),
        "recipient": ("state", "changed_at"),
        "recipient_use": ("requests", "bytes"),
    },
    forgets=("gate", "seen_message"),
)
"""The work of the oversight port.

It changes the state of recipients, agreements, months and cases, each time with an act. It reads no
person.
"""

_SUBJECT = _Work(
    reads=(
        *(*_OPENING, "checkpoint", "cosignature", "ledger_head", "ledger_leaf", "ledger_queue"),
        *("agreement", "recipient"),
        *("act", "act_answer", "dictionary", "gate"),
        *("consent_giver", "disclosure", "evidence", "ground_use", "repetition", "revocation"),
        *("matching_lock", "recipient_use", "seen_message"),
        *("month_question", "notification_link", "subject_answer", *_CASES, "correction"),
    ),
    adds=(
        *("act", "act_answer", "gate"),
        *("ledger_leaf", "ledger_queue", "recipient_use", "seen_message"),
        *("evidence", "matching_lock", "revocation", "subject_answer", *_CASES, "correction"),
    ),
    changes={
        "gate": ("kind",),
        "matching_lock": ("state", "document", "changed_at"),
        "recipient": ("to_lock_by",),
        "recipient_use": ("requests", "bytes"),
    },
    forgets=("gate", "seen_message"),
)
"""The work of the subject port.

It reads decisions and their grounds, and no value of a person. It changes only what a citizen may
change: it revokes consents, and locks and unlocks matching. A report proposes a case; it changes
none.
"""

_DESK = _Work(
    reads=(
        *(*_OPENING, *_REGISTER, *_RECORD, *_LOG, "act", "consent_giver"),
        *("attempt", "daily_use", "ground_use", "paper_use"),
        *("desk_document", "dictionary", "gate", "ledger_lost", "repetition", "request_message"),
        *(*_MONTHS, *_CASES, *_CORRECTIONS, "matching_lock", "officer"),
        *("reinstatement_proposal", "termination_proposal"),
        *("month_question", "notification", "subject_answer", *_SECRECY),
    ),
    adds=(
        *("contested_answer", "correction_recall", "month_document", "monthly_statement"),
        *_CASES,
        *(*_REGISTER, "act", "desk_document", "desk_log", "gate", "officer", "revocation"),
        *("ledger_leaf", "ledger_queue", "month_question", "notification"),
    ),
    changes={
        "agreement": ("state", "valid_from", "valid_to", "terms", "changed_at"),
        "certificate": ("withdrawn_at",),
        "correction": (
            *("state", "changed_at", "acknowledge_by"),
            *("entered_at", "wrong_since", "sealed"),
        ),
        "gate": ("kind",),
        "ground_use": ("revoked_at",),
        "notification": ("next_at",),
        "officer": ("withdrawn_at",),
        "oversight_case": ("evidence", "evidence_bytes", "evidence_parts", "changed_at"),
        "recipient": ("name", "state", "changed_at"),
        "sealing_certificate": ("withdrawn_at",),
        "signatory": ("withdrawn_at",),
    },
    forgets=("gate",),
)
"""The operator's work.

It reads the record and the ledger, also to verify one against the other. In both it writes only
acts, each with its leaf and the leaf's entry in the queue.
"""

_SEQUENCING = _Work(
    reads=(*_OPENING, *_LOG, "ledger_leaf", "ledger_queue"),
    adds=("checkpoint", "cosignature", "desk_log", "ledger_lost", "ledger_position", "ledger_tile"),
    changes={
        "ledger_head": ("size", "root", "holder", "held_until"),
        "ledger_tile": ("hashes",),
    },
    forgets=("ledger_queue",),
)
"""The sequencer's work.

It reads hashes, and no decision, person or recipient. It writes to the operator's log because
`makul ledger recover` is logged.
"""

_NOTIFYING = _Work(
    reads=(*_OPENING, "notification", "notification_link", "recipient"),
    adds=("notification_link",),
    changes={"notification": ("next_at", "attempts", "delivered_at", "sealed")},
    forgets=("notification_link",),
)
"""The work of the sender of notifications.

It reads the outbox and the names of recipients, and no decision, person or document.
"""

RIGHTS: Mapping[Duty, frozenset[Right]] = MappingProxyType(
    {
        Duty.SERVING: frozenset(_SERVING.rights()),
        Duty.OVERSIGHT: frozenset(_OVERSEEING.rights()),
        Duty.SUBJECT: frozenset(_SUBJECT.rights()),
        Duty.DESK: frozenset(_DESK.rights()),
        Duty.SEQUENCING: frozenset(_SEQUENCING.rights()),
        Duty.NOTIFYING: frozenset(_NOTIFYING.rights()),
    }
)

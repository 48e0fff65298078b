"""What each duty may do with each table: what its work takes, and nothing more.

Tests play each duty's work under a role of its own, and hold what was asked of the server against
these rights: one too many is found as well as one too few.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from makul.app.ports import Duty

VERSION_TABLE = "alembic_version"
"""Alembic's own table. Which version a store is of, everybody asks who opens it."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A right as PostgreSQL has it."""

    table: str
    verb: str
    """`SELECT`, `INSERT`, `UPDATE`, `DELETE`; or one that nobody is granted."""
    column: str = ""
    """Of an `UPDATE`, which is granted by column alone."""

    def __str__(self) -> str:
        return f"{self.verb} {self.table}{f'.{self.column}' if self.column else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Tables by what is done with them."""

    reads: tuple[str, ...]
    adds: tuple[str, ...]
    changes: Mapping[str, tuple[str, ...]]
    """Columns that are changed where they stand; of a row that is only locked, any one."""
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

_SERVING = _Work(
    reads=(*_OPENING, *_REGISTER, *_RECORD, *_METERS, *_LOG, "consent_giver", "dictionary", "gate"),
    adds=(*_RECORD, *_METERS, "consent_giver", "dictionary", "gate", "repetition"),
    changes={
        "agreement": ("to_lock_by",),
        "certificate": ("to_lock_by",),
        "daily_use": ("used",),
        "evidence_use": ("bytes",),
        "gate": ("kind",),
        "ground_use": ("used", "registered_at"),
        "paper_use": ("used",),
        "recipient": ("to_lock_by",),
        "recipient_use": ("requests", "bytes"),
        "request_key": ("answer", "answer_until"),
        "sealing_certificate": ("to_lock_by",),
    },
    forgets=("attempt", "gate", "recipient_use", "seen_message"),
)
"""Nothing of the register is changed or added to. What is forgotten is what housekeeping does."""

_DESK = _Work(
    reads=(
        *(*_OPENING, *_REGISTER, *_RECORD, *_LOG, "act", "consent_giver"),
        *("attempt", "daily_use", "ground_use", "paper_use"),
        *("desk_document", "dictionary", "gate", "ledger_lost", "repetition"),
    ),
    adds=(
        *(*_REGISTER, "act", "desk_document", "desk_log", "gate", "revocation"),
        *("ledger_leaf", "ledger_queue"),
    ),
    changes={
        "agreement": ("state", "valid_from", "valid_to", "terms", "changed_at"),
        "certificate": ("withdrawn_at",),
        "gate": ("kind",),
        "ground_use": ("revoked_at",),
        "recipient": ("state", "changed_at"),
        "sealing_certificate": ("withdrawn_at",),
        "signatory": ("withdrawn_at",),
    },
    forgets=("gate",),
)
"""The record and the log are read, also to hold one against the other. Of both, acts alone are
written, each with its leaf and the leaf's place in the queue."""

_SEQUENCING = _Work(
    reads=(*_OPENING, *_LOG, "ledger_leaf", "ledger_queue"),
    adds=("checkpoint", "cosignature", "desk_log", "ledger_lost", "ledger_position", "ledger_tile"),
    changes={
        "ledger_head": ("size", "root", "holder", "held_until"),
        "ledger_tile": ("hashes",),
    },
    forgets=("ledger_queue",),
)
"""Hashes are read, and no decision, person or recipient. `makul ledger recover` is logged."""

RIGHTS: Mapping[Duty, frozenset[Right]] = MappingProxyType(
    {
        Duty.SERVING: frozenset(_SERVING.rights()),
        Duty.DESK: frozenset(_DESK.rights()),
        Duty.SEQUENCING: frozenset(_SEQUENCING.rights()),
    }
)

"""Repetitions: each return of a stored answer is a record with its own leaf (invariant 1).

A repeated request gets the stored answer. The recipient, the time and the channel are recorded in
the transaction that returns the answer. Personal data therefore never leave twice under one record.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple
from uuid import UUID

import uuid_utils
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.sql.elements import ColumnElement

from makul.app.ports import Asker, RepetitionRow, RequestKey
from makul.domain.agreements import Channel
from makul.domain.disclosures import Operation
from makul.domain.identifiers import MemberCode
from makul.language.translation import translate
from makul.ledger.leaf import SALT_BYTES, commit
from makul.ledger.leaf_statement import write_repetition
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import CodecError, instant, micros, only, pack, unpack
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.ledger_tables import ledger_leaf, ledger_queue
from makul.store.schema.record_tables import disclosure, repetition

MAX_ROWS = 10_000
"""Maximum number of repetitions listed at once. Each is decrypted, at about 10 µs a row."""

FORMAT = 1
_PARTS = 3

_ADD = insert(repetition)
_ADD_LEAF = insert(ledger_leaf)
_QUEUE_LEAF = insert(ledger_queue)
_LEAF_KEPT = select(ledger_leaf.c.disclosure_id).where(
    ledger_leaf.c.disclosure_id == bindparam("repetition_id")
)
_LISTED = select(
    repetition.c.repetition_id,
    repetition.c.disclosure_id,
    repetition.c.recipient,
    repetition.c.request_id,
    disclosure.c.operation,
    repetition.c.channel,
    repetition.c.certificate,
    repetition.c.repeated_at,
    repetition.c.sealed,
    ledger_leaf.c.leaf_hash,
).select_from(
    repetition.join(ledger_leaf, ledger_leaf.c.disclosure_id == repetition.c.repetition_id).join(
        disclosure,
        (disclosure.c.disclosure_id == repetition.c.disclosure_id)
        & (disclosure.c.decided_at == repetition.c.decided_at),
    )
)


class _ListedRow(NamedTuple):
    repetition_id: bytes
    disclosure_id: bytes
    recipient: str
    request_id: bytes
    operation: str
    channel: str
    certificate: bytes | None
    repeated_at: int
    sealed: bytes
    leaf_hash: bytes


_read_row = build_row_reader(_LISTED, _ListedRow)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "recipient": repetition.c.recipient == bindparam("recipient"),
    "since": repetition.c.repeated_at >= bindparam("since"),
    "disclosure_id": repetition.c.disclosure_id == bindparam("disclosure_id"),
}
_LISTINGS = {
    wanted: _LISTED.where(
        *(
            condition
            for condition, is_wanted in zip(_CONDITIONS.values(), wanted, strict=True)
            if is_wanted
        )
    )
    .order_by(repetition.c.repeated_at.desc(), repetition.c.repetition_id.desc())
    .limit(bindparam("limit"))
    for wanted in product((False, True), repeat=len(_CONDITIONS))
}
_ALIKE = (
    repetition.c.recipient,
    disclosure.c.purpose,
    disclosure.c.outcome,
    disclosure.c.ground_kind,
)
MONTH_REPETITIONS = (
    select(*_ALIKE, func.count())
    .select_from(
        repetition.join(
            disclosure,
            (disclosure.c.disclosure_id == repetition.c.disclosure_id)
            & (disclosure.c.decided_at == repetition.c.decided_at),
        )
    )
    .where(
        repetition.c.repeated_at >= bindparam("begins"),
        repetition.c.repeated_at < bindparam("ends"),
    )
    .group_by(*_ALIKE)
)
"""Counts the repetitions of a month in the groups of its decisions (Procedure, cl. 11)."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RepetitionSecret:
    """The personal data of a repetition, and the salt and statement that its leaf commits to."""

    asker: Asker
    request_digest: bytes
    leaf_salt: bytes
    leaf_statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedAnswer:
    """A repetition that is about to be recorded. Its id and salt are fixed before the transaction.

    A transaction that is retried after a lost race therefore writes the same row.
    """

    repetition_id: UUID
    salt: bytes
    key: RequestKey
    channel: Channel
    certificate: bytes | None
    at: datetime

    @classmethod
    def create(
        cls, key: RequestKey, channel: Channel, certificate: bytes | None, *, at: datetime
    ) -> "RepeatedAnswer":
        """Return a repetition with a new id (UUIDv7, so that rows are added in order)."""
        return cls(
            repetition_id=UUID(bytes=uuid_utils.uuid7().bytes),
            salt=secrets.token_bytes(SALT_BYTES),
            key=key,
            channel=channel,
            certificate=certificate,
            at=at,
        )


def add_repetition(
    transaction: Transaction,
    cipher: FieldCipher,
    repeated: RepeatedAnswer,
    disclosure_id: bytes,
    decided_at: int,
) -> None:
    """Record, with its own leaf, that the answer to a decision is given again."""
    key, at = repeated.key, micros(repeated.at)
    repetition_id = repeated.repetition_id.bytes
    row = {
        "repetition_id": repetition_id,
        "recipient": key.recipient,
        "space": key.space.value,
        "request_id": key.request_id.bytes,
        "disclosure_id": disclosure_id,
        "decided_at": decided_at,
        "channel": repeated.channel.value,
        "certificate": repeated.certificate,
        "repeated_at": at,
    }
    secret = RepetitionSecret(
        asker=key.asker, request_digest=key.digest, leaf_salt=repeated.salt, leaf_statement=b""
    )
    statement = write_repetition(repetition_facts(row, secret))
    header = {
        "v": FORMAT,
        "subsystem": key.asker.subsystem,
        "employee": key.asker.employee,
        "case": key.asker.case_number,
    }
    packed = pack(header, [key.digest, repeated.salt, statement])
    transaction.execute(
        _ADD, {**row, "sealed": cipher.encrypt(packed, _associated_data(repetition_id))}
    )
    leaf_hash = commit(repeated.salt, statement)
    leaf = {"disclosure_id": repetition_id, "leaf_hash": leaf_hash, "recorded_at": at}
    transaction.execute(_ADD_LEAF, leaf)
    transaction.execute(_QUEUE_LEAF, leaf)


def is_recorded(transaction: Transaction, repeated: RepeatedAnswer) -> bool:
    """Return whether this repetition was committed. Used after a commit of unknown outcome."""
    values = {"repetition_id": repeated.repetition_id.bytes}
    return transaction.fetch_one(_LEAF_KEPT, values) is not None


def open_repetition(cipher: FieldCipher, repetition_id: bytes, sealed: bytes) -> RepetitionSecret:
    """Decrypt the secret part of a repetition; raises `FieldDecryptionError` or `CodecError`."""
    header, parts = unpack(cipher.decrypt(sealed, _associated_data(repetition_id)))
    only(header, "v", "subsystem", "employee", "case")
    texts = [header[name] for name in ("subsystem", "employee", "case")]
    if header["v"] != FORMAT or len(parts) != _PARTS:
        raise CodecError(translate("a repetition has an unknown format"))
    if any(text is not None and not isinstance(text, str) for text in texts):
        raise CodecError(translate("a repetition has an unknown format"))
    subsystem, employee, case_number = (None if text is None else str(text) for text in texts)
    return RepetitionSecret(
        asker=Asker(subsystem=subsystem, employee=employee, case_number=case_number),
        request_digest=parts[0],
        leaf_salt=parts[1],
        leaf_statement=parts[2],
    )


def repetition_facts(row: Mapping[str, object], secret: RepetitionSecret) -> dict[str, object]:
    """Return the facts that a repetition's leaf commits to: every column, and the asker."""
    return {
        "repetitionId": _uuid(row["repetition_id"]),
        "disclosureId": _uuid(row["disclosure_id"]),
        "decidedAt": row["decided_at"],
        "recipient": row["recipient"],
        "space": row["space"],
        "requestId": _uuid(row["request_id"]),
        "requestDigest": secret.request_digest.hex(),
        "channel": row["channel"],
        "certificate": _hex(row["certificate"]),
        "subsystem": secret.asker.subsystem,
        "employee": secret.asker.employee,
        "case": secret.asker.case_number,
        "repeatedAt": row["repeated_at"],
    }


def list_repetitions(
    database: Database,
    cipher: FieldCipher,
    *,
    recipient: MemberCode | None = None,
    since: datetime | None = None,
    disclosure_id: UUID | None = None,
    limit: int,
) -> Sequence[RepetitionRow]:
    """Return repetitions, latest first, at most `limit` and at most `MAX_ROWS`."""
    wanted = (recipient is not None, since is not None, disclosure_id is not None)
    values = {
        "recipient": recipient,
        "since": micros(since) if since is not None else None,
        "disclosure_id": disclosure_id.bytes if disclosure_id is not None else None,
        "limit": max(0, min(limit, MAX_ROWS)),
    }
    return [
        _repetition_from_row(cipher, row) for row in database.fetch_all(_LISTINGS[wanted], values)
    ]


def _repetition_from_row(cipher: FieldCipher, row: Row) -> RepetitionRow:
    read = _read_row(row)
    secret = open_repetition(cipher, read.repetition_id, read.sealed)
    try:
        return RepetitionRow(
            repetition_id=UUID(bytes=read.repetition_id),
            disclosure_id=UUID(bytes=read.disclosure_id),
            recipient=MemberCode(read.recipient),
            request_id=UUID(bytes=read.request_id),
            operation=Operation(read.operation),
            channel=Channel(read.channel),
            certificate=read.certificate,
            asker=secret.asker,
            repeated_at=instant(read.repeated_at),
            leaf_hash=read.leaf_hash,
        )
    except ValueError:
        raise CodecError(translate("a repetition does not read back")) from None


def _uuid(value: object) -> str | None:
    return str(UUID(bytes=value)) if isinstance(value, bytes) and len(value) == 16 else None


def _hex(value: object) -> str | None:
    return value.hex() if isinstance(value, bytes) else None


def _associated_data(repetition_id: bytes) -> bytes:
    return field_associated_data("repetition", "sealed", repetition_id)

"""Verify a decision's row against the statement that its leaf commits to, column by column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.domain.disclosures import AFTER_COMPARISON
from makul.language.translation import translate
from makul.ledger.leaf import SALT_BYTES, commit
from makul.ledger.leaf_statement import NOT_IN_1, ONLY_HERE, read_statement
from makul.store.db.base import Database, Row
from makul.store.db.codecs import CodecError, instant, micros, names_from_text, reasons_from_text
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.log.effects_check import read_effects
from makul.store.log.expectations import Expectations
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import PrivateFields, open_private
from makul.store.schema.ledger_tables import ledger_leaf
from makul.store.schema.record_tables import disclosure, evidence
from makul.store.schema.usage_tables import request_key

Facts = Mapping[str, object]

COLUMNS = (
    disclosure.c.disclosure_id,
    ledger_leaf.c.leaf_hash,
    ledger_leaf.c.recorded_at,
    request_key.c.disclosure_id.label("closed_by"),
    request_key.c.decided_at.label("closed_at"),
    request_key.c.answer_until,
    disclosure.c.recipient,
    disclosure.c.space,
    disclosure.c.request_id,
    disclosure.c.operation,
    disclosure.c.channel,
    disclosure.c.certificate,
    disclosure.c.agreement_number,
    disclosure.c.purpose,
    disclosure.c.subject_index,
    disclosure.c.outcome,
    disclosure.c.reasons,
    disclosure.c.released,
    disclosure.c.ground_kind,
    disclosure.c.ground_id,
    disclosure.c.ground_digest,
    disclosure.c.decided_at,
    disclosure.c.sealed,
    disclosure.c.sealed_to,
)
"""The columns from which a record is read; `Record.of` takes a row of these."""

UUID_BYTES = 16

_NOT_THIS_TYPE = "of another type"
"""The marker for a value of a type that no decision has. NULL would pass for a missing value."""

_EARLIER_ANSWERS = timedelta(hours=24)
"""The time for which answers were stored when statements (formats 1 and 2) did not name it."""

_PIECE = select(evidence.c.kind, evidence.c.sealed, evidence.c.kept_at).where(
    evidence.c.recipient == bindparam("recipient"), evidence.c.digest == bindparam("digest")
)
_AT_THAT_MOMENT = select(disclosure.c.disclosure_id, disclosure.c.sealed).where(
    disclosure.c.recipient == bindparam("recipient"), disclosure.c.decided_at == bindparam("at")
)
_OF_THAT_REQUEST = select(disclosure.c.disclosure_id).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id"),
    disclosure.c.decided_at == bindparam("decided_at"),
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.space == bindparam("space"),
    disclosure.c.request_id == bindparam("request_id"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as the tables store it, with its leaf."""

    columns: Mapping[str, object]
    """Values by column name. `leaf_hash` and `recorded_at` belong to the leaf; `closed_by`,
    `closed_at` and `answer_until` to the request id; all others to the decision."""

    @classmethod
    def of(cls, row: Row) -> "Record":
        """Return the record in a row of `COLUMNS`."""
        return cls(dict(zip((column.name for column in COLUMNS), row, strict=True)))

    def read_bytes_column(self, name: str) -> bytes:
        """Return a column of bytes that is never NULL; raises `CodecError`."""
        value = self.columns[name]
        if not isinstance(value, bytes):
            raise CodecError(translate("{name} is not of the type that it must be", name=name))
        return value


class RecordChecker:
    """Verifies records. Raises `StoreUnavailableError`."""

    def __init__(self, database: Database, cipher: FieldCipher, expectations: Expectations) -> None:
        self._database = database
        self._cipher = cipher
        self._expectations = expectations

    def find_row_mismatch(self, row: Row) -> tuple[str, str] | None:
        """Verify a row of `COLUMNS` against its leaf.

        The effects that a matching decision states are added to the expectations.
        """
        try:
            return self.find_mismatch(Record.of(row))
        except CodecError as error:
            return "disclosure", str(error)

    def find_mismatch(self, record: Record) -> tuple[str, str] | None:
        """Return the first mismatch as its table and a text; None if everything matches."""
        return next(self._mismatches(record), None)

    def _mismatches(self, record: Record) -> Iterator[tuple[str, str]]:
        disclosure_id = record.read_bytes_column("disclosure_id")
        try:
            private = open_private(self._cipher, disclosure_id, record.read_bytes_column("sealed"))
            stated = read_statement(private.leaf_statement)
        except FieldDecryptionError:
            yield (
                "disclosure",
                translate("its encrypted part does not decrypt: it was altered or moved"),
            )
            return
        except (CodecError, ValueError):
            yield "disclosure", translate("its encrypted part cannot be read")
            return
        salted = len(private.leaf_salt) == SALT_BYTES
        if (
            not salted
            or commit(private.leaf_salt, private.leaf_statement) != record.columns["leaf_hash"]
        ):
            yield "ledger_leaf", translate("the leaf is not that of the decision's statement")
        if record.columns["recorded_at"] != record.columns["decided_at"]:
            yield "ledger_leaf", translate("recorded_at is not the decision's moment")
        for name in _differing_facts(stated, self._expected_facts(record, private)):
            yield "disclosure", _not_committed(name)
        # The blind index has a column of its own: a decision about no person has none.
        subject = private.subject
        index = self._cipher.index("pin", subject.digits) if subject is not None else None
        if record.columns["subject_index"] != index:
            yield "disclosure", _not_committed("subject_index")
        yield from self._evidence(record, private, stated)
        yield from self._request_id(record, stated)
        for effect in read_effects(self._cipher, stated):
            self._expectations.add_effect(*effect)

    def _expected_facts(self, record: Record, private: PrivateFields) -> Facts:
        """Return the facts that the columns and the encrypted part state."""
        row, subject = record.columns, private.subject
        ground = [row["ground_kind"], _uuid(row["ground_id"]), _hex(row["ground_digest"])]
        return {
            "disclosureId": _uuid(row["disclosure_id"]),
            "requestId": _uuid(row["request_id"]),
            "requestDigest": private.request_digest.hex(),
            "space": row["space"],
            "operation": row["operation"],
            "recipient": row["recipient"],
            "agreement": row["agreement_number"],
            "purpose": row["purpose"],
            "subject": subject.digits if subject is not None else None,
            "channel": row["channel"],
            "certificate": _hex(row["certificate"]),
            "subsystem": private.asker.subsystem,
            "employee": private.asker.employee,
            "case": private.asker.case_number,
            "outcome": row["outcome"],
            "reasons": _reasons(row["reasons"]),
            "released": list(names_from_text(str(row["released"]))),
            "sealedTo": _hex(row["sealed_to"]),
            "ground": ground if any(each is not None for each in ground) else None,
            "decidedAt": _instant(row["decided_at"]),
        }

    def _evidence(
        self, record: Record, private: PrivateFields, stated: Facts
    ) -> Iterator[tuple[str, str]]:
        """Verify that each document of the decision exists, unaltered and with its report."""
        judged = [[digest.hex(), sha256(report).hexdigest()] for digest, report in private.reports]
        named = stated.get("evidence")
        if isinstance(named, list) and [each[1:] for each in named] != judged:
            yield "disclosure", translate("its reports are not those that the leaf commits to")
            return
        for digest, _ in private.reports:
            yield from self._piece(record, private, stated, digest)

    def _piece(
        self, record: Record, private: PrivateFields, stated: Facts, digest: bytes
    ) -> Iterator[tuple[str, str]]:
        recipient, name = str(record.columns["recipient"]), digest.hex()
        row = self._database.fetch_one(_PIECE, {"recipient": recipient, "digest": digest})
        if row is None:
            yield "evidence", translate("the document {digest} is not there", digest=name)
            return
        kind, sealed, kept_at = row
        try:
            document = self._cipher.decrypt(sealed, evidence_associated_data(recipient, digest))
        except FieldDecryptionError:
            yield (
                "evidence",
                translate(
                    "the document {digest} does not decrypt: it was altered or moved", digest=name
                ),
            )
            return
        if sha256(document).digest() != digest:
            yield "evidence", translate("the document {digest} is another one", digest=name)
        here = kept_at == record.columns["decided_at"] and _names(private, stated, digest, kind)
        if not here and not self._is_stored_by_another(recipient, digest, kind, kept_at):
            yield (
                "evidence",
                translate("no decision kept the document {digest} then, as that kind", digest=name),
            )

    def _is_stored_by_another(self, recipient: str, digest: bytes, kind: str, kept_at: int) -> bool:
        """Return whether another decision stored the document at that moment, as that kind.

        A document is stored once, by the first decision that uses it.
        """
        for disclosure_id, sealed in self._database.fetch_all(
            _AT_THAT_MOMENT, {"recipient": recipient, "at": kept_at}
        ):
            try:
                private = open_private(self._cipher, disclosure_id, sealed)
                stated = read_statement(private.leaf_statement)
            except (FieldDecryptionError, CodecError, ValueError):
                continue  # the check of that decision itself reports it
            if _names(private, stated, digest, kind):
                return True
        return False

    def _request_id(self, record: Record, stated: Facts) -> Iterator[tuple[str, str]]:
        """Verify that a closed request id has its row in `request_key`.

        It must name this decision, or another one for the same request.
        """
        closed_by, own = record.columns["closed_by"], record.columns["disclosure_id"]
        closed_at = record.columns["closed_at"]
        if not stated.get("closes", record.columns["outcome"] in AFTER_COMPARISON):
            if closed_by == own and "closes" in stated:
                yield (
                    "request_key",
                    translate("the request id was closed by a decision that closes none"),
                )
            return
        if closed_by is None:
            yield "request_key", translate("the closed request id is not there")
        elif closed_by != own:
            names = ("recipient", "space", "request_id")
            request = {name: record.columns[name] for name in names}
            other = {**request, "disclosure_id": closed_by, "decided_at": closed_at}
            discloses = record.columns["outcome"] in AFTER_COMPARISON
            if discloses or self._database.fetch_one(_OF_THAT_REQUEST, other) is None:
                yield "request_key", translate("the request id was closed by another decision")
        elif closed_at != record.columns["decided_at"]:
            yield "request_key", translate("the request id was closed at another moment")
        elif not _is_kept_until(record.columns["answer_until"], stated):
            yield "request_key", _not_committed("answer_until")


def _not_committed(name: str) -> str:
    return translate("{name} is not what the leaf commits to", name=name)


def _differing_facts(stated: Facts, expected: Facts) -> Iterator[str]:
    """Yield the names of facts that differ, or that only one side has."""
    if stated["format"] == 1:
        expected = {name: value for name, value in expected.items() if name not in NOT_IN_1}
        expected = {**expected, "reasons": _remove_retry(expected["reasons"])}
    checked_elsewhere = ONLY_HERE | {"closes", "evidence", "effects"}
    for name in sorted((stated.keys() | expected.keys()) - checked_elsewhere):
        if name not in stated or name not in expected or stated[name] != expected[name]:
            yield name


def _names(private: PrivateFields, stated: Facts, digest: bytes, kind: str) -> bool:
    """Return whether a decision states that it was judged on this document, of this kind."""
    named = stated.get("evidence")
    if isinstance(named, list):
        return [kind, digest.hex()] in [each[:2] for each in named]
    return digest in {each for each, _ in private.reports}  # format 1 stated no kinds


def _reasons(text: object) -> object:
    """Return reasons as a statement has them; anything else differs from every statement."""
    try:
        return [list(reason) for reason in reasons_from_text(str(text))]
    except CodecError:
        return None


def _remove_retry(reasons: object) -> object:
    return [each[:3] for each in reasons] if isinstance(reasons, list) else reasons


def _is_kept_until(until: object, stated: Facts) -> bool:
    """Return whether a stored answer was deleted, or is kept no longer than the decision states."""
    if until is None:
        return True
    effects, decided_at = stated.get("effects"), datetime.fromisoformat(str(stated["decidedAt"]))
    if not isinstance(effects, dict):
        return until == micros(decided_at + _EARLIER_ANSWERS)
    answer_until = effects.get("answerUntil")
    return isinstance(answer_until, str) and until == micros(datetime.fromisoformat(answer_until))


def _uuid(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) != UUID_BYTES:
        return _NOT_THIS_TYPE
    return str(UUID(bytes=value))


def _hex(value: object) -> str | None:
    if value is None:
        return None
    return value.hex() if isinstance(value, bytes) else _NOT_THIS_TYPE


def _instant(value: object) -> str | None:
    try:
        return instant(value).isoformat() if isinstance(value, int) else None
    except OverflowError:
        return None

"""The record about one subject, as the subject port reads it: no value of a person."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from itertools import product
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    bindparam,
    func,
    select,
    tuple_,
)

from makul.app.ports import MessageMark, UsageStatement
from makul.app.ports.subject import (
    ConsentPosition,
    DecisionSelection,
    HeldConsentRow,
    OwnConsent,
    PagePosition,
    Repetitions,
    SubjectDecision,
)
from makul.domain.agreements import Agreement, Channel
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.recipients import Recipient
from makul.domain.subject_visibility import Hiding
from makul.language.translation import translate
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import (
    CodecError,
    agreement_from_row,
    codes_from_text,
    instant,
    micros,
    names_from_text,
)
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.reads.registry import RECIPIENT, recipient_from_row
from makul.store.reads.subject_consents import find_own_consent, list_consents
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import PrivateFields, open_private
from makul.store.records.retention import purge_replay_guards
from makul.store.records.usage_limits import insert_replay_guard
from makul.store.schema.record_tables import disclosure, evidence, repetition
from makul.store.schema.registry_tables import AGREEMENT_COLUMNS, agreement
from makul.store.schema.usage_tables import seen_message

MAX_REPETITIONS = 20
"""Number of the latest repetitions of a decision whose times are listed. All are counted."""

_DECISIONS = select(
    disclosure.c.disclosure_id,
    disclosure.c.recipient,
    disclosure.c.operation,
    disclosure.c.channel,
    disclosure.c.outcome,
    disclosure.c.reasons,
    disclosure.c.released,
    disclosure.c.purpose,
    disclosure.c.ground_kind,
    disclosure.c.ground_id,
    disclosure.c.ground_digest,
    disclosure.c.decided_at,
    disclosure.c.sealed,
).where(disclosure.c.subject_index == bindparam("subject_index"))


class _DecisionRow(NamedTuple):
    disclosure_id: bytes
    recipient: str
    operation: str
    channel: str
    outcome: str
    reasons: str
    released: str
    purpose: str | None
    ground_kind: str | None
    ground_id: bytes | None
    ground_digest: bytes | None
    decided_at: int
    sealed: bytes


_read_row = build_row_reader(_DECISIONS, _DecisionRow)

_SINCE = disclosure.c.decided_at >= bindparam("since", type_=BigInteger)
_UNTIL = disclosure.c.decided_at < bindparam("until", type_=BigInteger)
_AFTER = (
    disclosure.c.decided_at <= bindparam("at", type_=BigInteger),
    tuple_(disclosure.c.decided_at, disclosure.c.disclosure_id)
    < tuple_(bindparam("at", type_=BigInteger), bindparam("id", type_=LargeBinary)),
)
_ON_CONSENT = (
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.ground_kind == GroundKind.CONSENT.value,
    disclosure.c.ground_id == bindparam("consent_id", type_=LargeBinary),
)
_LISTS = {
    (since, until, after, on_consent): _DECISIONS.where(
        *([_SINCE] if since else []),
        *([_UNTIL] if until else []),
        *(_AFTER if after else ()),
        *(_ON_CONSENT if on_consent else ()),
    )
    .order_by(disclosure.c.decided_at.desc(), disclosure.c.disclosure_id.desc())
    .limit(bindparam("limit"))
    for since, until, after, on_consent in product((False, True), repeat=4)
}
_REPETITIONS = (
    select(repetition.c.repeated_at)
    .where(repetition.c.disclosure_id == bindparam("disclosure_id"))
    .order_by(repetition.c.repeated_at.desc())
    .limit(MAX_REPETITIONS)
)
_REPETITION_COUNT = (
    select(func.count())
    .select_from(repetition)
    .where(repetition.c.disclosure_id == bindparam("disclosure_id"))
)
_AGREEMENTS = select(*AGREEMENT_COLUMNS).where(agreement.c.recipient == bindparam("recipient"))
_DOCUMENT = select(evidence.c.sealed).where(
    evidence.c.recipient == bindparam("recipient"), evidence.c.digest == bindparam("digest")
)
_ONE = _DECISIONS.where(disclosure.c.disclosure_id == bindparam("disclosure_id"))
_FIRST = select(func.min(disclosure.c.decided_at))
_MARK = select(seen_message.c.digest).where(seen_message.c.digest == bindparam("digest"))


class StoreSubjectRecord:
    """The implementation of `ports.subject.SubjectRecord`. Raises `StoreUnavailableError`."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def decisions(
        self, subject: Pin, selection: DecisionSelection, *, limit: int
    ) -> Sequence[SubjectDecision]:
        """Return decisions about a subject, latest first, at most `limit`."""
        since, until, after = selection.since, selection.until, selection.after
        consent = selection.consent
        values: dict[str, object] = {
            "subject_index": self._cipher.index("pin", subject.digits),
            "limit": limit,
        }
        if since is not None:
            values["since"] = micros(since)
        if until is not None:
            values["until"] = micros(until)
        if after is not None:
            values |= {"at": after.decided_at, "id": after.disclosure_id.bytes}
        if consent is not None:
            values |= {"recipient": consent.recipient, "consent_id": consent.consent_id.bytes}
        statement = _LISTS[
            since is not None, until is not None, after is not None, consent is not None
        ]
        return [self._decision(row) for row in self._database.fetch_all(statement, values)]

    def repetitions(self, disclosure_id: UUID) -> Repetitions:
        """Return the repetitions of a decision."""
        values = {"disclosure_id": disclosure_id.bytes}
        latest = [instant(at) for (at,) in self._database.fetch_all(_REPETITIONS, values)]
        count = len(latest)
        if count == MAX_REPETITIONS:
            (count,) = self._database.fetch_one(_REPETITION_COUNT, values) or (count,)
        return Repetitions(count=count, latest=latest)

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return a recipient; None if it is not registered."""
        row = self._database.fetch_one(RECIPIENT, {"code": code})
        return recipient_from_row(code, row) if row is not None else None

    def agreements_of(self, code: MemberCode) -> Sequence[Agreement]:
        """Return every agreement of a recipient, in any state."""
        rows = self._database.fetch_all(_AGREEMENTS, {"recipient": code})
        return [agreement_from_row(row) for row in rows]

    def decision(self, subject: Pin, disclosure_id: UUID) -> tuple[SubjectDecision, bytes] | None:
        """Return a decision about this subject and its receipt; None for any other id."""
        index = self._cipher.index("pin", subject.digits)
        values = {"subject_index": index, "disclosure_id": disclosure_id.bytes}
        row = self._database.fetch_one(_ONE, values)
        if row is None:
            return None
        read = _read_row(row)
        try:
            receipt = open_private(self._cipher, read.disclosure_id, read.sealed).receipt
        except (FieldDecryptionError, CodecError):
            return None
        return self._decision(row), receipt

    def consents(
        self, citizen: Pin, after: ConsentPosition | None, *, limit: int
    ) -> tuple[Sequence[HeldConsentRow], ConsentPosition | None]:
        """Return consents that are about a citizen or were given by a citizen, in order of ids."""
        return list_consents(self._database, self._cipher, citizen, after, limit=limit)

    def own_consent(
        self, recipient: MemberCode, consent_id: UUID, citizen: Pin
    ) -> OwnConsent | None:
        """Return a consent that is about this citizen or was given by this citizen."""
        return find_own_consent(self._database, self._cipher, recipient, consent_id, citizen)

    def first_record(self) -> datetime | None:
        """Return the time of the first decision about any person; None if there is none."""
        (first,) = self._database.fetch_one(_FIRST, {}) or (None,)
        return instant(first) if first is not None else None

    def document(self, recipient: MemberCode, digest: bytes) -> bytes | None:
        """Return a stored document of this digest; None if it cannot be read."""
        row = self._database.fetch_one(_DOCUMENT, {"recipient": recipient, "digest": digest})
        if row is None:
            return None
        try:
            document = self._cipher.decrypt(row[0], evidence_associated_data(recipient, digest))
        except FieldDecryptionError:
            return None
        return document if sha256(document).digest() == digest else None

    def use_token(
        self, token: bytes, request: bytes, *, forget_after: datetime, at: datetime
    ) -> bool:
        """Record that a token is used for a request, both by digest.

        Two marks are stored: of the token, and of the token with the request. If the first is there
        already, the second says whether this very request was it.
        """
        used = MessageMark(digest=_mark(b"token", token), forget_after=forget_after)
        exact = MessageMark(digest=_mark(b"request", token, request), forget_after=forget_after)

        def work(transaction: Transaction) -> bool:
            if insert_replay_guard(transaction, used) is None:
                insert_replay_guard(transaction, exact)
                return True
            return transaction.fetch_one(_MARK, {"digest": exact.digest}) is not None

        purge_replay_guards(self._database, used, at=at)
        return self._database.run_transaction(work)

    def _decision(self, row: Row) -> SubjectDecision:
        read = _read_row(row)
        hiding, usage = self._read_private(read)
        try:
            return SubjectDecision(
                disclosure_id=UUID(bytes=read.disclosure_id),
                recipient=MemberCode(read.recipient),
                operation=Operation(read.operation),
                outcome=Outcome(read.outcome),
                codes=codes_from_text(read.reasons),
                released=names_from_text(read.released),
                purpose=read.purpose,
                ground_kind=read.ground_kind,
                ground_id=UUID(bytes=read.ground_id) if read.ground_id is not None else None,
                ground_digest=read.ground_digest,
                decided_at=instant(read.decided_at),
                position=PagePosition(read.decided_at, UUID(bytes=read.disclosure_id)),
                hiding=hiding,
                usage=usage,
            )
        except ValueError:
            raise CodecError(translate("a decision does not read back")) from None

    def _read_private(self, read: _DecisionRow) -> tuple[Hiding | None, UsageStatement | None]:
        """Return what the encrypted part states of hiding, and what the client said to the subject.

        Only a basis hides, and only X-Road has a header for the subject: other records are not
        decrypted. A record that was altered states nothing: a failure of the list would reveal it.
        The hiding does not depend on whether the usage reads back.
        """
        may_hide, may_speak = read.ground_kind == GroundKind.BASIS, read.channel == Channel.XROAD
        if not may_hide and not may_speak:
            return None, None
        try:
            private = open_private(self._cipher, read.disclosure_id, read.sealed)
        except (FieldDecryptionError, CodecError):
            return None, None
        return private.hiding if may_hide else None, _read_usage(private) if may_speak else None


def _read_usage(private: PrivateFields) -> UsageStatement | None:
    try:
        return private.usage
    except CodecError:
        return None


def _mark(kind: bytes, *parts: bytes) -> bytes:
    return sha256(b"makul id token " + kind + b"".join(parts)).digest()

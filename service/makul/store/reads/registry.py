"""Reads of the registry for requests.

Each is one statement, and so one snapshot; nothing is cached.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, exists, select

from makul.app.ports import (
    Asker,
    ConsentStatus,
    HeldConsent,
    KeptReceipt,
    KnownRequest,
    Official,
    RecordedSignature,
    Register,
    RegisteredCertificate,
    RequestKey,
    RequestSnapshot,
    RevokedConsent,
)
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, GroundRef, GroundUse
from makul.domain.identifiers import AgreementNumber, MalformedIdentifierError, MemberCode, Pin
from makul.domain.match_attempts import AttemptCounts
from makul.domain.persons import Person
from makul.domain.recipients import Recipient, RecipientKind, RecipientState
from makul.language.translation import translate
from makul.store.db.base import Database, Row
from makul.store.db.codecs import (
    CodecError,
    agreement_from_row,
    instant,
    micros,
    pack,
    unpack,
)
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.reads.agreement_signatures import list_signatures
from makul.store.reads.corrections import list_pending
from makul.store.reads.person_headers import read_person_header, write_person_header
from makul.store.reads.persons import PersonReader
from makul.store.reads.receipts import find_receipt
from makul.store.reads.request_snapshot import SnapshotRow, read_request_snapshot
from makul.store.records import consent_revocations as revocations
from makul.store.records.consent_revocations import (
    is_revoked,
    is_revoked_by_index,
    subject_associated_data,
)
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import open_private
from makul.store.records.service_usage import usage_from_row, usage_values
from makul.store.records.undertakings import has_undertaking
from makul.store.records.usage_limits import COUNT_ATTEMPTS, attempt_counts, attempt_values
from makul.store.schema.record_tables import evidence
from makul.store.schema.registry_tables import (
    certificate,
    notice_approval,
    notice_text,
    official,
    official_withdrawal,
    recipient,
    sealing_certificate,
)
from makul.store.schema.usage_tables import ground_use

_CERTIFICATE = select(certificate.c.recipient).where(
    certificate.c.fingerprint == bindparam("fingerprint"), certificate.c.withdrawn_at.is_(None)
)
_ENCRYPTION_CERTIFICATE = (
    select(sealing_certificate.c.der)
    .where(
        sealing_certificate.c.recipient == bindparam("recipient"),
        sealing_certificate.c.withdrawn_at.is_(None),
    )
    .order_by(sealing_certificate.c.added_at.desc(), sealing_certificate.c.fingerprint.desc())
    .limit(1)
)
RECIPIENT = select(recipient.c.kind, recipient.c.name, recipient.c.state).where(
    recipient.c.code == bindparam("code")
)
_OFFICIAL = select(official.c.sealed).where(
    official.c.recipient == bindparam("recipient"),
    official.c.fingerprint == bindparam("fingerprint"),
    ~exists().where(
        official_withdrawal.c.recipient == official.c.recipient,
        official_withdrawal.c.fingerprint == official.c.fingerprint,
        official_withdrawal.c.withdrawn_at <= bindparam("as_of"),
    ),
)
_NOTICE = (
    select(notice_approval.c.approved_at)
    .select_from(notice_text.join(notice_approval, notice_approval.c.ref == notice_text.c.ref))
    .where(
        notice_text.c.ref == bindparam("ref"),
        notice_text.c.language == bindparam("language"),
        notice_text.c.digest == bindparam("digest"),
    )
)
_this_ground = (
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == bindparam("kind"),
    ground_use.c.ground_id == bindparam("ground_id"),
)
_USE = select(
    ground_use.c.digest, ground_use.c.used, ground_use.c.revoked_at, ground_use.c.registered_at
).where(*_this_ground)
_REGISTERED = (
    select(evidence.c.digest, evidence.c.sealed, ground_use.c.registered_at)
    .select_from(
        ground_use.join(
            evidence,
            (evidence.c.recipient == ground_use.c.recipient)
            & (evidence.c.digest == ground_use.c.digest),
        )
    )
    .where(*_this_ground, ground_use.c.registered_at.is_not(None))
)
_STATUS = select(
    ground_use.c.digest,
    ground_use.c.subject,
    ground_use.c.valid_from,
    ground_use.c.valid_to,
    ground_use.c.allowed,
    ground_use.c.used,
    ground_use.c.revoked_at,
).where(*_this_ground)


class _StatusRow(NamedTuple):
    digest: bytes
    subject: bytes | None
    valid_from: int
    valid_to: int
    allowed: int
    used: int
    revoked_at: int | None


_read_status = build_row_reader(_STATUS, _StatusRow)

_END_OF_TIME = 2**63 - 1


class StoreRegister(Register):
    """Registry as requests read it. Raises `StoreUnavailableError` if the store cannot be read."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._persons = PersonReader(database, cipher)

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """Return the registration of this certificate.

        Returns None if it is not registered or is withdrawn.
        """
        row = self._database.fetch_one(_CERTIFICATE, {"fingerprint": fingerprint})
        if row is None:
            return None
        return RegisteredCertificate(recipient=MemberCode(row[0]), fingerprint=fingerprint)

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return the recipient as registered; None if it is not registered."""
        row = self._database.fetch_one(RECIPIENT, {"code": code})
        return recipient_from_row(code, row) if row is not None else None

    def snapshot(
        self, key: RequestKey, agreement: AgreementNumber | None, *, at: datetime
    ) -> RequestSnapshot:
        """Return the recipient, agreement, usage and closed request, read in one snapshot."""
        values = {
            "code": key.recipient,
            "recipient": key.recipient,
            "number": agreement,
            "space": key.space.value,
            "request_id": key.request_id.bytes,
            **usage_values(at),
        }
        row = read_request_snapshot(self._database, values)
        terms = _agreement_from_row(row)
        required = terms is not None and terms.undertakings_required
        return RequestSnapshot(
            recipient=_recipient_from_row(row, key.recipient),
            agreement=terms,
            employee_bound=required
            and has_undertaking(
                self._database, self._cipher, key.recipient, key.asker.employee, at=at
            ),
            usage=usage_from_row((row.requests_used, row.bytes_used)),
            known=self._known_request(row.disclosure_id, row.sealed),
            corrections=(
                list_pending(self._database, key.recipient) if row.pending_corrections else ()
            ),
        )

    def encryption_certificate(self, recipient: MemberCode) -> bytes | None:
        """Return the newest certificate (DER) to which this recipient's data may be encrypted."""
        row = self._database.fetch_one(_ENCRYPTION_CERTIFICATE, {"recipient": recipient})
        return bytes(row[0]) if row is not None else None

    def official(
        self, recipient: MemberCode, fingerprint: bytes, *, as_of: datetime | None = None
    ) -> str | None:
        """Return the identifier of the official with this certificate.

        Returns None if the official was withdrawn at `as_of` or earlier.
        """
        then = micros(as_of) if as_of is not None else _END_OF_TIME
        values = {"recipient": recipient, "fingerprint": fingerprint, "as_of": then}
        row = self._database.fetch_one(_OFFICIAL, values)
        if row is None:
            return None
        return open_official(self._cipher, recipient, fingerprint, row[0])

    def notice_approved(self, ref: str, digest: bytes, language: str) -> bool:
        """Return whether this notice is approved with exactly this text in this language."""
        values = {"ref": ref, "language": language, "digest": digest}
        return self._database.fetch_one(_NOTICE, values) is not None

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Return the signatures under an agreement's newest draft, earliest first."""
        return list_signatures(self._database, number)

    def use(self, recipient: MemberCode, ground: GroundRef) -> GroundUse:
        """Return how a ground was used so far."""
        row = self._database.fetch_one(_USE, _ground_values(recipient, ground.kind, ground.id))
        by_subject = is_revoked(self._database, self._cipher, recipient, ground)
        if row is None:
            return GroundUse(revoked=by_subject)
        digest, used, revoked_at, registered_at = row
        differs = digest != ground.digest
        return GroundUse(
            used=used,
            revoked=by_subject or revoked_at is not None,
            registered_at=instant(registered_at) if registered_at and not differs else None,
            digest_differs=differs,
        )

    def registered_consent(self, recipient: MemberCode, consent_id: UUID) -> HeldConsent | None:
        """Return the consent document that this recipient registered; None if there is none."""
        values = _ground_values(recipient, GroundKind.CONSENT, consent_id)
        row = self._database.fetch_one(_REGISTERED, values)
        if row is None:
            return None
        digest, sealed, registered_at = row
        return HeldConsent(
            document=self._cipher.decrypt(sealed, evidence_associated_data(recipient, digest)),
            registered_at=instant(registered_at),
        )

    def consent_status(self, recipient: MemberCode, consent_id: UUID) -> ConsentStatus | None:
        """Return the status of this recipient's consent, registered or used inline."""
        values = _ground_values(recipient, GroundKind.CONSENT, consent_id)
        status_row = self._database.fetch_one(_STATUS, values)
        if status_row is None:
            return None
        row = _read_status(status_row)
        where = subject_associated_data(recipient, GroundKind.CONSENT, consent_id.bytes)
        pin = _pin(self._cipher.decrypt(row.subject or b"", where))
        index = self._cipher.index("pin", pin.digits)
        by_subject = is_revoked_by_index(self._database, recipient, consent_id.bytes, index)
        return ConsentStatus(
            consent_id=consent_id,
            digest=row.digest,
            subject=pin,
            valid_from=instant(row.valid_from),
            valid_to=instant(row.valid_to),
            allowed=row.allowed,
            used=row.used,
            revoked=by_subject or row.revoked_at is not None,
        )

    def given_by(self, recipient: MemberCode, consent_id: UUID, giver: Pin) -> bool:
        """Return whether this representative of the subject gave this consent to this recipient."""
        return revocations.given_by(self._database, self._cipher, recipient, consent_id, giver)

    def revocations(
        self, recipient: MemberCode, *, since: datetime | None, after: UUID | None, limit: int
    ) -> tuple[Sequence[RevokedConsent], bool]:
        """Return this recipient's revoked consents, oldest first, and whether there are more."""
        return revocations.page(
            self._database, self._cipher, recipient, since=since, after=after, limit=limit
        )

    def person(self, pin: Pin) -> Person | None:
        """Return the current version of a person's record. Its samples are named and not read."""
        return self._persons.read(pin)

    def with_samples(self, person: Person, attributes: frozenset[Attribute]) -> Person:
        """Return this version of the record with the wanted samples."""
        return self._persons.read_samples(person, attributes)

    def attempts(
        self, recipient: MemberCode, pin: Pin, employee: str | None, *, since: datetime
    ) -> AttemptCounts:
        """Return the numbers of failed matches since an instant."""
        values = attempt_values(self._cipher, recipient, pin.digits, employee, since)
        return attempt_counts(self._database.fetch_one(COUNT_ATTEMPTS, values))

    def receipt(self, recipient: MemberCode, request_id: UUID) -> KeptReceipt | None:
        """Return the receipt of the decision that closed this recipient's request id."""
        return find_receipt(self._database, self._cipher, recipient, request_id)

    def _known_request(
        self, disclosure_id: bytes | None, sealed: bytes | None
    ) -> KnownRequest | None:
        """Return the request that closed an id; None if the id is open.

        If the closing disclosure is missing, the result is a request that equals no other request.
        """
        if disclosure_id is None:
            return None
        if sealed is None:
            return KnownRequest(digest=b"", asker=Asker())
        return open_private(self._cipher, disclosure_id, sealed).known


def _recipient_from_row(row: SnapshotRow, code: MemberCode) -> Recipient | None:
    if row.kind is None:
        return None
    return recipient_from_row(code, (row.kind, row.name, row.state))


def _agreement_from_row(row: SnapshotRow) -> Agreement | None:
    if row.number is None:
        return None
    state, whose = row.agreement_state, row.agreement_recipient
    return agreement_from_row((row.number, whose, state, row.valid_from, row.valid_to, row.terms))


def recipient_from_row(code: MemberCode, row: Row) -> Recipient:
    """Build a recipient from its columns `kind`, `name` and `state`; raises `CodecError`."""
    kind, name, state = row
    try:
        return Recipient(
            code=code, kind=RecipientKind(kind), name=name, state=RecipientState(state)
        )
    except ValueError:
        raise CodecError(translate("a recipient does not read back")) from None


def encrypt_official(cipher: FieldCipher, new: Official) -> bytes:
    """Encrypt an official's identifier and name for their registration."""
    packed = pack(write_person_header(new.identifier, new.name, new.not_after))
    return cipher.encrypt(packed, _official_associated_data(new.recipient, new.fingerprint))


def open_official(cipher: FieldCipher, recipient: str, fingerprint: bytes, sealed: bytes) -> str:
    """Decrypt the identifier of an official; raises `FieldDecryptionError` or `CodecError`."""
    return read_official(cipher, MemberCode(recipient), fingerprint, sealed).identifier


def read_official(
    cipher: FieldCipher, recipient: MemberCode, fingerprint: bytes, sealed: bytes
) -> Official:
    """Decrypt an official; raises `FieldDecryptionError` or `CodecError`."""
    header, _ = unpack(cipher.decrypt(sealed, _official_associated_data(recipient, fingerprint)))
    person = read_person_header(header)
    return Official(
        recipient=recipient,
        identifier=person.identifier,
        name=person.name,
        fingerprint=fingerprint,
        not_after=person.not_after,
    )


def _official_associated_data(recipient: str, fingerprint: bytes) -> bytes:
    return field_associated_data("official", "sealed", recipient.encode(), fingerprint)


def _ground_values(recipient: str, kind: GroundKind, ground_id: UUID) -> dict[str, object]:
    return {"recipient": recipient, "kind": kind.value, "ground_id": ground_id.bytes}


def _pin(digits: bytes) -> Pin:
    try:
        return Pin(digits.decode("ascii"))
    except (UnicodeDecodeError, MalformedIdentifierError):
        raise CodecError(translate("a subject does not read back")) from None

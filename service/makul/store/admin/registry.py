"""The operator's registry. Each change, and each access to a person's data, is logged with it.

A change and its log entry are in one transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import (
    AgreementSignature,
    DecisionEvidence,
    DisclosureRow,
    ExportOptions,
    GroundRow,
    MonthCount,
    Notice,
    NoticeApproval,
    Official,
    OperatorRegistryError,
    RecordedSignature,
    RepetitionRow,
    Signatory,
    SignedBytes,
)
from makul.domain.agreements import Agreement, AgreementState
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.months import Month
from makul.domain.recipients import Recipient
from makul.store.admin import agreements as agreed
from makul.store.admin import encryption_certificates as sealing
from makul.store.admin import evidence, notices, signatories
from makul.store.admin.ground_revocations import find_ground, revoke_ground
from makul.store.admin.person_registry import StorePersonRegistry
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import agreement_from_row, micros
from makul.store.encryption.fields import FieldCipher
from makul.store.reads import disclosures as listing
from makul.store.reads import monthly_counts as statistics
from makul.store.reads.agreement_signatures import list_signatures
from makul.store.reads.registry import recipient_from_row, seal_official
from makul.store.records.acts import RowKey
from makul.store.records.audit_log import AuditLog
from makul.store.records.repetitions import list_repetitions
from makul.store.schema.registry_tables import (
    agreement,
    certificate,
    official,
    official_withdrawal,
    recipient,
)

_RECIPIENT_KNOWN = select(recipient.c.code).where(recipient.c.code == bindparam("code"))
_RECIPIENTS = select(
    recipient.c.code, recipient.c.kind, recipient.c.name, recipient.c.state
).order_by(recipient.c.code)
_ADD_RECIPIENT = insert(recipient)
_SET_STATE = (
    update(recipient)
    .where(recipient.c.code == bindparam("key_code"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_CERTIFICATE_KNOWN = select(certificate.c.fingerprint).where(
    certificate.c.fingerprint == bindparam("fingerprint")
)
_CERTIFICATES = (
    select(certificate.c.recipient, certificate.c.der)
    .where(certificate.c.withdrawn_at.is_(None))
    .order_by(certificate.c.recipient, certificate.c.added_at)
)
_ADD_CERTIFICATE = insert(certificate)
_WITHDRAW_CERTIFICATE = (
    update(certificate)
    .where(
        certificate.c.fingerprint == bindparam("key_fingerprint"),
        certificate.c.recipient == bindparam("key_recipient"),
        certificate.c.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=bindparam("withdrawn_at"))
)
_OFFICIAL_KNOWN = select(official.c.fingerprint).where(
    official.c.recipient == bindparam("recipient"),
    official.c.fingerprint == bindparam("fingerprint"),
)
_ADD_OFFICIAL = insert(official)
_OFFICIAL_WITHDRAWN = select(official_withdrawal.c.withdrawn_at).where(
    official_withdrawal.c.recipient == bindparam("recipient"),
    official_withdrawal.c.fingerprint == bindparam("fingerprint"),
)
_WITHDRAW_OFFICIAL = insert(official_withdrawal)
_ALL_AGREEMENTS = select(
    agreement.c.number,
    agreement.c.recipient,
    agreement.c.state,
    agreement.c.valid_from,
    agreement.c.valid_to,
    agreement.c.terms,
).order_by(agreement.c.number)
_OWN_AGREEMENTS = _ALL_AGREEMENTS.where(agreement.c.recipient == bindparam("recipient"))


class StoreOperatorRegistry(StorePersonRegistry):
    """The implementation of `ports.OperatorRegistry` for one operator.

    Raises `OperatorRegistryError` and `StoreUnavailableError`.
    """

    def __init__(self, database: Database, sealer: FieldCipher, who: str) -> None:
        self._database = database
        self._sealer = sealer
        self._log = AuditLog(sealer, who)
        self._office = RegistryUnitOfWork(database, sealer, self._log)

    # --- recipients and their certificates and officials --------------------------------------

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None:
        """Register a recipient; raises `OperatorRegistryError` if it is registered already."""
        facts = {
            "kind": recipient.kind.value,
            "name": recipient.name,
            "state": recipient.state.value,
        }
        with self._office.changing() as transaction:
            if transaction.one(_RECIPIENT_KNOWN, {"code": recipient.code}) is not None:
                raise OperatorRegistryError("this recipient is already registered")
            act = self._office.act(transaction, _recipient_row(recipient.code))
            values = {**facts, "changed_at": micros(at), "to_lock_by": None}
            transaction.run(_ADD_RECIPIENT, {"code": recipient.code, **values})
            act.write("recipient.add", recipient.code, facts, at=at)

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Set a recipient's state: active, on hold or cut off.

        The state applies to everything that is ordered after its commit.
        """
        values = {
            "key_code": recipient.code,
            "state": recipient.state.value,
            "changed_at": micros(at),
        }
        facts = {"state": recipient.state.value, "reason": reason}
        with self._office.changing(taking_from=recipient.code) as transaction:
            act = self._office.act(transaction, _recipient_row(recipient.code))
            if not transaction.run(_SET_STATE, values):
                raise OperatorRegistryError("this recipient is not registered")
            act.write("recipient.state", recipient.code, facts, at=at)

    def recipients(self) -> Sequence[Recipient]:
        """Return every recipient, by code."""
        rows = self._database.all(_RECIPIENTS, {})
        return [recipient_from_row(MemberCode(row[0]), row[1:]) for row in rows]

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Register a certificate for a recipient's messages.

        One certificate belongs to one recipient.
        """
        values = {
            "fingerprint": fingerprint,
            "recipient": recipient,
            "der": der,
            "added_at": micros(at),
            "withdrawn_at": None,
            "to_lock_by": None,
        }
        facts = {"fingerprint": fingerprint.hex()}
        with self._office.changing() as transaction:
            _must_know(transaction, recipient)
            if transaction.one(_CERTIFICATE_KNOWN, {"fingerprint": fingerprint}) is not None:
                raise OperatorRegistryError(
                    "this certificate is already registered or was withdrawn"
                )
            act = self._office.act(transaction, _certificate_row(fingerprint))
            transaction.run(_ADD_CERTIFICATE, values)
            act.write("certificate.add", recipient, facts, at=at)

    def certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return the recipient and the DER of every message certificate in use."""
        return [(MemberCode(row[0]), row[1]) for row in self._database.all(_CERTIFICATES, {})]

    def sealing_certificates(self) -> Sequence[tuple[MemberCode, bytes]]:
        """Return the recipient and the DER of every certificate that data may be encrypted to."""
        return [(MemberCode(row[0]), row[1]) for row in self._database.all(sealing.IN_USE, {})]

    def withdraw_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a message certificate from this commit on; it cannot be registered again."""
        values = {
            "key_fingerprint": fingerprint,
            "key_recipient": recipient,
            "withdrawn_at": micros(at),
        }
        facts = {"fingerprint": fingerprint.hex(), "reason": reason}
        with self._office.changing(taking_from=recipient) as transaction:
            act = self._office.act(transaction, _certificate_row(fingerprint))
            if not transaction.run(_WITHDRAW_CERTIFICATE, values):
                raise OperatorRegistryError("this recipient has no such certificate in use")
            act.write("certificate.withdraw", recipient, facts, at=at)

    def add_sealing_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Encrypt this recipient's data to this certificate.

        Raises `OperatorRegistryError` if it is known.
        """
        with self._office.changing() as transaction:
            _must_know(transaction, recipient)
            sealing.add(self._office, transaction, recipient, fingerprint, der, at=at)

    def withdraw_sealing_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an encryption certificate; this cannot be undone.

        Data are not encrypted to it any more, and stored answers that are encrypted to it are not
        given again.
        """
        with self._office.changing(taking_from=recipient) as transaction:
            sealing.withdraw(
                self._office, transaction, recipient, fingerprint, reason=reason, at=at
            )

    def add_official(self, official: Official, *, at: datetime) -> None:
        """Register a person of a recipient who signs basis statements."""
        code, fingerprint = official.recipient, official.fingerprint
        sealed = seal_official(self._sealer, code, fingerprint, official.identifier, official.name)
        key = {"recipient": code, "fingerprint": fingerprint}
        facts = {
            "fingerprint": fingerprint.hex(),
            "identifier": official.identifier,
            "name": official.name,
        }
        with self._office.changing() as transaction:
            _must_know(transaction, code)
            if transaction.one(_OFFICIAL_KNOWN, key) is not None:
                raise OperatorRegistryError("this official's certificate is already registered")
            act = self._office.act(transaction, RowKey("official", key))
            transaction.run(_ADD_OFFICIAL, {**key, "sealed": sealed, "added_at": micros(at)})
            act.write("official.add", code, facts, at=at)

    def withdraw_official(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw an official, whose signatures do not count from this commit on.

        The official cannot be registered again.
        """
        key = {"recipient": recipient, "fingerprint": fingerprint}
        facts = {"fingerprint": fingerprint.hex(), "reason": reason}
        with self._office.changing(taking_from=recipient) as transaction:
            if transaction.one(_OFFICIAL_KNOWN, key) is None:
                raise OperatorRegistryError("this recipient has no such official")
            if transaction.one(_OFFICIAL_WITHDRAWN, key) is not None:
                raise OperatorRegistryError("this official was withdrawn before")
            act = self._office.act(transaction, RowKey("official_withdrawal", key))
            transaction.run(_WITHDRAW_OFFICIAL, {**key, "withdrawn_at": micros(at)})
            act.write("official.withdraw", recipient, facts, at=at)

    # --- terms and grounds --------------------------------------------------------------------

    def add_notice(self, ref: str, texts: Mapping[str, bytes], *, at: datetime) -> None:
        """Register a notice in all its languages; it is valid only after its approval."""
        notices.add(self._office, ref, texts, at=at)

    def approve_notice(
        self, approval: NoticeApproval, signer: bytes, signed: SignedBytes, *, at: datetime
    ) -> None:
        """Record the authorised body's approval of exactly the registered texts."""
        notices.approve(self._office, approval, signer, signed, at=at)

    def notices(self) -> Sequence[Notice]:
        """Return every notice, by number."""
        return notices.everything(self._office)

    def add_signatory(self, signatory: Signatory, *, at: datetime) -> None:
        """Register a signatory for a party: one person and one key for one party in one role."""
        signatories.add(self._office, signatory, at=at)

    def withdraw_signatory(
        self, member: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Withdraw a signatory, who may not sign from this commit on."""
        signatories.withdraw(self._office, member, fingerprint, reason=reason, at=at)

    def signatories(self) -> Sequence[Signatory]:
        """Return every signatory, including withdrawn ones."""
        return signatories.everyone(self._office)

    def draft_agreement(self, agreement: Agreement, document: bytes, *, at: datetime) -> None:
        """Submit draft terms to the parties; earlier terms of that number end here."""
        agreed.draft(self._office, agreement, document, at=at)

    def draft_document(self, number: AgreementNumber) -> bytes | None:
        """Return the unsigned document of an agreement's newest draft."""
        return agreed.draft_document(self._office, number)

    def sign_agreement(self, signature: AgreementSignature, *, at: datetime) -> AgreementState:
        """Record a verified signature, and return the new state.

        It is IN_FORCE if all three parties have signed.
        """
        return agreed.sign(self._office, signature, at=at)

    def agreement_signatures(self, number: AgreementNumber) -> Sequence[RecordedSignature]:
        """Return the signatures of the newest draft, the earliest first."""
        return list_signatures(self._database, number)

    def terminate_agreement(self, number: AgreementNumber, *, reason: str, at: datetime) -> None:
        """Terminate an agreement; this cannot be undone."""
        agreed.terminate(self._office, number, reason=reason, at=at)

    def agreements(self, recipient: MemberCode | None = None) -> Sequence[Agreement]:
        """Return every agreement, or those of one recipient, by number."""
        if recipient is None:
            rows = self._database.all(_ALL_AGREEMENTS, {})
        else:
            rows = self._database.all(_OWN_AGREEMENTS, {"recipient": recipient})
        return [agreement_from_row(row) for row in rows]

    def find_ground(
        self, recipient: MemberCode, kind: GroundKind, ground_id: UUID
    ) -> GroundRow | None:
        """Return a consent or basis statement; None if it was neither used nor registered."""
        return find_ground(self._database, recipient, kind, ground_id)

    def revoke_ground(
        self,
        recipient: MemberCode,
        kind: GroundKind,
        ground_id: UUID,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """Revoke a consent or basis statement that was used or registered, from this commit on."""
        revoke_ground(self._office, recipient, kind, ground_id, reason=reason, at=at)

    # --- decisions ----------------------------------------------------------------------------

    def disclosures(
        self, *, recipient: MemberCode | None, since: datetime | None, limit: int
    ) -> Sequence[DisclosureRow]:
        """Return the latest decisions first, at most `listing.MOST_ROWS`."""
        return listing.latest(
            self._database, self._sealer, recipient=recipient, since=since, limit=limit
        )

    def disclosure(self, disclosure_id: UUID) -> DisclosureRow | None:
        """Return one decision."""
        return listing.one(self._database, self._sealer, disclosure_id)

    def repetitions(
        self,
        *,
        recipient: MemberCode | None = None,
        since: datetime | None = None,
        disclosure_id: UUID | None = None,
        limit: int,
    ) -> Sequence[RepetitionRow]:
        """Return answers that were given again, the latest first."""
        return list_repetitions(
            self._database,
            self._sealer,
            recipient=recipient,
            since=since,
            disclosure_id=disclosure_id,
            limit=limit,
        )

    def statistics(self, month: Month) -> Sequence[MonthCount]:
        """Return counts of a month's decisions."""
        return statistics.of_month(self._database, month)

    def export(
        self, month: Month, recipient: MemberCode | None, look: ExportOptions, *, at: datetime
    ) -> Iterator[DisclosureRow]:
        """Return a month's decisions as they are read.

        The export is recorded before anything is read.
        """
        facts = {"month": str(month), "revealed": look.revealed, "reason": look.reason}
        with self._database.transaction() as transaction:
            self._log.write(transaction, "disclosure.export", recipient or "", facts, at=at)
        return listing.of_month(self._database, self._sealer, month, recipient=recipient)

    def evidence_of(self, disclosure_id: UUID, *, at: datetime) -> DecisionEvidence | None:
        """Return the documents of a decision; the access itself is recorded (cl. 13, 16)."""
        return evidence.look(self._office, disclosure_id, at=at)


def _must_know(transaction: Transaction, code: MemberCode) -> None:
    if transaction.one(_RECIPIENT_KNOWN, {"code": code}) is None:
        raise OperatorRegistryError("this recipient is not registered")


def _recipient_row(code: MemberCode) -> RowKey:
    return RowKey("recipient", {"code": code})


def _certificate_row(fingerprint: bytes) -> RowKey:
    return RowKey("certificate", {"fingerprint": fingerprint})

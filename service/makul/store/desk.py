"""The operator's desk. Every change, and every look at a person, is logged in its transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports import Desk, DeskError, DisclosureRow, Official
from makul.domain.agreements import Agreement
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.persons import Person
from makul.domain.recipients import Recipient
from makul.store import listing, people, sealing
from makul.store.codecs import agreement_from_row, micros, terms_to_text
from makul.store.crypto import Sealer
from makul.store.desk_log import DeskLog
from makul.store.engine import Database, Transaction
from makul.store.register import recipient_from_row, seal_official
from makul.store.tables import agreement, certificate, ground_use, notice_text, official, recipient

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
_NOTICE_KNOWN = select(notice_text.c.ref).where(
    notice_text.c.ref == bindparam("ref"), notice_text.c.language == bindparam("language")
)
_ADD_NOTICE = insert(notice_text)
_AGREEMENT_OWNER = select(agreement.c.recipient).where(agreement.c.number == bindparam("number"))
_ADD_AGREEMENT = insert(agreement)
_CHANGE_AGREEMENT = (
    update(agreement)
    .where(agreement.c.number == bindparam("key_number"))
    .values(
        state=bindparam("state"),
        valid_from=bindparam("valid_from"),
        valid_to=bindparam("valid_to"),
        terms=bindparam("terms"),
        changed_at=bindparam("changed_at"),
    )
)
_ALL_AGREEMENTS = select(
    agreement.c.number,
    agreement.c.recipient,
    agreement.c.state,
    agreement.c.valid_from,
    agreement.c.valid_to,
    agreement.c.terms,
).order_by(agreement.c.number)
_OWN_AGREEMENTS = _ALL_AGREEMENTS.where(agreement.c.recipient == bindparam("recipient"))
_REVOKE_GROUND = (
    update(ground_use)
    .where(
        ground_use.c.recipient == bindparam("key_recipient"),
        ground_use.c.kind == bindparam("key_kind"),
        ground_use.c.ground_id == bindparam("key_ground"),
        ground_use.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("revoked_at"))
)


class StoreDesk(Desk):
    """The desk of one operator. Raises `DeskError` and `StoreUnavailableError`."""

    def __init__(self, database: Database, sealer: Sealer, who: str) -> None:
        self._database = database
        self._sealer = sealer
        self._log = DeskLog(sealer, who)

    # --- recipients and their certificates and officials --------------------------------------

    def add_recipient(self, recipient: Recipient, *, at: datetime) -> None:
        """Register a party that may ask; raises `DeskError` where it is registered."""
        facts = {
            "kind": recipient.kind.value,
            "name": recipient.name,
            "state": recipient.state.value,
        }
        with self._database.transaction() as transaction:
            if transaction.one(_RECIPIENT_KNOWN, {"code": recipient.code}) is not None:
                raise DeskError("this recipient is already registered")
            values = {"code": recipient.code, **facts, "changed_at": micros(at)}
            transaction.run(_ADD_RECIPIENT, values)
            self._log.write(transaction, "recipient.add", recipient.code, facts, at=at)

    def set_state(self, recipient: Recipient, *, reason: str, at: datetime) -> None:
        """Hold, cut off or release; takes effect for everything ordered after its commit."""
        values = {
            "key_code": recipient.code,
            "state": recipient.state.value,
            "changed_at": micros(at),
        }
        facts = {"state": recipient.state.value, "reason": reason}
        with self._database.transaction() as transaction:
            if not transaction.run(_SET_STATE, values):
                raise DeskError("this recipient is not registered")
            self._log.write(transaction, "recipient.state", recipient.code, facts, at=at)

    def recipients(self) -> Sequence[Recipient]:
        """Every recipient, by code."""
        rows = self._database.all(_RECIPIENTS, {})
        return [recipient_from_row(MemberCode(row[0]), row[1:]) for row in rows]

    def add_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Register a certificate for a recipient's messages. One certificate, one recipient."""
        values = {
            "fingerprint": fingerprint,
            "recipient": recipient,
            "der": der,
            "added_at": micros(at),
            "withdrawn_at": None,
        }
        facts = {"fingerprint": fingerprint.hex()}
        with self._database.transaction() as transaction:
            _must_know(transaction, recipient)
            if transaction.one(_CERTIFICATE_KNOWN, {"fingerprint": fingerprint}) is not None:
                raise DeskError("this certificate is already registered or was withdrawn")
            transaction.run(_ADD_CERTIFICATE, values)
            self._log.write(transaction, "certificate.add", recipient, facts, at=at)

    def withdraw_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Trust a certificate no more, from this commit on; it cannot be registered again."""
        values = {
            "key_fingerprint": fingerprint,
            "key_recipient": recipient,
            "withdrawn_at": micros(at),
        }
        facts = {"fingerprint": fingerprint.hex(), "reason": reason}
        with self._database.transaction() as transaction:
            if not transaction.run(_WITHDRAW_CERTIFICATE, values):
                raise DeskError("this recipient has no such certificate in use")
            self._log.write(transaction, "certificate.withdraw", recipient, facts, at=at)

    def add_sealing_certificate(
        self, recipient: MemberCode, fingerprint: bytes, der: bytes, *, at: datetime
    ) -> None:
        """Encrypt this recipient's data to this certificate; raises `DeskError` if known."""
        with self._database.transaction() as transaction:
            _must_know(transaction, recipient)
            sealing.add(transaction, self._log, recipient, fingerprint, der, at=at)

    def withdraw_sealing_certificate(
        self, recipient: MemberCode, fingerprint: bytes, *, reason: str, at: datetime
    ) -> None:
        """Encrypt nothing more to it, and give no stored answer again that is; for good."""
        with self._database.transaction() as transaction:
            sealing.withdraw(transaction, self._log, recipient, fingerprint, reason=reason, at=at)

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
        with self._database.transaction() as transaction:
            _must_know(transaction, code)
            if transaction.one(_OFFICIAL_KNOWN, key) is not None:
                raise DeskError("this official's certificate is already registered")
            transaction.run(_ADD_OFFICIAL, {**key, "sealed": sealed, "added_at": micros(at)})
            self._log.write(transaction, "official.add", code, facts, at=at)

    # --- terms and grounds --------------------------------------------------------------------

    def add_notice(
        self, ref: str, digest: bytes, texts: Mapping[str, str], *, at: datetime
    ) -> None:
        """Keep an approved consent notice; a changed text is another notice, of another digest."""
        with self._database.transaction() as transaction:
            for language, text in texts.items():
                key = {"ref": ref, "language": language}
                if transaction.one(_NOTICE_KNOWN, key) is not None:
                    raise DeskError("this notice is already registered")
                values = {**key, "digest": digest, "text": text, "added_at": micros(at)}
                transaction.run(_ADD_NOTICE, values)
            self._log.write(transaction, "notice.add", ref, {"digest": digest.hex()}, at=at)

    def put_agreement(self, agreement: Agreement, *, at: datetime) -> None:
        """Insert an agreement, or change its terms; a number stays with its recipient."""
        number = agreement.number
        terms = {
            "state": agreement.state.value,
            "valid_from": micros(agreement.valid_from),
            "valid_to": micros(agreement.valid_to),
            "terms": terms_to_text(agreement),
        }
        with self._database.transaction() as transaction:
            _must_know(transaction, agreement.recipient)
            owner = transaction.one(_AGREEMENT_OWNER, {"number": number})
            if owner is None:
                key = {"number": number, "recipient": agreement.recipient}
                transaction.run(_ADD_AGREEMENT, {**key, **terms, "changed_at": micros(at)})
            elif owner == (agreement.recipient,):
                key = {"key_number": number}
                transaction.run(_CHANGE_AGREEMENT, {**key, **terms, "changed_at": micros(at)})
            else:
                raise DeskError("this agreement number belongs to another recipient")
            self._log.write(transaction, "agreement.put", number, terms, at=at)

    def agreements(self, recipient: MemberCode | None = None) -> Sequence[Agreement]:
        """Every agreement, or one recipient's, by number."""
        if recipient is None:
            rows = self._database.all(_ALL_AGREEMENTS, {})
        else:
            rows = self._database.all(_OWN_AGREEMENTS, {"recipient": recipient})
        return [agreement_from_row(row) for row in rows]

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
        values = {
            "key_recipient": recipient,
            "key_kind": kind.value,
            "key_ground": ground_id.bytes,
            "revoked_at": micros(at),
        }
        facts = {"kind": kind.value, "ground": str(ground_id), "reason": reason}
        with self._database.transaction() as transaction:
            if not transaction.run(_REVOKE_GROUND, values):
                raise DeskError("this recipient has no such ground in force")
            self._log.write(transaction, "ground.revoke", recipient, facts, at=at)

    # --- persons and the record ---------------------------------------------------------------

    def put_persons(self, persons: Sequence[Person], *, at: datetime) -> int:
        """Insert or replace as a new version, one transaction a call; how many changed."""
        return people.put(self._database, self._sealer, self._log, persons, at=at)

    def person_for_operator(self, pin: Pin, *, reason: str, at: datetime) -> Person | None:
        """A person's record for the operator's eyes; the look is itself recorded (cl. 13, 16)."""
        return people.look(self._database, self._sealer, self._log, pin, reason=reason, at=at)

    def disclosures(
        self, *, recipient: MemberCode | None, since: datetime | None, limit: int
    ) -> Sequence[DisclosureRow]:
        """The latest decisions first, at most `listing.MOST_ROWS`."""
        return listing.latest(
            self._database, self._sealer, recipient=recipient, since=since, limit=limit
        )

    def disclosure(self, disclosure_id: UUID) -> DisclosureRow | None:
        """One decision."""
        return listing.one(self._database, self._sealer, disclosure_id)


def _must_know(transaction: Transaction, code: MemberCode) -> None:
    if transaction.one(_RECIPIENT_KNOWN, {"code": code}) is None:
        raise DeskError("this recipient is not registered")

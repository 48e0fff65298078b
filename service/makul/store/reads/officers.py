"""Reads of the oversight port that need no lock: officers, owners of agreements, numbers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports import MonthCount, Notice, PendingDraft, RegisteredCertificate
from makul.app.ports.oversight import DecisionLine
from makul.app.ports.secrecy import ReleasedData, ReportedIncident
from makul.domain.agreements import AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.month_closing import ContestedLine, IssuedMonth
from makul.domain.months import Month, Period
from makul.domain.officers import Officer, OfficerRole
from makul.domain.oversight_cases import CaseStep, OversightCase
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import pack, unpack
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.reads.agreement_drafts import find_state, list_drafts
from makul.store.reads.data_to_erase import list_released_data
from makul.store.reads.decision_lines import list_lines
from makul.store.reads.incidents import find_incident, list_incidents
from makul.store.reads.monthly_counts import of_month
from makul.store.reads.months import list_contested, list_issued, read_document
from makul.store.reads.notices import list_notices
from makul.store.reads.oversight_cases import find_case, list_cases, list_steps
from makul.store.reads.person_headers import read_person_header, write_person_header
from makul.store.schema.registry_tables import agreement, officer, recipient

ALL_OFFICERS = select(
    officer.c.fingerprint,
    officer.c.member,
    officer.c.role,
    officer.c.sealed,
    officer.c.withdrawn_at,
).order_by(officer.c.member, officer.c.role, officer.c.added_at)
"""Every officer, including withdrawn ones."""

_ONE = ALL_OFFICERS.where(
    officer.c.fingerprint == bindparam("fingerprint"), officer.c.withdrawn_at.is_(None)
)
_OF_MEMBER = ALL_OFFICERS.where(
    officer.c.member == bindparam("member"), officer.c.withdrawn_at.is_(None)
)
_RECIPIENT = select(recipient.c.code).where(recipient.c.code == bindparam("code"))
_OWNER = select(agreement.c.recipient).where(agreement.c.number == bindparam("number"))


def find_officer(
    source: Database | Transaction, cipher: FieldCipher, fingerprint: bytes
) -> Officer | None:
    """Return the officer of a certificate; None if unknown or withdrawn."""
    row = source.fetch_one(_ONE, {"fingerprint": fingerprint})
    return officer_from_row(cipher, row) if row is not None else None


def encrypt_officer(cipher: FieldCipher, new: Officer) -> bytes:
    """Return the encrypted part of an officer's row: the person, and the digest of the key."""
    header = write_person_header(new.identifier, new.name, new.not_after)
    return cipher.encrypt(pack(header, [new.key_digest]), _associated_data(new.fingerprint))


def officer_from_row(cipher: FieldCipher, row: Row) -> Officer:
    """Read an officer from a row of `ALL_OFFICERS`. Raises `CodecError`."""
    fingerprint, member, role, sealed, withdrawn_at = row
    header, parts = unpack(cipher.decrypt(sealed, _associated_data(fingerprint)))
    person = read_person_header(header)
    return Officer(
        member=MemberCode(member),
        role=OfficerRole(role),
        identifier=person.identifier,
        name=person.name,
        fingerprint=fingerprint,
        key_digest=parts[0],
        withdrawn=withdrawn_at is not None,
        not_after=person.not_after,
    )


class StoreActRegister:
    """The implementation of `ports.acts.ActRegister`, and of the channels' register."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        """Return the body whose officer has this certificate; None if unknown or withdrawn."""
        known = self.officer(fingerprint)
        if known is None:
            return None
        return RegisteredCertificate(recipient=known.member, fingerprint=fingerprint)

    def is_recipient(self, code: MemberCode) -> bool:
        """Return whether a recipient is registered, in any state."""
        return self._database.fetch_one(_RECIPIENT, {"code": code}) is not None

    def officer(self, fingerprint: bytes) -> Officer | None:
        """Return the officer of this certificate; None if unknown or withdrawn."""
        return find_officer(self._database, self._cipher, fingerprint)

    def officer_by_identifier(self, member: MemberCode, identifier: str) -> Officer | None:
        """Return the officer of a body by identifier; None if unknown, withdrawn, or not one.

        A body has a few officers, so all of its rows are decrypted.
        """
        rows = self._database.fetch_all(_OF_MEMBER, {"member": member})
        officers = (officer_from_row(self._cipher, row) for row in rows)
        same = [each for each in officers if each.identifier == identifier]
        return same[0] if len(same) == 1 else None

    def agreement_owner(self, number: AgreementNumber) -> MemberCode | None:
        """Return the recipient of an agreement, which never changes; None if unknown."""
        row = self._database.fetch_one(_OWNER, {"number": number})
        return MemberCode(row[0]) if row is not None else None

    def issued_months(
        self, month: Month, recipient: MemberCode | None = None
    ) -> Sequence[IssuedMonth]:
        """Return the issued statements of a month, by recipient; or that of one recipient."""
        return list_issued(self._database, month, recipient)

    def signed_document(self, digest: bytes) -> bytes | None:
        """Return a document that an act stored: a head, or a confirmation."""
        return read_document(self._database, self._cipher, digest)

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month, the earliest first."""
        return list_contested(self._database, self._cipher, recipient, month)

    def decision_lines(
        self, recipient: MemberCode, period: Period, after: UUID | None, limit: int
    ) -> Sequence[DecisionLine] | None:
        """Return a page of a recipient's decisions; None if `after` is not one of them."""
        return list_lines(self._database, recipient, period, after, limit)

    def released_data(
        self, recipient: MemberCode, after: UUID | None, limit: int
    ) -> Sequence[ReleasedData] | None:
        """Return a page of released data; None if `after` is no decision of this recipient."""
        return list_released_data(self._database, self._cipher, recipient, after, limit)

    def incidents(self, recipient: MemberCode | None = None) -> Sequence[ReportedIncident]:
        """Return the newest incidents; or those of one recipient."""
        return list_incidents(self._database, self._cipher, recipient)

    def incident(self, incident_id: UUID) -> ReportedIncident | None:
        """Return an incident; None if there is none."""
        return find_incident(self._database, self._cipher, incident_id)

    def cases(self, *, referred: bool) -> Sequence[OversightCase]:
        """Return the newest cases; or only those that were referred."""
        return list_cases(self._database, referred=referred)

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""
        return find_case(self._database, case_id)

    def case_steps(self, case_id: UUID) -> Sequence[CaseStep]:
        """Return the steps of a case, the earliest first."""
        return list_steps(self._database, self._cipher, case_id)

    def agreement_state(self, number: AgreementNumber) -> AgreementState | None:
        """Return the state of an agreement; None if there is none."""
        return find_state(self._database, number)

    def pending_drafts(self, number: AgreementNumber | None = None) -> Sequence[PendingDraft]:
        """Return the drafts of all agreements by number; or that of one, with its bytes."""
        return list_drafts(self._database, self._cipher, number)

    def notices(self) -> Sequence[Notice]:
        """Return every notice, by number."""
        return list_notices(self._database)

    def month_counts(self, month: Month) -> Sequence[MonthCount]:
        """Count a month's decisions by recipient, purpose, outcome and ground."""
        return of_month(self._database, month)


def _associated_data(fingerprint: bytes) -> bytes:
    return field_associated_data("officer", "sealed", fingerprint)

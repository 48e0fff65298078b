"""The rows that a citizen's acts change, in the act's transaction: consents and locks (cl. 4)."""

from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from makul.app.ports.subject import OwnConsent
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.person_locks import MatchingState
from makul.store.admin.evidence_rows import EvidenceRows
from makul.store.admin.month_rights import MonthRows
from makul.store.db.codecs import micros
from makul.store.reads.subject_consents import find_own_consent
from makul.store.records.consent_revocations import revoke_consent
from makul.store.schema.registry_tables import matching_lock

UNLOCK_KIND = "UNLOCK"
"""The kind of evidence of a signed order to unlock."""

_STATE = select(matching_lock.c.state).where(
    matching_lock.c.subject_index == bindparam("subject_index")
)
_ADD_LOCK = insert(matching_lock)
_SET_LOCK = (
    update(matching_lock)
    .where(matching_lock.c.subject_index == bindparam("key_subject_index"))
    .values(
        state=bindparam("state"), document=bindparam("document"), changed_at=bindparam("changed_at")
    )
)


class SubjectRows(MonthRows, EvidenceRows):
    """The part of an act's rows that belongs to a citizen."""

    def own_consent(
        self, recipient: MemberCode, consent_id: UUID, citizen: Pin
    ) -> OwnConsent | None:
        """Return a consent that is about this citizen or was given by this citizen."""
        return find_own_consent(self._transaction, self._cipher, recipient, consent_id, citizen)

    def revoke_consent(self, recipient: MemberCode, consent_id: UUID, subject: Pin) -> None:
        """Revoke a consent from this commit on. The recipient must be locked."""
        key = {"recipient": recipient, "consent_id": consent_id.bytes}
        self._track("revocation", **key, subject_index=self._index(subject))
        revoke_consent(
            self._transaction,
            self._cipher,
            recipient,
            consent_id,
            subject=subject,
            document=None,
            at=self._at,
        )

    def matching_state(self, citizen: Pin) -> MatchingState | None:
        """Return the state that a citizen set; None if none was ever set."""
        return self._matching_state(self._index(citizen))

    def set_matching_state(
        self, citizen: Pin, state: MatchingState, document: bytes | None = None
    ) -> None:
        """Set the state from this commit on; `document` is the digest of the signed order."""
        self._set_matching_state(self._index(citizen), state, document)

    def _matching_state(self, index: bytes) -> MatchingState | None:
        row = self._transaction.fetch_one(_STATE, {"subject_index": index})
        return MatchingState(row[0]) if row is not None else None

    def _set_matching_state(
        self, index: bytes, state: MatchingState, document: bytes | None = None
    ) -> None:
        known = self._matching_state(index) is not None
        self._track("matching_lock", subject_index=index)
        values = {"state": state.value, "document": document, "changed_at": micros(self._at)}
        if known:
            self._transaction.execute(_SET_LOCK, {"key_subject_index": index, **values})
        else:
            self._transaction.execute(_ADD_LOCK, {"subject_index": index, **values})

    def keep_order(self, portal: MemberCode, document: bytes) -> bytes:
        """Store the exact bytes of a signed order as evidence, and return their digest."""
        return self.keep_document(UNLOCK_KIND, portal, document)

    def _index(self, citizen: Pin) -> bytes:
        return self._cipher.index("pin", citizen.digits)

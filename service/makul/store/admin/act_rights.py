"""The rows that acts read and change, in the transaction of the act."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from makul.domain.agreements import Agreement, AgreementState
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.officers import Officer
from makul.domain.oversight_cases import CaseState
from makul.domain.recipients import Recipient, RecipientState
from makul.store.admin.correction_rights import CorrectionRows
from makul.store.admin.deletion_rights import DeletionRows
from makul.store.admin.incident_rights import IncidentRows
from makul.store.admin.signature_rights import SignedRows
from makul.store.admin.subject_answer_rights import SubjectAnswerRows
from makul.store.admin.undertaking_rights import UndertakingRows
from makul.store.db.codecs import agreement_from_row, micros
from makul.store.reads.officers import find_officer
from makul.store.reads.registry import RECIPIENT, recipient_from_row
from makul.store.schema.registry_tables import (
    AGREEMENT_COLUMNS,
    agreement,
    oversight_case,
    recipient,
    reinstatement_proposal,
    termination_proposal,
)

_SET_RECIPIENT_STATE = (
    update(recipient)
    .where(recipient.c.code == bindparam("key_code"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_AGREEMENT = select(*AGREEMENT_COLUMNS).where(agreement.c.number == bindparam("number"))
_CHANGED_AT = select(agreement.c.changed_at).where(agreement.c.number == bindparam("number"))
_SET_AGREEMENT_STATE = (
    update(agreement)
    .where(agreement.c.number == bindparam("key_number"))
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_PROPOSALS = (
    select(termination_proposal.c.officer)
    .select_from(
        termination_proposal.join(agreement, agreement.c.number == termination_proposal.c.number)
    )
    .where(
        termination_proposal.c.number == bindparam("number"),
        termination_proposal.c.agreement_changed_at == agreement.c.changed_at,
    )
    .order_by(termination_proposal.c.proposed_at, termination_proposal.c.officer)
)
_PROPOSE = insert(termination_proposal)
_RECIPIENT_CHANGED_AT = select(recipient.c.changed_at).where(recipient.c.code == bindparam("code"))
_CASE_STATES = select(oversight_case.c.state).where(
    oversight_case.c.recipient == bindparam("recipient")
)
_REINSTATEMENTS = (
    select(reinstatement_proposal.c.officer)
    .select_from(
        reinstatement_proposal.join(
            recipient, recipient.c.code == reinstatement_proposal.c.recipient
        )
    )
    .where(
        reinstatement_proposal.c.recipient == bindparam("code"),
        reinstatement_proposal.c.recipient_changed_at == recipient.c.changed_at,
    )
    .order_by(reinstatement_proposal.c.proposed_at, reinstatement_proposal.c.officer)
)
_PROPOSE_REINSTATEMENT = insert(reinstatement_proposal)


class ActRights(
    IncidentRows, CorrectionRows, SubjectAnswerRows, SignedRows, UndertakingRows, DeletionRows
):
    """The locked rows of one act. Each change of a row is stated by the act.

    `changed` is True after the first change.
    """

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return a recipient; None if it is not registered."""
        row = self._transaction.fetch_one(RECIPIENT, {"code": code})
        return recipient_from_row(code, row) if row is not None else None

    def set_recipient_state(self, code: MemberCode, state: RecipientState) -> None:
        """Set a recipient's state from this commit on.

        The time of the change is one that no earlier state had, also if the clock was set back: a
        proposal to end a stop names it.
        """
        self._track("recipient", code=code)
        changed_at = max(micros(self._at), (self._recipient_changed_at(code) or 0) + 1)
        values = {"key_code": code, "state": state.value, "changed_at": changed_at}
        self._transaction.execute(_SET_RECIPIENT_STATE, values)

    def case_states(self, recipient: MemberCode) -> Sequence[CaseState]:
        """Return the states of all cases about a recipient."""
        rows = self._transaction.fetch_all(_CASE_STATES, {"recipient": recipient})
        return [CaseState(state) for (state,) in rows]

    def reinstatement_proposals(self, code: MemberCode) -> Sequence[Officer]:
        """Return the officers in office who proposed to end the stop that lasts now."""
        rows = self._transaction.fetch_all(_REINSTATEMENTS, {"code": code})
        officers = (
            find_officer(self._transaction, self._cipher, fingerprint) for (fingerprint,) in rows
        )
        return [each for each in officers if each is not None]

    def propose_reinstatement(self, code: MemberCode, officer: Officer) -> None:
        """Record that this officer proposes the end of the stop."""
        key = {
            "recipient": code,
            "recipient_changed_at": self._recipient_changed_at(code),
            "officer": officer.fingerprint,
        }
        self._track("reinstatement_proposal", **key)
        self._transaction.execute(_PROPOSE_REINSTATEMENT, {**key, "proposed_at": micros(self._at)})

    def _recipient_changed_at(self, code: MemberCode) -> int | None:
        row = self._transaction.fetch_one(_RECIPIENT_CHANGED_AT, {"code": code})
        return int(row[0]) if row is not None else None

    def agreement(self, number: AgreementNumber) -> Agreement | None:
        """Return an agreement; None if there is none."""
        row = self._transaction.fetch_one(_AGREEMENT, {"number": number})
        return agreement_from_row(row) if row is not None else None

    def termination_proposal(self, number: AgreementNumber) -> Officer | None:
        """Return the officer who proposed the termination; None if nobody in office did."""
        for (fingerprint,) in self._transaction.fetch_all(_PROPOSALS, {"number": number}):
            officer = find_officer(self._transaction, self._cipher, fingerprint)
            if officer is not None:
                return officer
        return None

    def propose_termination(self, number: AgreementNumber, officer: Officer) -> None:
        """Record that this officer proposes the termination."""
        (changed_at,) = self._transaction.fetch_one(_CHANGED_AT, {"number": number}) or (None,)
        key = {
            "number": number,
            "agreement_changed_at": changed_at,
            "officer": officer.fingerprint,
        }
        self._track("termination_proposal", **key)
        self._transaction.execute(_PROPOSE, {**key, "proposed_at": micros(self._at)})

    def terminate_agreement(self, number: AgreementNumber) -> None:
        """Terminate an agreement from this commit on; this cannot be undone."""
        self._track("agreement", number=number)
        state = AgreementState.TERMINATED.value
        values = {"key_number": number, "state": state, "changed_at": micros(self._at)}
        self._transaction.execute(_SET_AGREEMENT_STATE, values)

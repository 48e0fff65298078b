"""ListRevocations: which of a recipient's consents were taken back, by whatever way (cl. 4)."""

from dataclasses import dataclass

from makul.app.ports import Caller, Clock, Documents, Register, RejectedError
from makul.app.recording import Recording
from makul.app.requests import RevocationsQuery
from makul.domain.reasons import Code, Reason

PAGE = 100
"""Rows of a page where the asker names no number; recipient.xsd (PageLimit) allows ten times it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRevocations:
    """Tells a recipient about its own consents alone."""

    clock: Clock
    register: Register
    documents: Documents
    recording: Recording

    def __call__(self, asked: RevocationsQuery, caller: Caller) -> bytes:
        """One page, oldest first."""
        self.recording.register_message_id(caller, asked.request_id, at=self.clock())
        if self.register.recipient(caller.recipient) is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=asked.request_id)
        revoked, more = self.register.revocations(
            caller.recipient,
            since=asked.since,
            after=asked.after,
            limit=asked.limit if asked.limit is not None else PAGE,
        )
        return self.documents.revocations(asked.request_id, revoked, more=more)

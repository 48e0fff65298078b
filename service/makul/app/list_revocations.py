"""ListRevocations: a recipient's consents that were revoked in any way (cl. 4)."""

from dataclasses import dataclass

from makul.app.ports import Caller, Clock, Documents, Register, RejectedError
from makul.app.recording import Recording
from makul.app.requests import RevocationsQuery
from makul.domain.reasons import Code, Reason

PAGE = 100
"""Number of rows of a page if the request names none.

The schema recipient.xsd (`PageLimit`) allows ten times as many.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRevocations:
    """Lists only the recipient's own consents."""

    clock: Clock
    register: Register
    documents: Documents
    recording: Recording

    def __call__(self, query: RevocationsQuery, caller: Caller) -> bytes:
        """Return one page, oldest first."""
        self.recording.register_message_id(caller, query.request_id, at=self.clock())
        if self.register.recipient(caller.recipient) is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=query.request_id)
        revoked, more = self.register.revocations(
            caller.recipient,
            since=query.since,
            after=query.after,
            limit=query.limit if query.limit is not None else PAGE,
        )
        return self.documents.revocations(query.request_id, revoked, more=more)

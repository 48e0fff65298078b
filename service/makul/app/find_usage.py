"""FindUsage: the decisions about a citizen for a state's data tracker, which trusts its portal.

The tracker names the citizen by code and sends no ID token. So only a portal that the settings
allow may ask, and each answer is recorded as an act (Procedure, cl. 4 and 11).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Final
from uuid import UUID

from makul.app.acts import SubjectServices
from makul.app.ports import Caller, RejectedError
from makul.app.ports.acts import ActDecision, ActFacts, RecordedAct
from makul.app.ports.subject import DecisionSelection, SubjectDecision
from makul.app.subject_view import SubjectView
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code, Reason

OPERATION: Final = "findUsage"
MAX_USAGES: Final = 1000
"""Maximum number of usages in one answer."""
MAX_COUNTED: Final = 100_000
"""Maximum number of decisions that are counted for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """A question of the tracker."""

    request_id: UUID
    user: Pin
    start: datetime | None = None
    end: datetime | None = None
    """The instant after the last one."""
    offset: int = 0
    limit: int = MAX_USAGES
    represented: str | None = None
    """The party on whose behalf the portal says to ask. It is recorded and confers nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindUsage:
    """Answers the tracker with what ListDisclosures shows, and records it."""

    services: SubjectServices

    def __call__(self, query: UsageQuery, caller: Caller) -> bytes:
        """Return the answer as JSON, after its commit.

        Raises `RejectedError` (RCP-04, OVR-01, REQ-06) for a caller who may not ask.
        """
        services = self.services
        at = services.clock()
        portal = services.citizens.require_portal(caller, query.request_id)
        services.recording.register_message_id(caller, query.request_id, at=at)
        if not portal.may_find_usage:
            raise RejectedError(Reason(code=Code.OVR_01), request_id=query.request_id)
        content = json.dumps(self.count(query, at=at), ensure_ascii=False).encode()
        decision = ActDecision(
            outcome=Outcome.DONE, content=content, stated={"answer": sha256(content).hexdigest()}
        )
        return services.recorder.carry_out(
            _facts(query, caller, at=at), lambda _: decision, _content_of
        )

    def count(self, query: UsageQuery, *, at: datetime) -> Mapping[str, object]:
        """Return the number of visible decisions of a period, and a page of them."""
        view = SubjectView.of(self.services, query.user, at=at)
        selection = DecisionSelection(since=query.start, until=query.end)
        visible = list(islice(view.visible(selection), MAX_COUNTED))
        page = visible[query.offset : query.offset + query.limit]
        names = view.recipient_names(page)
        return {
            "totalUsages": len(visible),
            "usages": [_usage(each, names) for each in page],
        }


def _usage(
    decision: SubjectDecision, names: Mapping[MemberCode, str | None]
) -> Mapping[str, object]:
    parts: Sequence[str | None] = (
        decision.operation.value,
        decision.outcome.value,
        decision.purpose,
    )
    return {
        "logtime": decision.decided_at.isoformat().replace("+00:00", "Z"),
        "action": " ".join(part for part in parts if part is not None),
        "receiverCode": decision.recipient,
        "receiverName": names[decision.recipient],
        "receiverSystem": decision.usage.system if decision.usage is not None else None,
    }


def _facts(query: UsageQuery, caller: Caller, *, at: datetime) -> ActFacts:
    # Without the citizen, whose blind index is in the statement: a digest could be guessed.
    asked = (query.request_id, query.start, query.end, query.offset)
    return ActFacts(
        operation=OPERATION,
        port="subject",
        caller=caller,
        officer=None,
        request_id=query.request_id,
        request_digest=sha256(repr((*map(str, asked), query.limit)).encode()).digest(),
        at=at,
        target="disclosures",
        stated={"representedParty": query.represented},
        subject=query.user,
        reads_only=True,
    )


def _content_of(recorded: RecordedAct) -> bytes:
    return recorded.decision.content

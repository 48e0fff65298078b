"""Nothing leaves unrecorded, and an overtaken answer leaves as a refusal (invariants 1, 4, 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest

from makul.app.entry_renderer import EntryRenderer
from makul.app.ports import (
    Answer,
    Caller,
    Committed,
    Conflict,
    Documents,
    Entry,
    Evidence,
    FailedMatch,
    KnownRequest,
    MessageMark,
    MeteredUse,
    PersonDataFacts,
    QuotaUse,
    Receipt,
    Recorded,
    Refusal,
    RejectedError,
    Release,
    Replay,
    RequestKey,
)
from makul.app.recording import Recording
from makul.domain.agreements import Channel
from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.match_attempts import AttemptLimits
from makul.domain.reasons import Code, Reason
from makul.domain.usage import UsageLimits
from makul_testing.builders.records import a_consent

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BANK = MemberCode("COM/60000001")
PIN = Pin("20101199000123")
MARK = MessageMark(digest=b"m" * 32, forget_after=AT + timedelta(minutes=6))


A_DOCUMENT = Evidence(digest=b"e" * 32, kind="CONSENT", document=b"<Consent/>", report=b"{}")


class PlainDocuments:
    """Documents as readable bytes, so that a test sees what would leave."""

    def receipt(self, receipt: Receipt) -> bytes:
        return f"<receipt {receipt.outcome} {sorted(receipt.released)}/>".encode()

    def answer(self, answer: Answer) -> "PlainAnswer":
        codes = ",".join(reason.code for reason in answer.reasons)
        return PlainAnswer(
            b"<answer %s [%s] %s "
            % (answer.outcome.encode(), codes.encode(), answer.payload or b"-")
        )


@dataclass
class PlainAnswer:
    content: bytes

    @property
    def digest(self) -> bytes:
        return sha256(self.content).digest()

    def with_receipt(self, receipt: bytes) -> bytes:
        return self.content + receipt + b"/>"


class PlainSigner:
    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        return canonical + b"<signed/>"


class PlainEncryptor:
    def judge(self, certificate: bytes, *, at: datetime) -> Code | None:
        return None

    def encrypt(self, document: bytes, certificate: bytes) -> bytes:
        return b"<sealed to='%s'>%s</sealed>" % (certificate, document[::-1])


@dataclass
class ScriptedRecorder:
    """A recorder that answers `record` from a script, and keeps every entry."""

    script: Sequence[Recorded] = (Committed(),)
    replayed: Replay | Conflict = field(default_factory=lambda: Replay(b"<stored/>"))
    seen: bool = False
    inquiries: int = 0
    entries: list[Entry] = field(default_factory=list)

    def record(self, entry: Entry) -> Recorded:
        self.entries.append(entry)
        return self.script[len(self.entries) - 1]

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        return self.replayed

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        return not self.seen

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        self.inquiries += 1
        return self.inquiries


def recording(recorder: ScriptedRecorder) -> Recording:
    numbers = iter(range(1, 100))
    documents: Documents = PlainDocuments()  # type: ignore[assignment]
    return Recording(
        renderer=EntryRenderer(
            documents=documents,
            signer=PlainSigner(),
            encryptor=PlainEncryptor(),
            operator=MemberCode("GOV/70000001"),
            new_id=lambda: UUID(int=next(numbers)),
            new_salt=lambda: b"s" * 32,
        ),
        recorder=recorder,
    )


GROUND = a_consent()
FACTS = PersonDataFacts(
    caller=Caller(recipient=BANK, channel=Channel.WSSE, certificate=b"c" * 32, mark=MARK),
    request_id=UUID(int=7),
    request_digest=b"d" * 32,
    agreement_number=AgreementNumber("A-1"),
    at=AT,
    subject=PIN,
    ground=GROUND,
)
RELEASE = Release(
    facts=FACTS,
    released=frozenset({Attribute.SURNAME}),
    payload=b"<person>surname</person>",
    effects=(MeteredUse(ground=GROUND), QuotaUse(quota=10)),
)
KNOWN = KnownRequest(digest=FACTS.key.digest, asker=FACTS.key.asker)
CALLER = FACTS.caller


def test_the_bytes_recorded_are_the_bytes_that_leave() -> None:
    """docs/architecture.md, invariant 1: the returned bytes are those of the transaction."""
    recorder = ScriptedRecorder()

    answer = recording(recorder).record_and_render(RELEASE)

    assert answer == recorder.entries[0].answer
    assert b"<person>" in answer


def test_a_request_decided_meanwhile_gets_the_stored_answer() -> None:
    """docs/architecture.md, invariant 5: the second of two equal requests gets the
    stored answer.
    """
    recorder = ScriptedRecorder(script=(Replay(b"<first/>"),))

    assert recording(recorder).record_and_render(RELEASE) == b"<first/>"


@pytest.mark.parametrize("code", [Code.RCP_02, Code.RCP_03, Code.AGR_02, Code.CNS_05, Code.CNS_06])
def test_an_overtaken_release_leaves_as_a_recorded_refusal(code: Code) -> None:
    """docs/architecture.md, invariant 4: a new reason at commit removes the data and is
    recorded.
    """
    recorder = ScriptedRecorder(script=(Conflict((Reason(code=code),)), Committed()))

    answer = recording(recorder).record_and_render(RELEASE)

    refusal = recorder.entries[1]
    assert answer == refusal.answer
    assert refusal.decision == Refusal(facts=FACTS, reasons=(Reason(code=code),))
    assert not refusal.decision.has_preconditions
    assert b"<person>" not in answer


@pytest.mark.parametrize(
    ("code", "closes"), [(Code.CNS_06, True), (Code.MAT_06, False), (Code.AGR_06, False)]
)
def test_a_reason_with_retry_l_leaves_the_id_open(code: Code, closes: bool) -> None:
    """docs/architecture.md, invariant 5: retry N and F close the id, retry L does not."""
    recorder = ScriptedRecorder(script=(Conflict((Reason(code=code),)), Committed()))

    recording(recorder).record_and_render(RELEASE)

    assert recorder.entries[1].decision.closes_request_id is closes


def test_a_message_that_came_before_is_a_fault_and_records_nothing() -> None:
    """REQ-09: a replayed message is no new decision."""
    recorder = ScriptedRecorder(script=(Conflict((Reason(code=Code.REQ_09),)),))

    with pytest.raises(RejectedError, match="REQ-09"):
        recording(recorder).record_and_render(RELEASE)
    assert len(recorder.entries) == 1


def test_a_record_that_keeps_changing_is_not_disclosed() -> None:
    """OPS-03 means that it could not be settled, and is never a release."""
    overtaken = Conflict((Reason(code=Code.RCP_02),))
    recorder = ScriptedRecorder(script=(overtaken, overtaken, overtaken))

    with pytest.raises(RejectedError, match="OPS-03"):
        recording(recorder).record_and_render(RELEASE)


def test_a_retry_gets_the_stored_answer() -> None:
    """docs/architecture.md, invariant 5: the same id and digest disclose nothing more."""
    recorder = ScriptedRecorder()

    assert recording(recorder).replay_or_refuse(FACTS, KNOWN) == b"<stored/>"
    assert recorder.entries == []


def test_the_same_id_with_another_body_is_refused_and_keeps_the_first_answer() -> None:
    """REQ-04: the refusal is recorded, and the id's stored answer stays."""
    recorder = ScriptedRecorder()

    answer = recording(recorder).replay_or_refuse(FACTS, replace(KNOWN, digest=b"e" * 32))

    assert b"REQ-04" in answer
    assert b"<person>" not in answer
    assert not recorder.entries[0].decision.closes_request_id


def test_a_replay_whose_rights_have_ended_is_refused() -> None:
    """docs/architecture.md, invariant 4: a suspended recipient gets no stored answer either."""
    recorder = ScriptedRecorder(replayed=Conflict((Reason(code=Code.RCP_03),)))

    answer = recording(recorder).replay_or_refuse(FACTS, KNOWN)

    assert b"RCP-03" in answer
    assert b"<person>" not in answer
    assert not recorder.entries[0].decision.closes_request_id


def test_an_inquiry_that_came_before_is_rejected() -> None:
    """REQ-09 applies to operations without a decision too."""
    with pytest.raises(RejectedError, match="REQ-09"):
        recording(ScriptedRecorder(seen=True)).register_message_id(CALLER, UUID(int=7), at=AT)


def test_inquiries_are_limited_by_the_minute() -> None:
    """REQ-06: operations without a decision are limited too, and rejected without a record."""
    limited = replace(
        recording(ScriptedRecorder()), limits=UsageLimits(requests_a_minute=2, bytes_a_day=1)
    )
    for _ in range(2):
        limited.register_message_id(CALLER, UUID(int=7), at=AT)

    with pytest.raises(RejectedError, match="REQ-06"):
        limited.register_message_id(CALLER, UUID(int=7), at=AT)


def test_the_leaf_commits_to_every_fact() -> None:
    """A leaf's statement names the decision, and a changed fact changes the leaf."""
    first, second = ScriptedRecorder(), ScriptedRecorder()
    recording(first).record_and_render(RELEASE)
    recording(second).record_and_render(Refusal(facts=FACTS, reasons=(Reason(code=Code.CNS_04),)))

    assert first.entries[0].leaf.hash != second.entries[0].leaf.hash
    assert PIN.digits.encode() in first.entries[0].leaf.statement


FORGED = Reason(code=Code.CNS_02, because=Code.SIG_02)
SPENT = Conflict((Reason(code=Code.REQ_06),))


def test_a_full_day_hides_no_refusal() -> None:
    """Procedure, cl. 12: a party that first fills a day's evidence still leaves a trace of each
    forgery.
    """
    recorder = ScriptedRecorder(script=(SPENT, Committed()))
    forged = Refusal(facts=replace(FACTS, evidence=(A_DOCUMENT,)), reasons=(FORGED,))

    recording(recorder).record_and_render(forged)

    refusal = recorder.entries[1].decision
    assert refusal.evidence == ()
    assert [reason.code for reason in refusal.reasons] == [Code.CNS_02, Code.REQ_06]


def test_a_full_day_reveals_no_comparison() -> None:
    """docs/architecture.md, invariant 6: a result is hidden if its failed attempt is
    not counted.
    """
    recorder = ScriptedRecorder(script=(SPENT, Committed()))
    compared = Refusal(
        facts=replace(FACTS, evidence=(A_DOCUMENT,)),
        reasons=(Reason(code=Code.MAT_02),),
        effects=(FailedMatch(subject=PIN, limits=AttemptLimits()),),
    )

    recording(recorder).record_and_render(compared)

    assert [reason.code for reason in recorder.entries[1].decision.reasons] == [Code.REQ_06]

"""The work of each duty in a furnished store: everything that its commands and requests do.

The order is: the operator registers, the workers decide, the sequencer recovers and sequences, the
operator verifies the records by the ledger. Then the workers record, read and delete, and the
operator reads and withdraws.
"""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace
from uuid import uuid4

import psycopg

from makul.app.acts import SubjectRequest
from makul.app.oversight.cut_off_recipient import CutOffRequest
from makul.app.oversight.get_case import CaseQuery
from makul.app.oversight.get_month import MonthRequest
from makul.app.oversight.list_disclosures import DisclosuresRequest
from makul.app.oversight.open_case import OpeningRequest
from makul.app.oversight.refer_case import ReferralRequest
from makul.app.oversight.reinstate_recipient import ReinstatementRequest
from makul.app.oversight.sign_month import SigningRequest
from makul.app.oversight.terminate_agreement import TerminationRequest
from makul.app.ports import (
    Committed,
    ExportOptions,
    Official,
    OperatorRegistry,
    PaperConsentUse,
    QuotaUse,
    Replay,
)
from makul.app.ports.ledger import RecoveryResult, Sequenced, SignedTree
from makul.app.ports.subject_answers import LinkToken
from makul.app.recipient_acts.attest_deletion import AttestationRequest
from makul.app.recipient_acts.confirm_month import ConfirmationRequest
from makul.app.recipient_acts.get_monthly_statement import StatementQuery
from makul.app.recipient_acts.record_undertaking import UndertakingRequest
from makul.app.recipient_acts.report_incident import IncidentReport
from makul.app.subject_acts.get_disclosure_receipt import DisclosureReceiptRequest
from makul.app.subject_acts.list_consents import ConsentListRequest
from makul.app.subject_acts.list_disclosures import DisclosureListRequest
from makul.app.subject_acts.report_not_me import DenialRequest
from makul.app.subject_acts.revoke_consent import CitizenRevocationRequest
from makul.app.subject_acts.unlock import UnlockRequest
from makul.domain.attributes import Attribute
from makul.domain.calendar import legal_day
from makul.domain.cases import CasePeriod, CaseScope
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import AgreementNumber
from makul.domain.incidents import IncidentKind
from makul.domain.month_closing import IssuedMonth, LineAnswer, MonthState
from makul.domain.months import Month, month_of
from makul.domain.officers import Officer
from makul.domain.oversight_cases import (
    CaseChoice,
    CaseParty,
    CaseProposal,
    CaseState,
    EvidenceFile,
    period_of_month,
)
from makul.domain.recipients import RecipientState
from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE
from makul.store import Store
from makul.store.db.location import PostgresLocation
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.agreements import (
    AUTHORISED_BODY,
    NOTICE_TEXTS,
    agree,
    approved_notice,
    three,
)
from makul_testing.builders.entries import (
    a_comparison,
    a_failed_match,
    a_metered_release,
    a_registration,
    a_release,
    a_revocation,
)
from makul_testing.builders.notifications import a_notification
from makul_testing.builders.oversight import (
    AN_UNDERTAKING,
    CONTENT,
    UNLOCK_ID,
    an_officer,
    build_operations,
    caller_of,
)
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    FINGERPRINT,
    GULNARA,
    NOON,
    POLICE,
    a_caller,
    a_consent,
    a_key,
    a_mark,
    a_person,
    a_recipient,
    an_agreement,
    an_evidence,
)
from makul_testing.builders.signing import lay_before_the_body, sign_as_the_body
from makul_testing.builders.subject import (
    PORTAL_CALLER,
    a_token,
    answer_check,
    build_subject_operations,
)
from makul_testing.tlog.builder import LEASE, ORIGIN, build_recording, check_ledger, some_drafts

OFFICIAL = Official(recipient=BANK, identifier="O-1", name="O", fingerprint=b"o" * 32)
ENCRYPTION_CERTIFICATE = b"der"
ENCRYPTION_FINGERPRINT = sha256(ENCRYPTION_CERTIFICATE).digest()
OFFICERS = (an_officer(1), an_officer(2))
LEAVING = an_officer(3)
DRAFTS = some_drafts()
ISSUED = IssuedMonth(
    recipient=BANK,
    month=month_of(NOON),
    state=MonthState.ISSUED,
    head=sha256(b"head").digest(),
    content=CONTENT,
    issued_at=NOON,
    confirm_by=NOON + timedelta(days=10),
)
UNSIGNED = an_agreement(number=AgreementNumber("A-3"), recipient=POLICE)
EVIDENCE = EvidenceFile(digest=b"e" * 32, size=1, part_digests=(b"e" * 32,))
PROPOSAL = CaseProposal(
    recipient=BANK,
    period=period_of_month(ISSUED.month),
    reason="NO_GROUND 1",
    party=CaseParty.OPERATOR,
)
LATER = NOON + timedelta(days=8)
"""A time at which everything is due for housekeeping."""


# --- the work of the desk -----------------------------------------------------------------------


def registers(registry: OperatorRegistry) -> None:
    """Register a recipient and all that belongs to one; terms, a notice and a person."""
    registry.add_recipient(a_recipient(POLICE), at=NOON)
    registry.add_certificate(POLICE, b"p" * 32, b"der", at=NOON)
    registry.add_encryption_certificate(
        BANK, ENCRYPTION_FINGERPRINT, ENCRYPTION_CERTIFICATE, at=NOON
    )
    registry.add_official(OFFICIAL, at=NOON)
    terms = an_agreement(number=AgreementNumber("A-2"), recipient=POLICE)
    agree(registry, terms, at=NOON)
    agree(registry, replace(terms, daily_quota=2), at=NOON)
    for officer in (*OFFICERS, LEAVING):
        registry.add_officer(officer, at=NOON)
    registry.withdraw_officer(LEAVING.fingerprint, reason="test", at=NOON)
    approved_notice(registry, "BANK-2026/1", NOTICE_TEXTS, at=NOON)
    lay_before_the_body(registry, UNSIGNED)
    assert registry.put_persons([a_person(GULNARA)], at=NOON) == 1
    registry.issue_month(ISSUED, b"head", at=NOON, proposal=PROPOSAL)


def answers_the_contested_line(registry: OperatorRegistry) -> None:
    """Answer the line that the bank contests."""
    (line,) = registry.contested_lines(BANK, ISSUED.month)
    registry.answer_line(
        BANK, ISSUED.month, line.disclosure_id, LineAnswer.UPHELD, reason="test", at=NOON
    )


def attaches_evidence(registry: OperatorRegistry) -> None:
    """Attach the evidence file of the open case."""
    (case,) = (each for each in registry.cases() if each.state is CaseState.OPEN)
    registry.attach_evidence(case.case_id, EVIDENCE, reason="test", at=NOON)


def looks(registry: OperatorRegistry) -> None:
    """Read everything that is listed, shown or exported."""
    assert len(registry.recipients()) == 2
    assert registry.certificates()
    assert registry.encryption_certificates()
    assert registry.notices()
    assert registry.signatories()
    assert registry.officers()
    case = registry.cases()[0]
    assert registry.case(case.case_id) == case
    assert registry.case_steps(case.case_id)
    assert registry.issued_months()
    assert registry.issued_months(ISSUED.month)
    assert registry.agreements()
    assert registry.agreement_signatures(AGREEMENT_NUMBER)
    assert registry.draft_document(AGREEMENT_NUMBER) is not None
    assert registry.person_for_operator(AZAMAT, reason="test", at=NOON) is not None
    (latest, *_) = registry.disclosures(recipient=BANK, since=None, limit=5)
    assert registry.disclosure(latest.disclosure_id) is not None
    assert registry.read_decision_evidence(latest.disclosure_id, at=NOON) is not None
    assert registry.repetitions(limit=5)
    month, look = Month(2026, 11), ExportOptions(revealed=False, reason=None)
    assert registry.statistics(month)
    assert list(registry.export(month, None, look, at=NOON))
    with registry.read_month(month, BANK, draft=False, at=NOON) as recorded:
        assert list(recorded.decisions)
    period = CasePeriod(NOON.date() - timedelta(days=400), NOON.date() + timedelta(days=400))
    case = registry.read_case(period, BANK, reason="a case", preview=False, at=NOON)
    for each in case.period.decisions:
        assert case.read_record(each.decision.disclosure_id).statement


def takes_away(registry: OperatorRegistry) -> None:
    """End a ground, an official, certificates, a signatory, an agreement, a recipient."""
    held = a_recipient(state=RecipientState.ON_HOLD)
    registry.revoke_ground(BANK, GroundKind.CONSENT, REGISTERED.id, reason="test", at=NOON)
    registry.withdraw_official(BANK, OFFICIAL.fingerprint, reason="test", at=NOON)
    registry.withdraw_certificate(BANK, FINGERPRINT, reason="test", at=NOON)
    registry.withdraw_encryption_certificate(BANK, ENCRYPTION_FINGERPRINT, reason="test", at=NOON)
    registry.withdraw_signatory(AUTHORISED_BODY, three(BANK)[0].fingerprint, reason="test", at=NOON)
    registry.terminate_agreement(AGREEMENT_NUMBER, reason="test", at=NOON)
    registry.set_state(held, reason="test", at=NOON)
    registry.rename_recipient(BANK, "New Bank", reason="test", at=NOON)


def holds_the_record_against_the_log(store: Store, signer: NoteSigner) -> None:
    """Do the work of `makul ledger verify`, `status` and `export`."""
    report = check_ledger(store, signer, at=NOON + timedelta(minutes=15), lost=1)
    assert report.finding is None
    assert report.checked > len(DRAFTS)
    latest = store.ledger.latest()
    assert latest is not None
    assert store.ledger.tile(0, 0, latest.size)
    assert store.ledger.state().size == latest.size


# --- the work of the workers --------------------------------------------------------------------

REGISTERED = a_consent(subject=AZAMAT, representative=GULNARA, allowed=3)
METERED = a_consent(b"<Consent>metered</Consent>", subject=GULNARA)
RELEASED = a_metered_release(
    METERED,
    QuotaUse(quota=9),
    a_comparison(),
    key=a_key(),
    evidence=(an_evidence(),),
    certificate=FINGERPRINT,
    encrypt_to=ENCRYPTION_CERTIFICATE,
    official=OFFICIAL.fingerprint,
    mark=a_mark(),
)


def decides(store: Store) -> None:
    """Make one decision of each kind, with leaves that really commit to it."""
    for draft in DRAFTS:
        build_recording(store).record_and_render(draft)


def serves(store: Store) -> None:
    """Record, repeat answers, read and delete."""
    _records(store)
    _answers_again(store)
    _reads(store)
    _closes_a_month(store)
    _keeps_secrecy(store)
    assert store.outbox.state(at=NOON).waiting == 5  # for readiness
    assert store.housekeep(at=LATER).attempts == 3


def _records(store: Store) -> None:
    """Record a registration, releases on it and on another, failed matches, a
    revocation, a mark.
    """
    registration = a_registration(
        REGISTERED,
        an_evidence(),
        PaperConsentUse(official=OFFICIAL.fingerprint, quota=5),
    )
    of_another = a_consent(b"<Consent>revoked</Consent>", subject=AZAMAT)
    for entry in (
        registration,
        RELEASED,
        *(a_release(a_notification(), ground=REGISTERED, key=a_key()) for _ in range(3)),
        ASKED_ABOUT,
        a_release(ground=REGISTERED, message=b"<Envelope/>"),
        a_failed_match(),
        a_failed_match(decided_at=NOON + timedelta(seconds=1)),
        a_revocation(of_another),
    ):
        assert store.recorder.record(entry) == Committed()
    assert store.recorder.register_message_id(a_mark(b"\0" * 32), at=NOON)
    assert store.recorder.count_inquiry(BANK, at=NOON) == 1


def _answers_again(store: Store) -> None:
    """Repeat the stored answer of an id."""
    again = store.recorder.replay(
        RELEASED.key, a_caller(a_mark(b"n" * 32), certificate=FINGERPRINT), at=NOON
    )
    assert again == Replay(RELEASED.answer)


def _closes_a_month(store: Store) -> None:
    """Read the statement of a month, contest a line of it, and confirm it."""
    acts = build_operations(
        store, package="makul.app.recipient_acts", document_signer=three(BANK)[2].fingerprint
    )
    month, caller = ISSUED.month, a_caller(certificate=FINGERPRINT)
    query = StatementQuery(request_id=uuid4(), digest=b"3" * 32, month=month, page=None)
    assert acts["GetMonthlyStatement"](query, caller) == b"DONE"
    line = SimpleNamespace(
        disclosureId=str(RELEASED.disclosure_id),
        reason="not ours",
        exception="UNREPORTED_BY_RECIPIENT",
        receipt=None,
    )
    for statement, lines in ((None, [line]), (b"<signed/>", None)):
        request = ConfirmationRequest(
            request_id=uuid4(),
            digest=b"4" * 32,
            month=month,
            statement=statement,
            contested_line=lines,
        )
        assert acts["ConfirmMonth"](request, caller) == b"DONE"


def _keeps_secrecy(store: Store) -> None:
    """Record an undertaking and its end, report an incident, and attest a deletion."""
    acts = build_operations(
        store, package="makul.app.recipient_acts", document_signer=FINGERPRINT, pin=AZAMAT
    )
    caller, day = a_caller(certificate=FINGERPRINT), legal_day(NOON)
    signed = UndertakingRequest(
        request_id=uuid4(),
        digest=b"5" * 32,
        document=b"<signed/>",
        undertaking_id=None,
        ended_on=None,
    )
    ended = replace(
        signed,
        request_id=uuid4(),
        document=None,
        undertaking_id=AN_UNDERTAKING.undertaking_id,
        ended_on=day,
    )
    for undertaking in (signed, ended):
        assert acts["RecordUndertaking"](undertaking, caller) == b"DONE"
    report = IncidentReport(
        request_id=uuid4(),
        digest=b"6" * 32,
        kind=IncidentKind.LOSS,
        happened_from=NOON,
        happened_to=None,
        discovered_at=NOON,
        disclosure_id=[str(RELEASED.disclosure_id)],
        affected=1,
        description="t",
        measures="t",
    )
    assert acts["ReportIncident"](report, caller) == b"DONE"
    attestation = AttestationRequest(
        request_id=uuid4(),
        digest=b"7" * 32,
        disclosure_id=[str(RELEASED.disclosure_id)],
        erased_on=day,
        after=None,
    )
    listing = replace(attestation, request_id=uuid4(), disclosure_id=None, erased_on=None)
    for request in (listing, attestation):
        assert acts["AttestDeletion"](request, caller) == b"DONE"


def _reads(store: Store) -> None:
    """Read everything of the register and the ledger that a request may read."""
    register = store.register
    assert register.certificate(FINGERPRINT) is not None
    assert register.recipient(BANK) is not None
    assert register.snapshot(RELEASED.key, AGREEMENT_NUMBER, at=NOON).known is not None
    assert register.encryption_certificate(BANK) is not None
    assert register.official(BANK, OFFICIAL.fingerprint) == OFFICIAL.identifier
    assert register.notice_approved("BANK-2026/1", sha256(NOTICE_TEXTS["ky"]).digest(), "ky")
    assert len(register.agreement_signatures(AGREEMENT_NUMBER)) == 3
    assert register.use(BANK, REGISTERED).registered_at is not None
    assert register.registered_consent(BANK, REGISTERED.id) is not None
    assert register.consent_status(BANK, REGISTERED.id) is not None
    assert register.given_by(BANK, REGISTERED.id, GULNARA)
    assert register.revocations(BANK, since=None, after=None, limit=9)[0]
    found = register.person(AZAMAT)
    assert found is not None
    assert Attribute.FACE_IMAGE in register.with_samples(found, frozenset(Attribute)).values
    assert register.attempts(BANK, AZAMAT, "teller-42", since=NOON).by_pin == 2
    assert register.receipt(BANK, RELEASED.key.request_id) is not None
    decided = register.receipt(BANK, DRAFTS[0].facts.key.request_id)
    assert decided is not None
    placed = store.ledger.inclusion(decided.disclosure_id)
    assert placed is not None
    assert b"witness-line" in placed.note
    assert store.ledger.state().waiting


# --- the work of the sender of notifications ------------------------------------------------------


def notifies(store: Store) -> None:
    """Deliver one notification, give one up, postpone one and release one; forget a link."""
    outbox = store.outbox
    delivered, given_up, postponed, released, _ = outbox.claim(5, timedelta(minutes=1), at=NOON)
    assert outbox.recipient_name(BANK)
    outbox.add_link(delivered, sha256(LINKED).digest(), expires_at=LATER)
    outbox.add_link(delivered, b"l" * 32, expires_at=NOON)
    outbox.mark_delivered(delivered, at=NOON)
    outbox.give_up(given_up)
    outbox.postpone(postponed, until=LATER)
    outbox.release(released, at=NOON)
    outbox.forget_links(at=NOON + timedelta(seconds=1))
    assert outbox.state(at=LATER).given_up == 1


LINKED = b"t" * 32
"""The token of the link that reports."""

ASKED_ABOUT = a_release(a_notification(), key=a_key())
"""A disclosure of the sample."""


def asks_subjects(store: Store) -> None:
    """Ask about a disclosure of a month's sample, and list what was said; begin again."""
    ids = [ASKED_ABOUT.disclosure_id]
    asked = store.questions.ask(BANK, ISSUED.month, ids, answer_by=LATER, at=NOON)
    assert (asked.drawn, asked.asked) == (1, 1)
    assert len(store.questions.answers(BANK, ISSUED.month)) == 1
    (listed,) = store.outbox.undelivered(given_up=True, limit=9, at=LATER)
    store.outbox.begin_again(listed.disclosure_id, listed.kind, reason="t", at=NOON)


# --- the work of the oversight port --------------------------------------------------------------


def oversees(store: Store) -> None:
    """Read numbers, cut a recipient off, and end its agreement as two officers."""
    register, (first, second) = store.oversight, OFFICERS
    assert register.certificate(first.fingerprint) is not None
    assert register.officer_by_identifier(first.member, first.identifier) == first
    assert register.month_counts(Month(2026, 11))
    assert store.register.recipient(BANK) is not None  # readiness
    assert store.ledger.state().size
    number = AgreementNumber("A-2")
    assert register.agreement_owner(number) == POLICE
    mark = a_mark(b"\0" + b"\1" * 31)  # it also sweeps
    assert store.recorder.register_message_id(mark, at=NOON)
    assert not store.recorder.register_message_id(mark, at=NOON)
    assert store.recorder.register_message_id(a_mark(bytes(32)), at=LATER)  # forgets the first
    assert store.ledger.state().waiting is not None  # for readiness
    assert store.recorder.count_inquiry(first.member, at=NOON) == 1
    assert store.recorder.count_inquiry(first.member, at=NOON) == 2
    operations = build_operations(store)
    cut = CutOffRequest(request_id=uuid4(), digest=b"1" * 32, recipient=POLICE, justification="t")
    for _ in range(2):  # a retry gets the stored answer
        assert operations["CutOffRecipient"](cut, caller_of(first)) == b"DONE"
    for officer in (first, second):
        end = TerminationRequest(
            request_id=uuid4(), digest=b"2" * 32, agreement_number=number, justification="t"
        )
        assert operations["TerminateAgreement"](end, caller_of(officer)) == b"DONE"
    again = ReinstatementRequest(
        request_id=uuid4(), digest=b"8" * 32, recipient=POLICE, justification="t"
    )
    assert operations["ReinstateRecipient"](again, caller_of(first)) == b"DONE"
    _signs_a_month(store, first)
    sign_as_the_body(store, UNSIGNED, first)
    lines = DisclosuresRequest(
        request_id=uuid4(),
        digest=b"7" * 32,
        recipient=BANK,
        month=Month(2026, 11),
        first_day=None,
        last_day=None,
        after=RELEASED.disclosure_id,
    )
    assert operations["ListDisclosures"](lines, caller_of(first)) == b"DONE"


def opens_a_case(store: Store) -> None:
    """Dismiss the proposed case, open another one, and look at the first."""
    operations, officer = build_operations(store), OFFICERS[0]
    cases = store.oversight.cases(referred=False)
    (case,) = (each for each in cases if each.period == PROPOSAL.period)
    opening = OpeningRequest(
        request_id=uuid4(),
        digest=b"8" * 32,
        case_id=case.case_id,
        choice=CaseChoice.OPEN,
        recipient=None,
        first_day=None,
        last_day=None,
        scope=None,
        justification="t",
    )
    day = case.period.first
    new = replace(
        opening,
        request_id=uuid4(),
        case_id=None,
        choice=None,
        recipient=BANK,
        first_day=day,
        last_day=day,
        scope=CaseScope.ALL,
    )
    dismissal = replace(opening, request_id=uuid4(), choice=CaseChoice.DISMISS)
    for request in (dismissal, new):
        assert operations["OpenCase"](request, caller_of(officer)) == b"DONE"
    query = CaseQuery(request_id=uuid4(), digest=b"9" * 32, case_id=case.case_id)
    assert operations["GetCase"](query, caller_of(officer)) == b"DONE"


def refers_the_case(store: Store) -> None:
    """Refer the open case, which has its evidence file."""
    (case,) = (each for each in store.oversight.cases(referred=False) if each.evidence)
    referral = ReferralRequest(
        request_id=uuid4(), digest=b"a" * 32, case_id=case.case_id, justification="t"
    )
    assert build_operations(store)["ReferCase"](referral, caller_of(OFFICERS[0])) == b"DONE"
    assert store.oversight.cases(referred=True)


def _signs_a_month(store: Store, officer: Officer) -> None:
    """Read a month and close it."""
    signatory = three(BANK)[0]
    operations = build_operations(store, document_signer=signatory.fingerprint)
    asked = MonthRequest(
        request_id=uuid4(), digest=b"5" * 32, month=ISSUED.month, recipient=BANK, page=None
    )
    assert operations["GetMonth"](asked, caller_of(officer)) == b"DONE"
    signing = SigningRequest(
        request_id=uuid4(),
        digest=b"6" * 32,
        recipient=BANK,
        month=ISSUED.month,
        statement=b"<signed by the body/>",
    )
    assert operations["SignMonth"](signing, caller_of(officer)) == b"DONE"


# --- the work of the subject port ----------------------------------------------------------------


def answers_citizens(store: Store) -> None:
    """Do everything that a portal asks for on behalf of a citizen."""
    assert store.register.recipient(BANK) is not None  # readiness
    assert store.ledger.state().size
    marks = [a_mark(b"\0" + b"\2" * 31), a_mark(b"\0" + b"\3" * 31)]
    assert store.recorder.register_message_id(marks[0], at=NOON)
    assert store.recorder.register_message_id(marks[1], at=LATER)  # forgets the first
    operations = build_subject_operations(store)
    _speaks(store)
    for request_id in (uuid4(), uuid4()):  # the second counts up
        listing = DisclosureListRequest(
            request_id=request_id,
            digest=b"7" * 32,
            id_token=a_token(AZAMAT, request_id),
            since=None,
            until=None,
            after=None,
            limit=None,
        )
        for _ in range(2):  # the same token serves the same request again
            assert operations["ListDisclosures"](listing, PORTAL_CALLER) == b"DONE"
    assert store.subject.document(BANK, bytes(32)) is None
    operations = build_subject_operations(store, document_signer=AZAMAT)
    released, consent = RELEASED.disclosure_id, METERED.id
    for name, kind, fields in (
        ("GetDisclosureReceipt", DisclosureReceiptRequest, {"disclosure_id": released}),
        ("ListConsents", ConsentListRequest, {"after": None, "limit": 1}),
        ("RevokeConsent", CitizenRevocationRequest, {"recipient": BANK, "consent_id": consent}),
        ("UnlockMatching", UnlockRequest, {"document": b"<signed/>"}),
        ("LockMatching", SubjectRequest, {}),
    ):
        request_id = UNLOCK_ID if name == "UnlockMatching" else uuid4()
        token = a_token(AZAMAT, request_id)
        act = kind(request_id=request_id, digest=b"8" * 32, id_token=token, **fields)
        assert operations[name](act, PORTAL_CALLER) == b"DONE"


def _speaks(store: Store) -> None:
    """Report from a link, lock matching and propose a case; repeat it; answer a question."""
    operations, link = build_subject_operations(store), LinkToken(LINKED)
    reported, requests = [b"DONE", b"DONE", b"REFUSED OVR-06"], [uuid4(), uuid4()]
    for request_id, expected in zip((requests[0], *requests), reported, strict=True):
        report = DenialRequest(
            request_id=request_id,
            digest=b"8" * 32,
            link_token=link,
            id_token=None,
            lock_matching=True,
        )
        assert operations["ReportNotMe"](report, PORTAL_CALLER) == expected
    answer_check(store, AZAMAT, ASKED_ABOUT.disclosure_id)


# --- the work of the sequencer ------------------------------------------------------------------


def recovers(store: Store, signer: NoteSigner, place: PostgresLocation) -> None:
    """Recover two leaves of a newer copy's publication: this copy holds only the first."""
    with psycopg.connect(place.url) as connection:
        row = connection.execute(
            "SELECT leaf_hash FROM ledger_leaf ORDER BY recorded_at"
        ).fetchone()
    assert row is not None
    leaves = [row[0], b"lost" * 8]
    edge = EMPTY_EDGE.extended(leaves).edge
    note = signer.sign(Checkpoint(ORIGIN, edge.size, edge.root()).body())
    promised = SignedTree(size=edge.size, root=edge.root(), note=note, made_at=NOON)

    recovery = store.recover_ledger(promised, leaves, replace(LEASE, length=timedelta()), at=NOON)

    assert recovery == RecoveryResult(placed=1, lost=1, size=2)


def sequences(store: Store, signer: NoteSigner) -> None:
    """Sequence the rest in two rounds, read meanwhile, then add a witness's line, then end."""
    ledger = store.ledger
    for batch in (3, 100):
        recovery = ledger.sequence(signer, LEASE, at=NOON, batch=batch)
        assert isinstance(recovery, Sequenced)
        assert recovery.taken
    assert ledger.sequence(signer, LEASE, at=NOON, batch=100).taken == 0  # type: ignore[union-attr]
    latest = ledger.latest()
    assert latest is not None
    assert ledger.keep_cosignatures(latest.size, {"w": "witness-line"}, at=NOON) == 1
    assert ledger.tile(0, 0, latest.size)
    assert ledger.state().waiting == 0
    ledger.release(LEASE)

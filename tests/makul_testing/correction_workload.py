"""The work of each duty on corrections (Procedure, cl. 14), for the test of its privileges."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from makul.app.acts import SubjectRequest
from makul.app.oversight.list_corrections import CorrectionsQuery
from makul.app.oversight.resolve_correction import ResolutionRequest
from makul.app.recipient_acts.acknowledge_correction import CorrectionAcknowledgement
from makul.app.recipient_acts.get_correction import CorrectionQuery
from makul.app.recipient_acts.report_inaccuracy import InaccuracyReport
from makul.app.subject_acts.request_correction import CorrectionRequest
from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    DEFAULT_TERMS,
    CorrectionKind,
    CorrectionOutcome,
    CorrectionState,
)
from makul.domain.identifiers import MemberCode
from makul.store import Store
from makul_testing.builders.oversight import build_operations, caller_of
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    BANK,
    FINGERPRINT,
    GULNARA,
    NOON,
    a_caller,
)
from makul_testing.builders.subject import PORTAL_CALLER, a_token, build_subject_operations
from makul_testing.role_workloads import OFFICERS, RELEASED

LATE = NOON + timedelta(minutes=30)
RECIPIENT_ACTS = "makul.app.recipient_acts"


def reports(store: Store) -> None:
    """Report a value that the bank was given."""
    attribute = min(RELEASED.decision.released - {Attribute.PIN})
    request = InaccuracyReport(
        request_id=uuid4(),
        digest=b"c" * 32,
        disclosure_id=RELEASED.disclosure_id,
        attribute=attribute,
        kind=CorrectionKind.WRONG,
        justification="t",
        proposed_value=None,
    )
    acts = build_operations(store, package=RECIPIENT_ACTS)
    assert acts["ReportInaccuracy"](request, a_caller(certificate=FINGERPRINT)) == b"DONE"


def reports_as_citizen(store: Store) -> None:
    """Report a value of one's own, and list own reports."""
    operations = build_subject_operations(store)
    request_id = uuid4()
    request = CorrectionRequest(
        request_id=request_id,
        digest=b"d" * 32,
        id_token=a_token(GULNARA, request_id),
        attribute=Attribute.CITIZENSHIP,
        kind=CorrectionKind.OUT_OF_DATE,
        justification="t",
        proposed_value="KG",
    )
    assert operations["RequestCorrection"](request, PORTAL_CALLER) == b"DONE"
    request_id = uuid4()
    listing = SubjectRequest(
        request_id=request_id, digest=b"e" * 32, id_token=a_token(GULNARA, request_id)
    )
    assert operations["ListCorrections"](listing, PORTAL_CALLER) == b"DONE"


def corrects(store: Store) -> None:
    """Examine the report, enter a value, and reject the other report."""
    desk = store.correction_desk
    by_origin = {
        each.correction.origin.value: each.correction for each in desk.everything(open_only=True)
    }
    report, other = by_origin["RECIPIENT"], by_origin["SUBJECT"]
    assert desk.read(report.correction_id, reason="t", at=LATE) is not None
    assert desk.dispute(report.correction_id, reason="t", at=LATE).state is CorrectionState.DISPUTED
    given = desk.enter(
        report.correction_id,
        lambda person: replace(
            person,
            values={
                name: value for name, value in person.values.items() if name is not report.attribute
            },
        ),
        reason="t",
        at=LATE,
    )
    assert list(given) == [BANK]
    rejected = desk.resolve(
        other.correction_id,
        CorrectionOutcome.REJECTED,
        DEFAULT_TERMS,
        operator=MemberCode("GOV/70000001"),
        reason="t",
        at=LATE,
    )
    assert rejected.state is CorrectionState.REJECTED


def resolves(store: Store) -> None:
    """List the reports, and confirm the value that was entered."""
    operations, caller = build_operations(store), caller_of(OFFICERS[0])
    query = CorrectionsQuery(request_id=uuid4(), digest=b"f" * 32, open_only=False)
    assert operations["ListCorrections"](query, caller) == b"DONE"
    resolution = ResolutionRequest(
        request_id=uuid4(),
        digest=b"0" * 32,
        correction_id=_waiting(store),
        resolution=CorrectionOutcome.CORRECTED,
        justification="t",
    )
    assert operations["ResolveCorrection"](resolution, caller) == b"DONE"


def acknowledges(store: Store) -> None:
    """Learn of the correction by the snapshot of a request, read it, and acknowledge it."""
    snapshot = store.register.snapshot(RELEASED.key, AGREEMENT_NUMBER, at=NOON)
    (named,) = snapshot.corrections
    acts, caller = (
        build_operations(store, package=RECIPIENT_ACTS),
        a_caller(certificate=FINGERPRINT),
    )
    query = CorrectionQuery(request_id=uuid4(), digest=b"1" * 32, correction_id=named)
    assert acts["GetCorrection"](query, caller) == b"DONE"
    done = CorrectionAcknowledgement(request_id=uuid4(), digest=b"2" * 32, correction_id=named)
    assert acts["AcknowledgeCorrection"](done, caller) == b"DONE"
    assert store.register.snapshot(RELEASED.key, AGREEMENT_NUMBER, at=NOON).corrections == ()


def _waiting(store: Store) -> UUID:
    (found,) = (
        each.correction.correction_id
        for each in store.corrections.all_corrections(open_only=True)
        if each.correction.entered_at is not None
    )
    return found

"""Undertakings of secrecy (Procedure, cl. 15 and 16)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from makul.domain.disclosures import DocumentSigner, Outcome, Proof, ProofStatus
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.domain.undertakings import (
    EmployeeRecord,
    RecordedUndertaking,
    Undertaking,
    judge_signed_undertaking,
    judge_undertaking,
    judge_undertaking_end,
)
from makul_testing.builders.oversight import AN_UNDERTAKING
from makul_testing.builders.records import AZAMAT, BANK, FINGERPRINT, GULNARA, NOON

SIGNED = Proof(
    status=ProofStatus.PASSED, signer=DocumentSigner(fingerprint=FINGERPRINT, pin=AZAMAT)
)
NEW = EmployeeRecord(id_used=False, bound_other=False, last_end=None)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def test_a_person_binds_themselves() -> None:
    """Procedure, cl. 16: the person signs, and it counts from now on."""
    assert judge_signed_undertaking(AN_UNDERTAKING, SIGNED, BANK, at=NOON) == (Outcome.DONE, ())
    assert judge_undertaking(AN_UNDERTAKING, NEW) == ()


def test_nobody_binds_another() -> None:
    """Procedure, cl. 16: another person's signature, a broken one and no document are RCP-05."""
    by_another = replace(SIGNED, signer=DocumentSigner(fingerprint=FINGERPRINT, pin=GULNARA))
    by_nobody = replace(SIGNED, signer=DocumentSigner(fingerprint=FINGERPRINT, pin=None))
    altered = replace(SIGNED, status=ProofStatus.FAILED, reasons=(Code.SIG_02,))

    for proof, because in (
        (by_another, Code.SIG_08),
        (by_nobody, Code.SIG_08),
        (altered, Code.SIG_02),
    ):
        outcome, reasons = judge_signed_undertaking(AN_UNDERTAKING, proof, BANK, at=NOON)
        assert (outcome, reasons) == (
            Outcome.REFUSED,
            (Reason(code=Code.RCP_05, because=because),),
        )
    assert judge_signed_undertaking(None, SIGNED, BANK, at=NOON)[0] is Outcome.REFUSED


def test_an_unknown_revocation_status_is_not_a_refusal() -> None:
    """The signature could not be judged now: the id stays open."""
    unknown = replace(SIGNED, status=ProofStatus.INDETERMINATE, reasons=(Code.SIG_07,))

    outcome, reasons = judge_signed_undertaking(AN_UNDERTAKING, unknown, BANK, at=NOON)

    assert outcome is Outcome.UNDETERMINED
    assert [each.because for each in reasons] == [Code.SIG_07]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recipient": MemberCode("COM/9")}, "recipient"),
        ({"lasts_after": False}, "lastsAfter"),
        ({"signed_at": NOON + timedelta(minutes=2)}, "signedAt"),
        ({"valid_to": NOON}, "validTo"),
        ({"valid_from": NOON + DAY, "valid_to": NOON + DAY}, "validTo"),
    ],
)
def test_what_is_no_undertaking_for_this_work(changes: dict[str, object], field: str) -> None:
    """Procedure, cl. 16: for this recipient, in term, and the obligations last."""
    changed: Undertaking = replace(AN_UNDERTAKING, **changes)  # type: ignore[arg-type]

    outcome, reasons = judge_signed_undertaking(changed, SIGNED, BANK, at=NOON)

    assert (outcome, reasons) == (
        Outcome.REFUSED,
        (Reason(code=Code.RCP_05, field=field),),
    )


def test_it_never_counts_for_an_earlier_request() -> None:
    """A document that names an earlier beginning counts from its record on."""
    early = replace(AN_UNDERTAKING, valid_from=NOON - DAY)
    later = replace(AN_UNDERTAKING, valid_from=NOON + DAY)

    assert early.in_force_from(NOON) == NOON
    assert later.in_force_from(NOON) == NOON + DAY


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (replace(NEW, id_used=True), Reason(code=Code.OVR_02, field="undertakingId")),
        (replace(NEW, bound_other=True), Reason(code=Code.OVR_02, field="employee")),
        (replace(NEW, last_end=NOON), Reason(code=Code.RCP_05, field="signedAt")),
    ],
)
def test_what_the_register_does_not_accept(known: EmployeeRecord, reason: Reason) -> None:
    """An id serves once, an identifier names one person, and who returns signs again."""
    assert judge_undertaking(AN_UNDERTAKING, known) == (reason,)


def test_who_returns_signs_again() -> None:
    """Procedure, cl. 16: a signature after the end counts again."""
    known = replace(NEW, last_end=NOON - SECOND)

    assert judge_undertaking(AN_UNDERTAKING, known) == ()


@pytest.mark.parametrize(
    ("recorded", "ended_on", "reason"),
    [
        (None, NOON.date(), Reason(code=Code.OVR_06, field="undertakingId")),
        (True, NOON.date(), Reason(code=Code.OVR_02, field="undertakingId")),
        (False, NOON.date() + DAY, Reason(code=Code.OVR_02, field="endedOn")),
        (False, NOON.date() - 2 * DAY, Reason(code=Code.OVR_02, field="endedOn")),
        (False, NOON.date(), None),
        (False, NOON.date() - DAY, None),
    ],
)
def test_the_end_of_the_work(recorded: bool | None, ended_on: date, reason: Reason | None) -> None:
    """An end is of one's own undertaking, once, and neither announced nor before the record."""
    known = (
        RecordedUndertaking(recorded_at=NOON - DAY, ended=recorded)
        if recorded is not None
        else None
    )

    reasons = judge_undertaking_end(known, ended_on, at=NOON)

    assert reasons == ((reason,) if reason is not None else ())

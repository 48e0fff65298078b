"""People bound to secrecy, end to end (Procedure, cl. 15 and 16)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from makul.app.deletions_due import find_deletions_due
from makul.composition.adapters import utc_now
from makul.documents.adapter import XmlDocuments
from makul.domain.identifiers import MemberCode
from makul.domain.oversight_cases import CaseParty, CaseState
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.in_process_service import (
    RECIPIENT,
    TYPES,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    build_installation,
    party,
)
from makul_testing.secrecy import SecretBank
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence


@pytest.fixture
def bank(tmp_path: Path, record_database: RecordDatabase) -> Iterator[SecretBank]:
    """A bank of its own, whose ledger must agree with every act of the test."""
    built = build_installation(tmp_path, database=record_database)
    yield SecretBank.of(built)
    (tmp_path / "log").mkdir()
    signer = a_note_signer(tmp_path / "log")
    sequence(built.store, signer, at=utc_now())
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()


def test_an_employee_without_an_undertaking_gets_nothing(bank: SecretBank) -> None:
    """Cl. 16: RCP-05 until it is recorded, for a stranger to the register as for anybody else."""
    unknown = {"pin": "20101199000017"}
    for changes in ({}, unknown):
        assert bank.codes(**changes) == ["RCP-05"]
        assert bank.codes(None, **changes) == ["RCP-05"]
    assert bank.record(bank.signed(bank.undertaking()), by="bank").outcome == "DONE"

    assert bank.codes() == []
    assert bank.codes("teller-8") == ["RCP-05"]
    assert bank.codes(None) == ["RCP-05"]
    assert "RCP-05" not in bank.codes(**unknown)


def test_who_leaves_gets_nothing_and_returns_by_a_new_undertaking(bank: SecretBank) -> None:
    """Cl. 16: an end counts at once, for stored answers too, and no old signature counts again."""
    first, unused = bank.undertaking(), bank.signed(bank.undertaking())
    signed = bank.signed(first)
    assert bank.record(signed).outcome == "DONE"
    request = bank.request()
    assert bank.installation.ask(request).outcome == "RELEASED"
    assert bank.end(first.undertaking_id, by="mobile").codes == ["OVR-06"]

    assert bank.end(first.undertaking_id).outcome == "DONE"

    assert bank.end(first.undertaking_id).codes == ["OVR-02"]
    assert bank.installation.ask(request).codes == ["RCP-05"]
    assert bank.codes() == ["RCP-05"]
    assert bank.record(signed).codes == ["OVR-02"]
    assert bank.record(unused).codes == ["RCP-05"]
    assert bank.record(bank.signed(bank.undertaking())).outcome == "DONE"
    assert bank.codes() == []
    assert bank.installation.ask(request).outcome == "RELEASED"


def test_a_document_that_binds_nobody_is_refused(bank: SecretBank) -> None:
    """Cl. 16: signed by another, altered, for another recipient, over, and under a used name."""
    undertaking = bank.undertaking()
    signed = bank.signed(undertaking)

    for document in (
        bank.signed(undertaking, by=4),
        signed.replace(b"teller-7", b"teller-8"),
        signed.replace(b"<lastsAfter>true", b"<lastsAfter>false"),
        bank.signed(bank.undertaking(recipient="COM/60000003")),
        bank.signed(bank.undertaking(valid_to=bank.installation.clock())),
        b"<Undertaking/>",
    ):
        answer = bank.record(document)
        assert (answer.outcome, answer.codes) == ("REFUSED", ["RCP-05"])
    assert bank.record(signed, by="mobile").codes == ["RCP-05"]
    assert bank.codes() == ["RCP-05"]

    assert bank.record(signed).outcome == "DONE"
    other = bank.undertaking(person=bank.installation.world.people[4].pin)
    assert bank.record(bank.signed(other, by=4)).codes == ["OVR-02"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<undertakingId>7d9a3c1e-0000-4000-8000-0000000000f1</undertakingId>",
        "<endedOn>2026-11-30</endedOn>",
        "<document>PGE+</document><endedOn>2026-11-30</endedOn>",
    ],
)
def test_a_request_that_says_two_things_is_refused(
    installation: InProcessService, content: str
) -> None:
    """REQ-01: a document alone, or the end of one undertaking."""
    answer = SecretBank(installation).act("RecordUndertaking", content)

    assert (answer.status, answer.codes) == (500, ["REQ-01"])


# --- incidents ------------------------------------------------------------------------------------


def report(bank: SecretBank, more: str = "", **changes: str) -> ServiceAnswer:
    fields = {
        "happenedFrom": "2026-01-01T08:00:00Z",
        "discoveredAt": "2026-01-02T08:00:00Z",
    } | changes
    times = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    content = (
        f"<kind>PERSONAL_USE</kind>{times}{more}<affected>1</affected>"
        "<description>An employee looked at a neighbour.</description>"
        "<measures>The employee is dismissed.</measures>"
    )
    return bank.act("ReportIncident", content)


def test_an_incident_proposes_a_case(bank: SecretBank) -> None:
    """Cl. 12 and 15: the authorised body reads the report in a proposed case."""
    assert bank.record(bank.signed(bank.undertaking())).outcome == "DONE"
    own = released(bank)

    answer = report(bank, f"<disclosureId>{own}</disclosureId>")

    assert answer.outcome == "DONE"
    (case,) = bank.installation.store.oversight.cases(referred=False)
    steps = bank.installation.store.oversight.case_steps(case.case_id)
    assert (case.recipient, case.state) == (bank.code, CaseState.PROPOSED)
    assert {each.party for each in steps} == {CaseParty.RECIPIENT}
    assert [each.text for each in steps][1:] == [
        "An employee looked at a neighbour.",
        "The employee is dismissed.",
    ]


def test_an_incident_is_about_own_decisions_in_the_past(bank: SecretBank) -> None:
    """Cl. 15: OVR-06 for a decision that is not the caller's, and nothing is proposed."""
    assert report(bank, f"<disclosureId>{uuid4()}</disclosureId>").codes == ["OVR-06"]
    assert report(bank, discoveredAt="2027-12-01T00:00:00Z").codes == ["OVR-02"]

    assert bank.installation.store.oversight.cases(referred=False) == []


# --- deletions ------------------------------------------------------------------------------------


def released(bank: SecretBank) -> UUID:
    """Get data by the bank's employee, and return the id of the decision."""
    answer = bank.installation.ask(bank.request())
    assert answer.outcome == "RELEASED"
    return UUID(answer.child.findtext(f"{{{RECIPIENT}}}disclosureId"))


def attest(bank: SecretBank, *ids: UUID, by: str = "bank") -> ServiceAnswer:
    named = "".join(f"<disclosureId>{each}</disclosureId>" for each in ids)
    return bank.act("AttestDeletion", f"{named}<erasedOn>{bank.today}</erasedOn>", by=by)


def test_a_deletion_is_attested_once_and_by_whom_it_concerns(bank: SecretBank) -> None:
    """Cl. 15: OVR-06 for another's, OVR-02 twice, and where nothing was released."""
    assert bank.codes() == ["RCP-05"]
    (refused,) = bank.installation.store.registry.disclosures(
        recipient=bank.code, since=None, limit=9
    )
    assert bank.record(bank.signed(bank.undertaking())).outcome == "DONE"
    first, second = released(bank), released(bank)

    assert attest(bank, first, by="mobile").codes == ["OVR-06"]
    assert attest(bank, refused.disclosure_id).codes == ["OVR-02"]
    assert attest(bank, first).outcome == "DONE"
    assert attest(bank, second, first).codes == ["OVR-02"]
    assert attest(bank, second).outcome == "DONE"


def test_what_a_case_holds_is_evidence(bank: SecretBank) -> None:
    """Cl. 12 and 15: while a case is open its data must be kept."""
    assert bank.record(bank.signed(bank.undertaking())).outcome == "DONE"
    held = released(bank)
    opening = (
        f"<recipient>{bank.code}</recipient><firstDay>{bank.today}</firstDay>"
        f"<lastDay>{bank.today}</lastDay><scope>ALL</scope><justification>t</justification>"
    )
    assert bank.oversee("OpenCase", opening).outcome == "DONE"

    answer = attest(bank, held)

    assert (answer.outcome, answer.codes) == ("REFUSED", ["OVR-02"])
    assert "evidence" in (answer.child.findtext(f".//{{{TYPES}}}en") or "")
    (case,) = bank.installation.store.oversight.cases(referred=False)
    dismissal = (
        f"<caseId>{case.case_id}</caseId><choice>DISMISS</choice><justification>t</justification>"
    )
    assert bank.oversee("OpenCase", dismissal).outcome == "DONE"
    assert attest(bank, held).outcome == "DONE"


def test_what_is_due_is_listed_until_it_is_attested(bank: SecretBank) -> None:
    """Cl. 15: by the term of the consent; another recipient sees nothing of it."""
    assert bank.record(bank.signed(bank.undertaking())).outcome == "DONE"
    given, now = released(bank), bank.installation.clock()

    assert due(bank, at=now) == []
    assert due(bank, at=now + timedelta(days=340)) == [given]
    assert due(bank, at=now + timedelta(days=340), of=party("mobile").code) == []
    assert bank.act("AttestDeletion").outcome == "DONE"
    assert bank.act("AttestDeletion", f"<after>{given}</after>", by="mobile").codes == ["OVR-06"]
    assert bank.act("AttestDeletion", f"<disclosureId>{given}</disclosureId>").codes == ["REQ-01"]

    assert attest(bank, given).outcome == "DONE"

    assert due(bank, at=now + timedelta(days=340)) == []


def due(bank: SecretBank, *, at: datetime, of: MemberCode | None = None) -> list[UUID]:
    """Return what is due at another time than that of the service."""
    installation = bank.installation
    page = find_deletions_due(
        installation.parts.oversight,
        XmlDocuments(OPERATOR),
        of or bank.code,
        after=None,
        at=at,
    )
    assert page is not None
    assert page.following is None
    return [each.disclosure_id for each in page.due]

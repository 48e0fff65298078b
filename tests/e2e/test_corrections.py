"""Corrections, end to end: reported, examined, entered, resolved, recalled (Procedure, cl. 14)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.composition.adapters import utc_now
from makul.domain.attributes import Attribute
from makul.domain.identifiers import Pin
from makul.domain.persons import Person
from makul_testing.clock import SteppedClock
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence

R, O, S = "urn:makul:recipient:1", "urn:makul:oversight:1", "urn:makul:subject:1"  # noqa: E741
T = "{urn:makul:types:1}"
WRONG = "<kind>WRONG</kind><justification>the customer has another</justification>"


class Corrections:
    """A service in which the bank was given the address of a citizen."""

    def __init__(self, service: InProcessService) -> None:
        self.service = service
        document = service.document("bank-02-data")
        self.citizen = service.person_of(document)
        request = person_request(**about(self.citizen, of=service.bank, document=document))
        self.given = service.ask(request)
        assert self.given.outcome == "RELEASED"
        self.attribute = "address" if "address" in self.given.released else self._any()
        self.makul = service.makul()

    def _any(self) -> str:
        return min(self.given.released - {"pin"})

    @property
    def disclosure(self) -> str:
        return self.given.child.findtext(f"{{{R}}}disclosureId") or ""

    def ask(self, operation: str, content: str = "", *, by: str = "bank") -> ServiceAnswer:
        child = _child(R, operation, f"<requestId>{uuid4()}</requestId>{content}")
        return self.service.ask(child, by=by)

    def report(
        self, *, by: str = "bank", disclosure: str | None = None, attribute: str | None = None
    ) -> ServiceAnswer:
        return self.ask(
            "ReportInaccuracy",
            f"<disclosureId>{disclosure or self.disclosure}</disclosureId>"
            f"<attribute>{attribute or self.attribute}</attribute>{WRONG}",
            by=by,
        )

    def oversee(self, operation: str, content: str = "", *, by: str = "inspector") -> ServiceAnswer:
        child = _child(O, operation, f"<requestId>{uuid4()}</requestId>{content}")
        return self.service.oversee(child, by=by)

    def resolve(self, report: str, how: str, *, by: str = "inspector") -> ServiceAnswer:
        content = f"<correctionId>{report}</correctionId><resolution>{how}</resolution>"
        return self.oversee(
            "ResolveCorrection", f"{content}<justification>checked</justification>", by=by
        )

    def as_citizen(
        self, operation: str, content: str = "", *, pin: Pin | None = None
    ) -> ServiceAnswer:
        request_id = uuid4()
        token = self.service.id_token(pin or self.citizen.pin, request_id)
        head = f"<requestId>{request_id}</requestId><idToken>{token}</idToken>"
        return self.service.ask_as_citizen(_child(S, operation, head + content))

    def dispute(self, report: str) -> None:
        self.makul.run_json("correction", "dispute", report, "--reason", "examined", "--apply")

    def enter(self, report: str) -> None:
        field, value = _another_value(self.citizen, self.attribute)
        self.makul.run_json(
            "correction", "enter", report, field, value, "--reason", "register", "--apply"
        )

    def data(self, *, name: str = "bank-05-data", by: str = "bank") -> ServiceAnswer:
        """Ask again about the same citizen, with another consent of the same person."""
        document = self.service.document(name)
        person = self.service.person_of(document)
        request = person_request(
            **about(person, of=document.presented_by, document=document, request_id=uuid4())
        )
        return self.service.ask(request, by=by)


def _child(namespace: str, operation: str, content: str) -> bytes:
    return f'<{operation} xmlns="{namespace}">{content}</{operation}>'.encode()


def _another_value(person: Person, attribute: str) -> tuple[str, str]:
    known = {
        "address": ("address", "Bishkek, Chuy avenue 1"),
        "surname": ("surname.ky", "Башкаев"),
        "givenName": ("givenName.ky", "Башка"),
        "birthPlace": ("birthPlace", "Osh"),
        "birthDate": ("birthDate", "1990-01-02"),
        "documentNumber": ("documentNumber", "ID9999999"),
    }
    return known[attribute]


def text(answer: ServiceAnswer, name: str) -> str:
    for each in answer.child.iter():
        if etree.QName(each).localname == name:
            return each.text or ""
    return ""


def texts(answer: ServiceAnswer, name: str) -> list[str]:
    return [each.text or "" for each in answer.child.iter() if etree.QName(each).localname == name]


@pytest.fixture
def corrections(tmp_path: Path, record_database: RecordDatabase) -> Iterator[Corrections]:
    """A service of its own, whose ledger must agree with every act of the test."""
    built = build_installation(tmp_path, database=record_database)
    yield Corrections(built)
    (tmp_path / "log").mkdir()
    signer = a_note_signer(tmp_path / "log")
    sequence(built.store, signer, at=utc_now())
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()


def test_a_correction_reaches_who_was_given_the_wrong_value(corrections: Corrections) -> None:
    """Reported, disputed, entered, confirmed by the authorised body, named, acknowledged."""
    reported = corrections.report()
    report = text(reported, "correctionId")
    assert (reported.outcome, text(reported, "correctionState")) == ("DONE", "REPORTED")
    assert corrections.report().codes == ["OVR-02"]  # the same party, the same value
    assert corrections.resolve(report, "CORRECTED").codes == ["OVR-02"]  # nothing is entered

    corrections.dispute(report)
    corrections.enter(report)
    assert text(corrections.ask("GetCorrection"), "state") == "DISPUTED"
    resolved = corrections.resolve(report, "CORRECTED")
    assert (resolved.outcome, text(resolved, "correctionState")) == ("DONE", "CORRECTED")

    named = corrections.data()
    assert texts(named, "corrections") == [report]
    got = corrections.ask("GetCorrection", f"<correctionId>{report}</correctionId>")
    assert text(got, "state") == "CORRECTED"
    assert texts(got, "disclosureId") == [corrections.disclosure]
    done = corrections.ask("AcknowledgeCorrection", f"<correctionId>{report}</correctionId>")
    assert done.outcome == "DONE"
    again = corrections.ask("AcknowledgeCorrection", f"<correctionId>{report}</correctionId>")
    assert again.codes == ["OVR-02"]
    assert texts(corrections.data(name="bank-06-data"), "corrections") == []
    listed = corrections.oversee("ListCorrections")
    assert (text(listed, "recalled"), text(listed, "unacknowledged")) == ("1", "0")


def test_who_does_not_acknowledge_in_time_is_overdue(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """Two recipients hold the wrong value: one acknowledges, and the other one is late."""
    clock = SteppedClock(utc_now())
    built = build_installation(tmp_path, database=record_database, clock=clock)
    corrections = Corrections(built)
    mobile = built.document("mobile-02-data")
    request = person_request(
        **about(built.person_of(mobile), of=mobile.presented_by, document=mobile)
    )
    given = built.ask(request, by="mobile")
    corrections.attribute = "surname"
    assert corrections.attribute in given.released
    report = text(corrections.report(), "correctionId")
    clock.step(timedelta(minutes=1))
    desk = built.store.correction_desk
    desk.dispute(UUID(report), reason="t", at=clock())
    desk.enter(UUID(report), _without(corrections.attribute), reason="t", at=clock())
    assert corrections.resolve(report, "CORRECTED").outcome == "DONE"
    content = f"<correctionId>{report}</correctionId>"
    assert corrections.ask("AcknowledgeCorrection", content).outcome == "DONE"

    for days, late in ((6, "false"), (1, "true")):
        clock.step(timedelta(days=days))
        listed = corrections.oversee("ListCorrections")
        assert (text(listed, "recalled"), text(listed, "unacknowledged")) == ("2", "1")
        assert text(listed, "overdue") == late
    own = corrections.ask("GetCorrection", content, by="mobile")
    assert (text(own, "overdue"), texts(own, "acknowledgedAt")) == ("true", [])
    assert text(corrections.ask("GetCorrection", content), "overdue") == "false"
    built.close()


def _without(attribute: str) -> Callable[[Person], Person]:
    """Return the change that removes an attribute: it should not have been held."""
    return lambda person: replace(
        person,
        values={name: value for name, value in person.values.items() if name != attribute},
    )


def test_what_is_disputed_is_withheld(corrections: Corrections) -> None:
    """REL-02 from the commit of the dispute to the result, and never before or after."""
    report = text(corrections.report(), "correctionId")
    document = corrections.service.document("bank-02-data")
    assert corrections.service.person_of(document).pin == corrections.citizen.pin
    register = corrections.service.parts.register

    def disputed() -> frozenset[Attribute]:
        person = register.person(corrections.citizen.pin)
        assert person is not None
        return person.disputed

    assert disputed() == frozenset()
    corrections.dispute(report)
    assert disputed() == {Attribute(corrections.attribute)}
    assert corrections.resolve(report, "REJECTED").outcome == "DONE"
    assert disputed() == frozenset()


def test_a_recipient_learns_only_of_what_it_was_given(corrections: Corrections) -> None:
    """Another's disclosure, an unknown id and a value that was not given have one answer."""
    report = text(corrections.report(), "correctionId")
    missing = next(
        each.value
        for each in Attribute
        if each.value not in corrections.given.released and each is not Attribute.PIN
    )

    for refused in (
        corrections.report(by="mobile"),
        corrections.report(disclosure=str(uuid4())),
        corrections.report(attribute=missing),
        corrections.ask("GetCorrection", f"<correctionId>{report}</correctionId>", by="mobile"),
        corrections.ask(
            "AcknowledgeCorrection", f"<correctionId>{report}</correctionId>", by="mobile"
        ),
    ):
        assert refused.codes == ["OVR-06"]
    assert texts(corrections.ask("GetCorrection", by="mobile"), "correctionId") == []


def test_a_citizen_sees_own_reports_alone(corrections: Corrections) -> None:
    """Reports of recipients, and whether the register holds the value, change nothing there."""
    before = corrections.as_citizen("ListCorrections")
    corrections.report()
    assert texts(corrections.as_citizen("ListCorrections"), "correctionId") == []
    assert before.outcome == "DONE"

    content = f"<attribute>{corrections.attribute}</attribute>{WRONG}"
    reported = corrections.as_citizen("RequestCorrection", content)
    assert reported.outcome == "DONE"
    assert corrections.as_citizen("RequestCorrection", content).codes == ["OVR-02"]
    stranger = corrections.as_citizen("RequestCorrection", content, pin=Pin("20101199000017"))
    assert stranger.outcome == "DONE"

    own = corrections.as_citizen("ListCorrections")
    assert texts(own, "correctionId") == [text(reported, "correctionId")]
    for hidden in ("origin", "reporter", "recalled", "disclosureId"):
        assert texts(own, hidden) == []


def test_two_reports_of_one_value_are_examined_together(corrections: Corrections) -> None:
    """One decision resolves both, and neither reporter learns of the other."""
    by_bank = text(corrections.report(), "correctionId")
    content = f"<attribute>{corrections.attribute}</attribute>{WRONG}"
    by_citizen = text(corrections.as_citizen("RequestCorrection", content), "correctionId")

    corrections.dispute(by_citizen)
    corrections.enter(by_bank)
    assert corrections.resolve(by_citizen, "CORRECTED").outcome == "DONE"

    assert texts(corrections.ask("GetCorrection"), "state") == ["CORRECTED"]
    assert texts(corrections.as_citizen("ListCorrections"), "state") == ["CORRECTED"]
    assert corrections.resolve(by_bank, "REJECTED").codes == ["OVR-02"]


def test_no_report_shows_or_undoes_another(corrections: Corrections) -> None:
    """Each reporter is informed by its own id, and a later report cannot end the correction."""
    built, corrections.attribute = corrections.service, "surname"
    mobile = built.document("mobile-02-data")
    given = built.ask(
        person_request(**about(built.person_of(mobile), of=mobile.presented_by, document=mobile)),
        by="mobile",
    )
    disclosure = given.child.findtext(f"{{{R}}}disclosureId") or ""
    by_bank = text(corrections.report(), "correctionId")
    corrections.dispute(by_bank)
    before = text(corrections.ask("GetCorrection"), "changedAt")
    by_mobile = text(corrections.report(by="mobile", disclosure=disclosure), "correctionId")
    corrections.dispute(by_mobile)
    assert text(corrections.ask("GetCorrection"), "changedAt") == before

    corrections.enter(by_mobile)
    content = f"<attribute>{corrections.attribute}</attribute>{WRONG}"
    late = text(corrections.as_citizen("RequestCorrection", content), "correctionId")
    assert corrections.resolve(late, "REJECTED").codes == ["OVR-02"]
    corrections.dispute(late)
    second = corrections.makul(
        *("correction", "enter", late, "surname.ky", "Башкасы", "--reason", "t", "--apply")
    )
    assert (second.code, "does not allow" in second.err) == (1, True)
    assert corrections.resolve(late, "CORRECTED").outcome == "DONE"

    for recipient, own in (("bank", by_bank), ("mobile", by_mobile)):
        got = corrections.ask("GetCorrection", by=recipient)
        assert texts(got, "correctionId") == [own]
        assert len(texts(got, "disclosureId")) == 1
        done = corrections.ask(
            "AcknowledgeCorrection", f"<correctionId>{own}</correctionId>", by=recipient
        )
        assert done.outcome == "DONE"


def test_who_entered_a_value_does_not_confirm_it(corrections: Corrections) -> None:
    """The data-protection body and the operator who entered the value cannot resolve it."""
    report = text(corrections.report(), "correctionId")
    corrections.dispute(report)
    corrections.enter(report)

    assert corrections.resolve(report, "CORRECTED", by="protection").codes == ["OVR-01"]
    own = corrections.makul(
        *("correction", "resolve", report, "CORRECTED", "--reason", "sure", "--apply")
    )
    assert (own.code, "another person" in own.err) == (1, True)
    assert corrections.resolve(report, "REJECTED").codes == ["OVR-02"]
    shown = corrections.makul.run_json("correction", "show", report, "--reason", "look")
    assert shown["pin"] == corrections.citizen.pin.digits
    assert shown["recipients"] == [f"{corrections.service.bank.code} -"]

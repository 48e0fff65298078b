"""A report says what its statements say, and to the public less (Procedure, cl. 5.1 and 11)."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.domain.cell_suppression import MIN_CELL
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.monthly_reports import (
    Audience,
    Figures,
    LineCollector,
    MonthlyReport,
    UnfitStatementsError,
    compose_report,
)
from makul.domain.monthly_statements import (
    MAX_LISTED_EXCEPTIONS,
    ExceptionKind,
    LineException,
    StatementLine,
)
from makul.domain.months import Month
from makul.domain.report_tables import Part, VerifiedStatement
from makul.language.domain_messages import DOMAIN_MESSAGES
from makul_testing.builders.months import month_decisions
from makul_testing.builders.records import BANK, POLICE
from makul_testing.builders.reports import (
    COUNTS,
    SEPTEMBER,
    a_verified_statement,
    answers_of_a_sample,
)

PUBLIC, PARTIES = Audience.PUBLIC, Audience.PARTIES


def shown(report: MonthlyReport, part: Part) -> dict[str, int | None]:
    return {row.key: row.count for row in report.table(part).rows}


def public(*statements: VerifiedStatement, earlier: Any = ()) -> MonthlyReport:
    return compose_report(statements, earlier, PUBLIC)


def test_the_parties_read_every_number() -> None:
    statement = a_verified_statement()
    report = compose_report([statement], [], PARTIES)

    assert report.figures == Figures(
        lines=1000, disclosures=850, subjects=500, repetitions=41, exceptions=31
    )
    for name, counts in COUNTS.items():
        assert shown(report, Part(name)) == dict(counts)
    assert sum(count or 0 for count in shown(report, Part.DAYS).values()) == 1000
    assert len(shown(report, Part.DAYS)) == 31
    assert report.exceptions == statement.listed


def test_answers_of_the_sample_are_counted_for_the_parties() -> None:
    """Every row exists, and two lists are added; without a list there is no table."""
    statement, lists = a_verified_statement(), [answers_of_a_sample(yes=9, no=1)] * 2
    report = compose_report([statement], [], PARTIES, lists)

    assert shown(report, Part.ANSWERS) == {
        "YES": 18,
        "NO": 2,
        "DONT_KNOW": 0,
        "SILENT": 0,
        "WAITING": 0,
    }
    assert Part.ANSWERS not in compose_report([statement], [], PARTIES).tables


@given(*(st.integers(0, 60) for _ in range(3)))
def test_the_public_reads_no_small_number_of_answers(yes: int, no: int, silent: int) -> None:
    """docs/operating/month_report.md: rules 1 to 3."""
    lists = [answers_of_a_sample(yes=yes, no=no, silent=silent)]
    cells = shown(compose_report([a_verified_statement()], [], PUBLIC, lists), Part.ANSWERS)
    hidden = [key for key, count in cells.items() if count is None]

    assert all(count is None or count >= MIN_CELL for count in cells.values())
    assert {"DONT_KNOW", "WAITING"} <= set(hidden)
    assert yes + no + silent - sum(count or 0 for count in cells.values()) >= 2 * MIN_CELL or (
        len(hidden) == len(cells)
    )


def test_the_public_reads_no_small_number_and_no_decision() -> None:
    report = public(a_verified_statement())

    assert report.exceptions == ()
    assert (report.figures.lines, report.figures.exceptions) == (1000, None)
    assert shown(report, Part.GROUNDS) == {"CONSENT": 986, "none": None, "BASIS": None}
    assert shown(report, Part.PURPOSES) == {"ACCOUNT_OPENING": 900, "LOAN": 60}
    assert report.table(Part.PURPOSES).folded
    assert shown(report, Part.DAYS)["2026-10-01"] is None
    assert shown(report, Part.DAYS)["2026-10-31"] is None, "hidden beside the small days"


def test_a_row_that_exists_says_nothing() -> None:
    """The public tables of two months have the same rows, although one has a rare purpose."""
    rare = {"ACCOUNT_OPENING": 895, "LOAN": 60, "OPERATIONAL_SEARCH": 3, "SCORING": 40, "other": 2}
    without = public(a_verified_statement())
    found = public(a_verified_statement(purposes=rare))

    for part in (Part.DAYS, Part.OPERATIONS, Part.OUTCOMES, Part.GROUNDS, Part.EXCEPTIONS):
        assert list(shown(without, part)) == list(shown(found, part))
    assert list(shown(without, Part.PURPOSES)) == list(shown(found, Part.PURPOSES))
    assert without.table(Part.PURPOSES).folded
    assert found.table(Part.PURPOSES).folded


def test_every_value_that_a_decision_can_have_is_a_row() -> None:
    """A new one would withhold its table. An act of oversight is not a decision of a recipient."""
    report = public(a_verified_statement())

    assert set(shown(report, Part.OPERATIONS)) == set(Operation)
    assert set(shown(report, Part.OUTCOMES)) == set(Outcome) - {Outcome.DONE}
    assert set(shown(report, Part.GROUNDS)) == {*GroundKind, "none"}
    assert set(shown(report, Part.EXCEPTIONS)) == set(ExceptionKind)


def test_large_purposes_alone_are_folded_too() -> None:
    """Otherwise a table without that row would say that no purpose is rare."""
    counts = {"ACCOUNT_OPENING": 500, "LOAN": 300, "SCORING": 150, "other": 50}

    assert public(a_verified_statement(purposes=counts)).table(Part.PURPOSES).folded


@pytest.mark.parametrize("part", [Part.OPERATIONS, Part.OUTCOMES, Part.GROUNDS, Part.EXCEPTIONS])
def test_an_unknown_code_withholds_its_table(part: Part) -> None:
    """The name of its row would say that it was found."""
    name = str(part)
    changed = {name: {**COUNTS[name], "NEW_CODE": 100}}
    statement = a_verified_statement(**changed)

    assert set(shown(public(statement), part).values()) == {None}
    assert "NEW_CODE" not in shown(public(statement), part)
    assert shown(compose_report([statement], [], PARTIES), part)["NEW_CODE"] == 100


def test_few_persons_withhold_everything() -> None:
    """A thousand decisions about four persons say much about each of them."""
    report = public(a_verified_statement(subjects=MIN_CELL - 1))

    assert {row.count for table in report.tables.values() for row in table.rows} == {None}
    assert report.figures == Figures(
        lines=None, disclosures=None, subjects=None, repetitions=None, exceptions=None
    )


ALL_SHOWN: Mapping[str, Mapping[str, int]] = {
    "operations": {
        "GetPersonData": 500,
        "VerifyPerson": 300,
        "RegisterConsent": 100,
        "RevokeConsent": 60,
        "ExplainDecision": 40,
    },
    "attributes": {"surname": 300, "givenName": 297, "address": 200, "faceImage": 100},
    "outcomes": {
        "RELEASED": 300,
        "MATCHED": 200,
        "NOT_MATCHED": 50,
        "REFUSED": 250,
        "UNDETERMINED": 50,
        "ACCEPTED": 150,
    },
}


def test_attributes_and_reasons_are_shown_beside_their_outcomes_only() -> None:
    """Otherwise they would bound a hidden outcome from below.

    All but three releases have a given name, so the three could be computed.
    """
    few = {**ALL_SHOWN["outcomes"], "UNDETERMINED": 3, "REFUSED": 297}
    everything = public(a_verified_statement(**ALL_SHOWN))
    without = public(a_verified_statement(**ALL_SHOWN | {"outcomes": few}))

    assert shown(everything, Part.ATTRIBUTES) == {"surname": 300, "address": 200}
    assert shown(everything, Part.REFUSALS) == {"CNS-04": 140}
    assert shown(without, Part.OUTCOMES)["RELEASED"] == 300
    assert shown(without, Part.REFUSALS) == {}
    released = {**ALL_SHOWN["outcomes"], "RELEASED": 4, "ACCEPTED": 446}
    hidden = public(a_verified_statement(**ALL_SHOWN | {"outcomes": released}))
    assert shown(hidden, Part.ATTRIBUTES) == {}


@pytest.mark.parametrize(
    ("operations", "shows"),
    [
        ({}, True),
        ({"GetPersonData": 304, "RegisterConsent": 296}, False),
        ({"VerifyPerson": 203, "RegisterConsent": 197}, False),
        ({"GetPersonData": 330, "VerifyPerson": 223, "RegisterConsent": 347}, False),
        ({"RegisterConsent": 53, "GetPersonData": 547}, False),
    ],
)
def test_a_small_difference_of_operation_and_outcome_is_hidden(
    operations: Mapping[str, int], shows: bool
) -> None:
    """Data are given by one operation only, so the difference is a number of its refusals."""
    changed = {**ALL_SHOWN, "operations": {**ALL_SHOWN["operations"], **operations}}
    found = shown(public(a_verified_statement(**changed)), Part.OPERATIONS)

    assert all(count is not None for count in found.values()) is shows


def test_disclosures_are_shown_if_their_outcomes_are() -> None:
    assert public(a_verified_statement()).figures.disclosures == 850
    few = {"RELEASED": 600, "MATCHED": 3, "REFUSED": 397}
    assert public(a_verified_statement(outcomes=few)).figures.disclosures is None


def three_recipients(**police: Any) -> list[VerifiedStatement]:
    return [
        a_verified_statement(),
        a_verified_statement(recipient="COM/60000002"),
        a_verified_statement(**{"recipient": POLICE, "subjects": 300, **police}),
    ]


def test_recipients_and_classes_are_compared() -> None:
    report = compose_report(three_recipients(), [], PARTIES)

    assert shown(report, Part.RECIPIENTS) == {BANK: 1000, "COM/60000002": 1000, POLICE: 1000}
    assert shown(report, Part.CLASSES) == {"COM": 2000, "GOV": 1000}
    assert (report.figures.lines, report.figures.subjects) == (3000, 1300)
    assert shown(compose_report([a_verified_statement()], [], PARTIES), Part.DAYS)
    assert Part.RECIPIENTS not in public(a_verified_statement()).tables


def test_a_recipient_with_few_persons_is_hidden_with_another() -> None:
    """Neither the total nor the classes give it back."""
    report = public(*three_recipients(subjects=1))

    assert shown(report, Part.RECIPIENTS) == {BANK: 1000, "COM/60000002": None, POLICE: None}
    assert shown(report, Part.CLASSES) == {"COM": None, "GOV": None}
    assert report.figures.lines == 3000


def test_months_are_compared() -> None:
    august, few = Month(2026, 8), {"RELEASED": 9}
    earlier = [
        a_verified_statement(month=SEPTEMBER),
        a_verified_statement(month=august, outcomes=few),
    ]
    statement = a_verified_statement()

    full = compose_report([statement], earlier, PARTIES)
    assert shown(full, Part.MONTHS) == {"2026-08": 9, "2026-09": 1000, "2026-10": 1000}
    assert shown(public(statement, earlier=earlier), Part.MONTHS)["2026-08"] is None


def test_the_order_of_the_arguments_does_not_matter() -> None:
    """The report is made again from what a reader gives in any order."""
    earlier = [a_verified_statement(month=SEPTEMBER), a_verified_statement(month=Month(2026, 8))]
    reports = [
        compose_report(given, before, PARTIES)
        for given in permutations(three_recipients())
        for before in permutations(earlier)
    ]

    assert all(report == reports[0] for report in reports)


@pytest.mark.parametrize(
    ("given", "earlier", "which"),
    [
        ([{}, {"operator": "GOV/9"}], [], "GOV/9"),
        ([{}, {"month": SEPTEMBER, "recipient": POLICE}], [], "2026-10"),
        ([{}, {}], [], BANK),
        ([{}], [{}], "2026-10"),
        ([{}], [{"month": SEPTEMBER, "draft": True}], "2026-09"),
        ([{}], [{"month": SEPTEMBER, "recipient": POLICE}], POLICE),
        ([{}], [{"month": SEPTEMBER}, {"month": SEPTEMBER}], BANK),
    ],
)
def test_statements_that_do_not_belong_together_are_refused(
    given: list[dict[str, Any]], earlier: list[dict[str, Any]], which: str
) -> None:
    with pytest.raises(UnfitStatementsError) as caught:
        compose_report(
            [a_verified_statement(**each) for each in given],
            [a_verified_statement(**each) for each in earlier],
            PARTIES,
        )

    assert str(caught.value.fields["which"]) == which
    assert caught.value.template in DOMAIN_MESSAGES


def test_a_draft_makes_a_report_a_draft() -> None:
    assert compose_report([a_verified_statement(draft=True)], [], PUBLIC).draft
    assert not compose_report([a_verified_statement()], [], PUBLIC).draft


def test_the_first_exceptions_are_collected() -> None:
    """A month may have a million of them, and memory holds as many as a head lists."""
    found = (LineException(kind="NO_GROUND", fact="GROUND_NOT_NAMED"),) * 3
    collector = LineCollector()
    for each in month_decisions(500):
        collector.add(BANK, StatementLine(decision=each.decision, exceptions=found))

    assert len(collector.listed) == MAX_LISTED_EXCEPTIONS
    assert [each.disclosure_id.int for each in collector.listed[:4]] == [1, 1, 1, 2]


COUNT = st.one_of(st.integers(0, 12), st.integers(0, 3000))


@given(
    operations=st.dictionaries(st.sampled_from(list(ALL_SHOWN["operations"])), COUNT),
    outcomes=st.dictionaries(st.sampled_from(list(ALL_SHOWN["outcomes"])), COUNT, min_size=1),
    purposes=st.dictionaries(st.sampled_from(["LOAN", "SCORING", "other", "none"]), COUNT),
    subjects=COUNT,
    repetitions=COUNT,
)
def test_no_number_of_a_public_report_is_small(**changes: Any) -> None:
    """Neither a cell, nor a main number, nor the rest of a table is a number from 1 to 4."""
    report = public(a_verified_statement(**changes))
    numbers = [row.count for table in report.tables.values() for row in table.rows]
    figures = report.figures
    numbers += [figures.lines, figures.disclosures, figures.subjects, figures.repetitions]

    assert all(number is None or number >= MIN_CELL for number in numbers)
    outcomes = shown(report, Part.OUTCOMES)
    if figures.lines is not None and None in outcomes.values():
        assert figures.lines - sum(count or 0 for count in outcomes.values()) >= 2 * MIN_CELL

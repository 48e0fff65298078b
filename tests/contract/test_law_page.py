"""docs/law.md, compared with the published files and with the clauses of the Procedure."""

import re

import pytest
from document_pages import Page

from makul_testing.contract_files import CLAUSES, OPERATIONS_OF_PORTS, elements, schema_root
from makul_testing.paths import ROOT

PAGE = Page.of(ROOT / "docs" / "law.md", ROOT)

DESIGN = (
    ("recipient", "VerifyPerson", "2, 4, 5, 10"),
    ("recipient", "GetPersonData", "4, 5, 10"),
    ("recipient", "IdentifyPerson", "5.1"),
    ("recipient", "SubmitRequest GetResult", "10"),
    ("recipient", "ExplainDecision", "7"),
    ("recipient", "RegisterConsent RevokeConsent GetConsentStatus ListRevocations", "4"),
    ("recipient", "GetAgreement", "7"),
    ("recipient", "GetReceipt", "10, 11"),
    ("recipient", "GetMonthlyStatement ConfirmMonth", "11"),
    ("recipient", "ReportInaccuracy GetCorrection AcknowledgeCorrection", "14"),
    ("recipient", "RecordUndertaking ReportIncident AttestDeletion", "15, 16"),
    ("recipient", "GetStatus", "9"),
    ("oversight", "GetStatistics ListDisclosures GetMonth SignMonth", "11"),
    ("oversight", "CutOffRecipient TerminateAgreement", "12"),
    ("oversight", "OpenCase GetCase GetEvidenceFile ReferCase AcknowledgeCase", "12"),
    ("oversight", "ListCorrections ResolveCorrection", "14"),
    ("oversight", "ApproveNotice SignAgreement", "4, 7"),
    ("subject", "ListDisclosures GetDisclosureReceipt AnswerCheck ReportNotMe", "4, 11"),
    ("subject", "ListConsents RevokeConsent LockMatching UnlockMatching", "4"),
    ("subject", "RequestCorrection", "4, 14"),
)
"""The operations of the contract's design: port, operations, and their clauses together."""

DESIGNED = {(port, each): clauses for port, names, clauses in DESIGN for each in names.split()}

NOT_PUBLISHED = "not published"
NO_CONDITION = {"1", "6", "8"}
"""Clauses that set no condition: they define the Procedure and its basis, and leave the technical
solution to the operator."""


def published_clauses(port: str, operation: str) -> str:
    """Return the clauses that the published schema cites for a request."""
    path = f"/*/xs:element[@name='{operation}']/xs:annotation/xs:documentation"
    (documentation,) = elements(schema_root(f"{port}.xsd"), path)
    flat = " ".join((documentation.text or "").split())
    (cited,) = re.findall(r"Procedure, cl\. ([0-9., and]*[0-9])", flat)
    return ", ".join(re.findall(r"[0-9]+(?:\.[0-9]+)?", cited))


def table_of_operations() -> dict[tuple[str, str], str]:
    """Return the clauses that the page gives for each operation of a port."""
    return {(row.cells[1], row.cells[0]): row.cells[2] for row in PAGE.table("Operation")}


@pytest.mark.parametrize(("port", "operation"), OPERATIONS_OF_PORTS)
def test_page_gives_the_clauses_of_each_published_operation(port: str, operation: str) -> None:
    """The clauses on the page are those that the published schema cites."""
    assert table_of_operations().get((port, operation)) == published_clauses(port, operation)


def test_page_names_every_operation_of_the_design() -> None:
    """An operation that was designed is published, or the page says that it is not."""
    listed, published = table_of_operations(), set(OPERATIONS_OF_PORTS)
    missing = {key for key, clauses in listed.items() if clauses == NOT_PUBLISHED}

    assert set(listed) == set(DESIGNED) | published
    assert missing == set(DESIGNED) - published


@pytest.mark.parametrize("key", sorted(set(DESIGNED) & set(OPERATIONS_OF_PORTS)))
def test_published_operation_carries_out_the_clauses_of_the_design(key: tuple[str, str]) -> None:
    """A published operation cites no clause outside those of its row in the design."""
    assert set(published_clauses(*key).split(", ")) <= set(DESIGNED[key].split(", "))


@pytest.mark.parametrize(("port", "names", "clauses"), DESIGN)
def test_row_of_the_design_is_carried_out_whole(port: str, names: str, clauses: str) -> None:
    """Each clause of a row is cited by one of its operations, once all are published."""
    keys = [(port, each) for each in names.split()]
    cited = {
        each
        for key in keys
        if key in OPERATIONS_OF_PORTS
        for each in published_clauses(*key).split(", ")
    }

    assert cited == set(clauses.split(", ")) or not set(keys) <= set(OPERATIONS_OF_PORTS)


def test_each_clause_is_carried_out_or_named_as_missing() -> None:
    """No clause of the Procedure is passed over in silence."""
    carried_out = {row.cells[0] for row in PAGE.table("Clause")}

    assert carried_out >= CLAUSES - NO_CONDITION


def test_rows_that_claim_a_clause_name_a_test_that_exists() -> None:
    """A row without a test is a claim that nobody can check."""
    claims = [row for row in PAGE.table("Clause") if len(row.cells) == 4]

    assert claims
    for row in claims:
        named = re.findall(r"tests/\S+?\.py", row.cells[3])
        assert named, f"line {row.number}: cl. {row.cells[0]}"
        assert all((ROOT / each).is_file() for each in named), f"line {row.number}"

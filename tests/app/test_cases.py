"""An evidence file is gathered from the record: what it contains, and how much memory it needs."""

import json
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from hashlib import sha256
from uuid import UUID

import pytest

from makul.app.cases import (
    CaseBuilder,
    CaseRequest,
    UnpublishedRecordError,
    count_case,
)
from makul.app.ports import EvidenceDocument
from makul.app.ports.cases import CaseRecord, RecordedCase
from makul.documents.cases import XmlCaseDocuments
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.cases import Case, CaseContent, CasePeriod, CaseScope
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.ledger.leaf_statement import write_statement
from makul_testing.builders.months import (
    BUILT_AT,
    ProvedGrounds,
    a_consent_document,
    a_recorded_month,
)
from makul_testing.builders.records import a_recipient, an_agreement

DOCUMENT = a_consent_document()
DIGEST = sha256(DOCUMENT).digest()
REPORT = json.dumps(
    {
        "evidence": {
            "certificates": ["aa" * 32, "bb" * 32],
            "revocation": [{"digest": "cc" * 32}, {"digest": None}],
            "timestamps": [{"certificates": ["dd" * 32, "ee" * 32], "revocation": []}],
        }
    }
).encode()


class Container:
    """A container that keeps the names of its files, and no content."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.digest = sha256()

    def add(self, name: str, media_type: str, content: Iterable[bytes]) -> bytes:
        self.files.append(name)
        for block in (name.encode(), media_type.encode(), *content):
            self.digest.update(block)
        return b""


class Tree:
    """A tree in which every leaf below its size has an empty proof."""

    def __init__(self, size: int) -> None:
        self.size = size

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        assert index < self.size
        return ()


class Archive:
    """An archive that holds one CRL."""

    def read(self, digest: bytes) -> tuple[bytes, str] | None:
        return (b"crl", ".crl") if digest == b"\xcc" * 32 else None


def a_record(identifier: UUID, document: bytes | None = DOCUMENT) -> CaseRecord:
    statement = {
        "disclosureId": str(identifier),
        "requestDigest": "11" * 32,
        "reasons": [["REL-01", None, "faceImage", None]],
        "ground": None,
    }
    return CaseRecord(
        salt=b"s" * 32,
        statement=write_statement(statement),
        request=None,
        has_unreadable_request=False,
        receipt=b"<Receipt/>",
        documents=(
            EvidenceDocument(digest=DIGEST, kind="CONSENT", document=document, report=REPORT),
        ),
        revoked_at=None,
        revocation=None,
    )


def a_recorded_case(count: int, document: bytes | None = DOCUMENT) -> RecordedCase:
    """A period in which every decision names a consent that is not stored for it."""
    return RecordedCase(
        period=a_recorded_month(count),
        total=count,
        acts=(),
        signed_drafts=(),
        read_record=lambda identifier: a_record(identifier, document),
    )


def a_request(scope: CaseScope = CaseScope.EXCEPTIONS) -> CaseRequest:
    return CaseRequest(
        case_id=UUID(int=1),
        operator=MemberCode("GOV/70000001"),
        recipient=a_recipient(),
        period=CasePeriod(date(2026, 10, 1), date(2026, 11, 1)),
        scope=scope,
        reason="a complaint",
        agreements=(an_agreement(),),
        checkpoint=b"note",
        log_key="key",
    )


def build(
    recorded: RecordedCase, *, size: int = 10**9, scope: CaseScope = CaseScope.EXCEPTIONS
) -> tuple[Case, Container]:
    container = Container()
    builder = CaseBuilder(
        request=a_request(scope),
        documents=XmlCaseDocuments(),
        statements=XmlStatementDocuments(),
        proofs=ProvedGrounds(),
        container=container,
        tree=Tree(size),
        archive=Archive(),
    )
    return builder.build(recorded, report=lambda _: None, at=BUILT_AT), container


def test_every_file_is_counted_and_documents_are_written_once() -> None:
    case, container = build(a_recorded_case(3))

    counts = {each.kind: each.files for each in case.contents}
    assert counts == {
        CaseContent.DECISION: 3,
        CaseContent.RECEIPT: 3,
        CaseContent.REPORT: 3,
        CaseContent.DOCUMENT: 1,
        CaseContent.TRUST: 1,
        CaseContent.CHECKPOINT: 1,
        CaseContent.TIMELINE: 2,
    }
    assert len(container.files) == len(set(container.files)) == sum(counts.values()) + 1
    assert f"trust/{'cc' * 32}.crl" in container.files
    assert case.exceptions == (("NO_LONGER_PROVABLE", 3),)


def test_trust_data_of_a_signer_is_not_missed() -> None:
    """The signer's certificate is in the document; the CA's two are not in this archive."""
    case, _ = build(a_recorded_case(2))
    assert (case.missing_trust, case.missing_documents) == (2, 0)


def test_a_document_that_is_not_stored_is_counted() -> None:
    case, container = build(a_recorded_case(2, document=None))
    assert case.missing_documents == 1
    assert not [name for name in container.files if name.startswith("documents/")]


def test_equal_records_give_equal_files() -> None:
    """The order of files is that of the decisions, and nothing else is in the bytes."""
    one, other = (build(a_recorded_case(5))[1] for _ in range(2))
    assert one.files == other.files
    assert one.digest.digest() == other.digest.digest()


def test_a_decision_outside_the_tree_is_not_proven() -> None:
    with pytest.raises(UnpublishedRecordError):
        build(a_recorded_case(3), size=2)


def test_only_exceptions_count_by_default() -> None:
    """Refusals gave nothing, so they are no exceptions; `--all` includes them."""
    refused = a_recorded_month(3, outcome=Outcome.REFUSED)
    recorded = replace(a_recorded_case(3), period=refused)
    assert build(recorded)[0].included == 0
    recorded = replace(a_recorded_case(3), period=a_recorded_month(3, outcome=Outcome.REFUSED))
    assert build(recorded, scope=CaseScope.ALL)[0].included == 3


def test_a_preview_reads_no_record() -> None:
    """Counting needs neither receipts nor documents beyond those that are compared."""

    def refuse(identifier: UUID) -> CaseRecord:
        raise AssertionError(identifier)

    recorded = replace(a_recorded_case(4), read_record=refuse)
    seen: list[int] = []
    counts = count_case(
        a_request(), recorded, XmlStatementDocuments(), ProvedGrounds(), seen.append
    )
    assert (counts.decisions, counts.included, sum(seen)) == (4, 4, 4)
    assert counts.exceptions == (("NO_LONGER_PROVABLE", 4),)


BYTES_A_DECISION = 2_500
"""Peak memory for each decision: its line of the timeline. Measured: 880 (2026-12-01)."""


def test_memory_holds_lines_and_no_documents() -> None:
    """Ten thousand decisions with a report of 10 kilobytes each need some megabytes."""
    report = json.dumps({"evidence": {}, "padding": "x" * 10_000}).encode()

    def read(identifier: UUID) -> CaseRecord:
        record = a_record(identifier)
        return replace(record, documents=(replace(record.documents[0], report=report),))

    tracemalloc.start()
    try:
        case, _ = build(replace(a_recorded_case(10_000), read_record=read))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert case.included == 10_000
    assert peak < 3_000_000 + 10_000 * BYTES_A_DECISION

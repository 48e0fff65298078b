"""Every kind of decision of the service agrees with the leaf that commits to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from makul.composition.adapters import utc_now
from makul.store import Store
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.raw_sql import count
from makul_testing.tlog.builder import a_note_signer, check_ledger, leaf_ids, sequence


@pytest.fixture
def installation(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, database=record_database)
    yield built
    built.close()


def log_of(store: Store, directory: Path) -> int:
    """Sequence all and verify by the ledger; return how many decisions and acts agree."""
    signer = a_note_signer(directory)
    sequence(store, signer, at=utc_now())
    report = check_ledger(store, signer, at=utc_now())
    assert report.finding is None
    assert report.checked == report.size
    return report.size


def test_decisions_of_every_document_agree_with_their_leaves(
    installation: InProcessService, tmp_path: Path
) -> None:
    """Outcomes are released, matched, refused and undetermined; each document is used twice."""
    for document in installation.world.documents.values():
        request = person_request(
            **about(installation.person_of(document), of=document.presented_by, document=document)
        )
        for _ in range(2):  # the second is a repetition, or a refusal under a closed id
            installation.ask(request, by=document.presented_by.key)
    outcomes = {
        row.outcome.value
        for row in installation.store.registry.disclosures(recipient=None, since=None, limit=10_000)
    }

    assert {"RELEASED", "MATCHED", "REFUSED"} <= outcomes
    place = installation.settings.place
    decisions, acts = len(leaf_ids(installation.store)), count(place, "act")
    repetitions = count(place, "repetition")
    assert log_of(installation.store, tmp_path) == decisions + acts + repetitions
    assert repetitions > 40
    assert decisions > 40

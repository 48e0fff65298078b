"""`makul expiring` lists everything of an installation that ends."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from makul.domain.officers import Officer
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    build_installation,
)
from makul_testing.secrecy import SecretBank

FAR = "36500"


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("ends"), database=record_database)
    yield built
    built.close()


def listed(installation: InProcessService, *options: str) -> tuple[int, list[dict[str, Any]]]:
    result = installation.makul()("expiring", *options, "--json")
    return result.code, result.json


def test_every_source_is_listed(installation: InProcessService) -> None:
    """Agreements, certificates of parties and persons, own keys, trust material; exit code 1."""
    code, rows = listed(installation, "--within", FAR)

    assert code == 1
    assert {each["kind"] for each in rows} >= {
        "agreement",
        "certificate of a recipient",
        "certificate of an officer",
        "certificate of a signatory",
        "certificate of an official",
        "key of the operator",
        "trust material",
    }
    assert {each["state"] for each in rows} == {"ENDS_SOON"}
    assert [each["ends"] for each in rows] == sorted(each["ends"] for each in rows)


def test_what_was_registered_without_a_term_is_unknown(installation: InProcessService) -> None:
    """An officer of an earlier release has no known term; a withdrawn one is not listed."""
    registry, at = installation.store.registry, installation.clock()
    known = installation.world.officers["inspector"].registered
    older = Officer(
        **{
            **{name: getattr(known, name) for name in ("member", "role", "name")},
            "identifier": "O-older",
            "fingerprint": b"o" * 32,
            "key_digest": b"k" * 32,
        }
    )
    registry.add_officer(older, at=at)
    gone = replace(older, identifier="O-gone", fingerprint=b"g" * 32, key_digest=b"h" * 32)
    registry.add_officer(gone, at=at)
    registry.withdraw_officer(gone.fingerprint, reason="left", at=at)

    _, rows = listed(installation, "--within", "1")

    (unknown,) = (each for each in rows if each["state"] == "UNKNOWN")
    assert (unknown["name"].split()[-1], unknown["ends"]) == ("O-older", None)
    assert not any("O-gone" in each["name"] for each in rows)


def test_an_undertaking_that_ends_is_listed(installation: InProcessService) -> None:
    """It is listed by its id, until the employee signs another one (cl. 16)."""
    bank = SecretBank.of(installation)
    ending = bank.undertaking(valid_to=installation.clock() + timedelta(days=3))

    def undertakings() -> set[str]:
        _, rows = listed(installation)
        return {each["name"] for each in rows if each["kind"] == "undertaking of secrecy"}

    assert bank.record(bank.signed(ending)).outcome == "DONE"
    assert undertakings() == {f"{bank.code} {ending.undertaking_id}"}
    assert bank.record(bank.signed(bank.undertaking())).outcome == "DONE"
    assert undertakings() == set()

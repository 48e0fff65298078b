"""`makul ground`: the operator shows and revokes a consent or basis statement (cl. 4 and 5)."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from makul.app.ports import Committed, Conflict
from makul.domain.disclosures import GroundKind, GroundRef
from makul.store import Store
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_metered_release
from makul_testing.builders.records import (
    AZAMAT,
    BANK,
    NOON,
    a_basis,
    a_caller,
    a_consent,
    an_agreement,
)
from makul_testing.cli_runner import CommandLine
from makul_testing.stores import store_of


@pytest.fixture
def with_terms(with_bank: CommandLine, store: Store) -> CommandLine:
    """Return an installation whose bank has an agreement in force."""
    agree(store.registry, an_agreement(), at=NOON)
    return with_bank


def used(makul: CommandLine, ground: GroundRef) -> None:
    """Let the bank use the ground once."""
    with store_of(makul.directory / "makul.toml") as store:
        assert store.recorder.record(a_metered_release(ground)) == Committed()


def revoke(makul: CommandLine, ground: GroundRef, *options: str) -> dict[str, object]:
    output: dict[str, object] = makul.run_json(
        *("ground", "revoke", BANK, str(ground.id), "--kind", ground.kind.value),
        *("--reason", "court order 118", *options),
    )
    return output


@pytest.mark.parametrize("kind", list(GroundKind))
def test_a_ground_is_revoked(with_terms: CommandLine, kind: GroundKind) -> None:
    """Procedure, cl. 4 and 5: no disclosure rests on it from then on, and no answer is repeated."""
    ground = a_consent(allowed=5, subject=AZAMAT) if kind is GroundKind.CONSENT else a_basis(5)
    entry = a_metered_release(ground)
    with store_of(with_terms.directory / "makul.toml") as store:
        assert store.recorder.record(entry) == Committed()

    output = revoke(with_terms, ground, "--apply")

    assert output["applied"] is True
    assert (output["kind"], output["used"], output["allowed"]) == (kind.value, 1, 5)
    with store_of(with_terms.directory / "makul.toml") as store:
        assert isinstance(store.recorder.record(a_metered_release(ground)), Conflict)
        assert isinstance(store.recorder.replay(entry.key, a_caller(), at=NOON), Conflict)
        assert store.register.use(BANK, ground).revoked
    stands = with_terms.run_json("ground", "show", BANK, str(ground.id), "--kind", kind.value)
    assert stands["revoked_at"] is not None


def test_a_preview_changes_nothing(with_terms: CommandLine) -> None:
    """The preview shows what would be revoked, by id and never by person."""
    ground = a_consent(allowed=5, subject=AZAMAT)
    used(with_terms, ground)

    output = revoke(with_terms, ground)

    assert (output["applied"], output["ground_id"]) == (False, str(ground.id))
    assert AZAMAT.digits not in json.dumps(output)
    assert with_terms.run_json("ground", "show", BANK, str(ground.id))["revoked_at"] is None


def test_the_act_and_the_event_are_recorded(
    with_terms: CommandLine, store: Store, tmp_path: Path
) -> None:
    """Procedure, cl. 13: the record names who revoked it, and a monitoring centre gets an event."""
    events = tmp_path / "security.log"
    config = with_terms.directory / "makul.toml"
    config.write_text(f'{config.read_text()}\n[logs]\nsecurity = "{events}"\n')
    ground = a_consent(subject=AZAMAT)
    used(with_terms, ground)

    revoke(with_terms, ground)
    before = events.read_text() if events.exists() else ""
    revoke(with_terms, ground, "--apply")

    (event,) = [json.loads(line) for line in events.read_text().splitlines()]
    assert before == ""
    assert (event["event.code"], event["event.action"]) == ("MKL-309", "ground-revoked")
    assert AZAMAT.digits not in events.read_text()
    rows = store.registry.find_ground(BANK, GroundKind.CONSENT, ground.id)
    assert rows is not None
    assert rows.revoked_at is not None


@pytest.mark.parametrize("options", [(), ("--apply",)])
def test_a_ground_is_revoked_once(with_terms: CommandLine, options: tuple[str, ...]) -> None:
    """The preview reports it as well."""
    ground = a_basis()
    used(with_terms, ground)
    revoke(with_terms, ground, "--apply")

    result = with_terms(
        *("ground", "revoke", BANK, str(ground.id), "--kind", "BASIS", "--reason", "again"),
        *options,
    )

    assert result.code == 1
    assert "already" in result.err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"code": "COM/9"}, "COM/9 is not registered"),
        ({"id": str(uuid4())}, "no CONSENT of this id"),
        ({"kind": "BASIS"}, "no BASIS of this id"),
        ({"reason": " "}, "--reason is empty"),
    ],
)
def test_an_unknown_ground_is_refused(
    with_terms: CommandLine, wrong: dict[str, str], message: str
) -> None:
    """Another recipient, id or kind is another ground, and a reason is required."""
    ground = a_consent()
    used(with_terms, ground)
    fields = {"code": BANK, "id": str(ground.id), "kind": "CONSENT", "reason": "asked"} | wrong

    result = with_terms(
        *("ground", "revoke", fields["code"], fields["id"], "--kind", fields["kind"]),
        *("--reason", fields["reason"], "--apply"),
    )

    assert result.code == 1
    assert message in result.err
    assert with_terms.run_json("ground", "show", BANK, str(ground.id))["revoked_at"] is None


def test_a_revocation_needs_a_reason(with_terms: CommandLine) -> None:
    """The command line requires it."""
    result = with_terms("ground", "revoke", BANK, str(uuid4()), "--apply")

    assert result.code == 2

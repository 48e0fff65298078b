"""Fixtures: a ledger, and a witness that has not seen it yet."""

from pathlib import Path

import pytest

from makul.ledger.signed_note import (
    COSIGNATURE_V1,
)
from makul.trust.tlog.note_keys import Cosigner, new_key_file
from makul.witness.state import WitnessStateDir
from makul.witness.witness import WitnessProgram
from makul_testing.processes.witness import a_witness
from makul_testing.tlog.published import PublishedLog


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "published", tmp_path / "log.key")


@pytest.fixture
def cosigner(tmp_path: Path) -> Cosigner:
    new_key_file(tmp_path / "witness.key", "witness.example/w1", COSIGNATURE_V1)
    return Cosigner.load(tmp_path / "witness.key")


@pytest.fixture
def state(tmp_path: Path) -> WitnessStateDir:
    state = WitnessStateDir(tmp_path / "state")
    with state.held():
        return state


@pytest.fixture
def witness(log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir) -> WitnessProgram:
    return a_witness(log, cosigner, state)

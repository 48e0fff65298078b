"""`makul ledger run` with witnesses: cosignatures are collected during sequencing."""

import json
from pathlib import Path

import pytest

from makul.composition.adapters import utc_now
from makul.config.settings import SettingsError, load_settings
from makul.store import Store
from makul.trust.tlog.note_keys import CosignatureVerifier
from makul_testing.cli_runner import CommandLine, install_anew
from makul_testing.processes.sequencer import sequencer, until_published
from makul_testing.tlog.builder import a_refused_draft, build_recording


@pytest.fixture
def makul(tmp_path: Path) -> CommandLine:
    """Return a new installation, none of whose leaves has waited long."""
    return install_anew(tmp_path / "installation")


@pytest.fixture
def vkey(makul: CommandLine, tmp_path: Path) -> str:
    key = makul.run_json(
        *("ledger", "witness", "--new-key", tmp_path / "w.key", "--name", "witness.example/w1")
    )
    return str(key["vkey"])


def set_witness(makul: CommandLine, *lines: str) -> None:
    config = makul.directory / "makul.toml"
    table = "\n".join(("[[ledger.witnesses]]", *lines))
    config.write_text(f"{config.read_text()}\n{table}\n")


def test_cosignatures_are_collected_stored_and_published(
    makul: CommandLine, store: Store, vkey: str, tmp_path: Path
) -> None:
    """They come from the file that the witness keeps, and are given with each decision's proof."""
    set_witness(makul, f'key = "{vkey}"', 'file = "../witness-state/checkpoint"')
    build_recording(store).record_and_render(a_refused_draft(at=utc_now()))
    with sequencer(makul):
        until_published(makul, 2)
        watched = makul(
            *("ledger", "witness", "--log", makul.directory / "published"),
            *("--log-key", makul.directory / "keys" / "ledger.key.pub"),
            *("--key", tmp_path / "w.key", "--state", tmp_path / "witness-state"),
            *("--once", "--json"),
        )
        assert json.loads(watched.out)["result"] == "cosigned"
        note = until_published(makul, 2, lines=2)

    CosignatureVerifier.parse(vkey).verify(note)
    assert makul.run_json("ledger", "status")["cosigned"] == 2
    (row,) = store.registry.disclosures(recipient=None, since=None, limit=10)
    proof = store.ledger.inclusion(row.disclosure_id)
    assert proof is not None
    CosignatureVerifier.parse(vkey).verify(proof.note)


@pytest.mark.parametrize(
    "lines",
    [
        ('key = "nothing"', 'file = "checkpoint"'),
        ("{log_key}", 'file = "checkpoint"'),
        ("{key}",),
        ("{key}", 'file = "checkpoint"', 'url = "https://witness.example/checkpoint"'),
        ("{key}", 'url = "file:///etc/passwd"'),
        ("{key}", 'url = "https://user@witness.example/checkpoint"'),
        ("{key}", 'file = "checkpoint"', 'name = "w1"'),
    ],
)
def test_wrong_settings_are_refused(makul: CommandLine, vkey: str, lines: tuple[str, ...]) -> None:
    """The settings are a witness's key and one address."""
    log_key = (makul.directory / "keys" / "ledger.key.pub").read_text().strip()
    arguments = [
        line.format(key=f'key = "{vkey}"', log_key=f'key = "{log_key}"')
        if line.startswith("{")
        else line
        for line in lines
    ]
    set_witness(makul, *arguments)

    with pytest.raises(SettingsError, match=r"ledger\.witnesses"):
        load_settings(makul.directory / "makul.toml")

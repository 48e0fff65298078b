"""Settings of logs and metrics, and commands that must write a security event."""

import json
import stat
from pathlib import Path

import pytest

from makul.config.settings import SettingsError, load_settings
from makul_testing.cli_runner import CommandLine, install


@pytest.fixture(scope="module")
def makul(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return install(tmp_path_factory.mktemp("telling") / "service")


@pytest.fixture
def config(makul: CommandLine, tmp_path: Path) -> Path:
    """Return an installation's settings, to which a test adds."""
    file = tmp_path / "makul.toml"
    file.write_text((makul.directory / "makul.toml").read_text())
    return file


def metrics(bind: str) -> str:
    return f'\n[metrics]\nbind = "{bind}"\ndirectory = "metrics"\n'


@pytest.mark.parametrize("bind", ["127.0.0.1:9464", "10.0.0.5:9464", "[::1]:9464", "m.example:80"])
def test_metrics_have_their_own_address(config: Path, bind: str) -> None:
    """Their directory is relative to the settings; by default recipients are not distinguished."""
    config.write_text(config.read_text() + metrics(bind))

    found = load_settings(config).metrics

    assert found is not None
    assert (found.bind, found.directory) == (bind, config.parent / "metrics")
    assert not found.recipients


@pytest.mark.parametrize(
    "bind", ["0.0.0.0:9464", "[::]:9464", ":9464", "127.0.0.1:0", "127.0.0.1", "unix:/run/m.sock"]
)
def test_public_metrics_are_refused(config: Path, bind: str) -> None:
    """Metrics reveal how busy each recipient is; an unspecified address includes the public one."""
    config.write_text(config.read_text() + metrics(bind))

    with pytest.raises(SettingsError, match=r"metrics\.bind"):
        load_settings(config)


def test_metrics_on_a_listeners_address_are_refused(config: Path) -> None:
    """A listener never serves metrics."""
    (listener,) = load_settings(config).listeners.values()
    config.write_text(config.read_text() + metrics(listener.bind))

    with pytest.raises(SettingsError, match="one of their own"):
        load_settings(config)


def test_metrics_without_settings_say_what_to_do(makul: CommandLine) -> None:
    """There is one line, and no exporter."""
    result = makul("metrics")

    assert result.code == 1
    assert "[metrics]" in result.err


def test_a_directory_of_others_is_refused(
    makul: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter reads the files in it."""
    tmp_path.chmod(0o777)
    monkeypatch.setenv("MAKUL_METRICS__BIND", "127.0.0.1:1")
    monkeypatch.setenv("MAKUL_METRICS__DIRECTORY", str(tmp_path))

    result = makul("metrics")

    assert result.code == 3
    assert "others may not write" in result.err


def test_a_used_address_is_reported(
    makul: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3: the address may be free later."""
    monkeypatch.setenv("MAKUL_METRICS__BIND", "192.0.2.1:9464")
    monkeypatch.setenv("MAKUL_METRICS__DIRECTORY", str(tmp_path / "metrics"))

    result = makul("metrics")

    assert result.code == 3
    assert "metrics.bind" in result.err


def test_a_change_is_an_event(
    makul: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The event has who, what and when; a preview is no change."""
    security = tmp_path / "security.log"
    monkeypatch.setenv("MAKUL_LOGS__SECURITY", str(security))
    command = ("recipient", "add", "COM/60000001", "--kind", "BANK", "--name", "Example Bank")

    makul(*command)
    assert security.read_text() == ""
    assert makul(*command, "--apply").code == 0

    (event,) = [json.loads(line) for line in security.read_text().splitlines()]
    assert event["event.action"] == "recipient-changed"
    assert event["user.name"]
    assert "Example Bank" not in security.read_text()
    assert stat.S_IMODE(security.stat().st_mode) & 0o027 == 0


def test_a_command_without_its_event_does_nothing(
    makul: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A look at a person, or a change, that leaves no trace in the SIEM is refused first."""
    monkeypatch.setenv("MAKUL_LOGS__SECURITY", str(tmp_path / "nowhere" / "security.log"))
    refused = makul(
        *("recipient", "add", "COM/60000002", "--kind", "BANK", "--name", "Another", "--apply")
    )
    monkeypatch.delenv("MAKUL_LOGS__SECURITY")

    assert refused.code == 3
    assert "logs.security" in refused.err
    assert "COM/60000002" not in makul("recipient", "list", "--json").out

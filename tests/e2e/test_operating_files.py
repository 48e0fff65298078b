"""The files of docs/operating: units that systemd understands, and alerts of existing metrics."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from makul_testing.cli_runner import CommandLine
from makul_testing.external.requirements import found, needs
from makul_testing.paths import ROOT

OPERATING = ROOT / "docs" / "operating"
UNITS = sorted((OPERATING / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
DROP_INS = sorted((OPERATING / "postgresql").glob("*.service.d/*.conf"))
MONTHS = OPERATING / "systemd" / "makul-store-months.service"


def names(unit: Path) -> str:
    return unit.name


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=names)
def test_systemd_understands_every_unit(unit: Path, tmp_path: Path) -> None:
    """The program's path is replaced; systemd reports everything that it does not know."""
    for each in UNITS:
        text = each.read_text().replace("/opt/makul/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / each.name).write_text(text)
    analysis = analyzed("verify", "--man=no", str(tmp_path / unit.name))

    result = [line for line in analysis.stderr.splitlines() if unit.name in line]
    assert result == []
    assert analysis.returncode == 0


@needs("systemd-analyze")
@pytest.mark.parametrize("drop_in", DROP_INS, ids=lambda path: path.parent.name)
def test_postgresql_additions_fit_their_units(drop_in: Path, tmp_path: Path) -> None:
    """The unit exists, systemd understands both, and the whole stays confined."""
    name = drop_in.parent.name.removesuffix(".d")
    text = (OPERATING / "systemd" / name).read_text()
    text = text.replace("/opt/makul/.venv/bin", str(Path(sys.executable).parent))
    (tmp_path / name).write_text(text)
    shutil.copytree(drop_in.parent, tmp_path / drop_in.parent.name)

    analysis = analyzed("verify", "--man=no", str(tmp_path / name))

    assert [line for line in analysis.stderr.splitlines() if name in line] == []
    assert analysis.returncode == 0
    assert "MAKUL_DATABASE_URL=postgresql://makul_" in drop_in.read_text()


def test_each_unit_has_its_own_role() -> None:
    """The sequencer also has another user than the service."""
    texts = [path.read_text() for path in (*DROP_INS, MONTHS)]
    roles = [re.findall(r"postgresql://(\w+)@", text) for text in texts]

    assert sorted(roles) == [
        ["makul_backup"],
        ["makul_notifying"],
        ["makul_oversight"],
        ["makul_owner"],
        ["makul_sequencer"],
        ["makul_service"],
        ["makul_subject"],
    ]
    users = {user for text in texts for user in re.findall(r"^User=(.+)$", text, re.MULTILINE)}
    assert users == {
        *("makul-backup", "makul-ledger", "makul-notification", "makul-oversight", "makul-owner"),
        "makul-subject",
    }


@needs("systemd-analyze")
def test_a_unit_with_a_mistake_is_found(tmp_path: Path) -> None:
    """The test above can fail."""
    text = (OPERATING / "systemd" / "makul.service").read_text()
    wrong = tmp_path / "makul.service"
    wrong.write_text(text.replace("LimitCORE=0", "LimitCORES=0"))

    assert "LimitCORES" in analyzed("verify", "--man=no", str(wrong)).stderr


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", SERVICES, ids=names)
def test_every_service_is_confined(unit: Path) -> None:
    """A defect in it could reach little, by systemd's own rating of 10."""
    analysis = analyzed("security", "--offline=true", "--no-pager", "--threshold=25", str(unit))

    assert analysis.returncode == 0, analysis.stdout[-200:]


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = found("systemd-analyze")
    assert program is not None
    environment = os.environ | {"SYSTEMD_COLORS": "0"}
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.parametrize("unit", SERVICES, ids=names)
def test_no_service_leaves_a_core_dump(unit: Path) -> None:
    """It would hold keys, and citizens' data unencrypted."""
    assert "\nLimitCORE=0\n" in unit.read_text()


def test_units_run_existing_commands(tmp_path: Path) -> None:
    """The commands are compared with the command line, like those of documents."""
    commands = [
        line.partition("/.venv/bin/makul ")[2].split()
        for unit in SERVICES
        for line in unit.read_text().replace("\\\n", "").splitlines()
        if line.startswith("ExecStart=/opt/makul/.venv/bin/makul ")
    ]
    assert ["serve"] in commands
    for words in commands:
        bare = [word for word in words if not word.startswith("-")]
        result = CommandLine(tmp_path)(*bare, "--help")
        assert result.code == 0, bare
        for option in set(words) - set(bare):
            assert re.search(rf"{option}\b", result.out), (bare, option)


def test_alerts_use_existing_metrics() -> None:
    """A rule about a missing metric never fires."""
    rules = (OPERATING / "prometheus" / "alerts.yml").read_text()
    page = (OPERATING / "metrics.md").read_text()
    documented = set(re.findall(r"^\| `(makul_\w+)` \|", page, re.MULTILINE))
    named_metrics = set(re.findall(r"makul_\w+", re.sub(r'job="makul"', "", rules)))

    assert named_metrics
    assert {name.removesuffix("_bucket") for name in named_metrics} <= documented
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert alerts == re.findall(r"^\| (Makul\w+) \|", page, re.MULTILINE)
    for each in re.split(r"- alert: ", rules)[1:]:
        assert re.search(r"severity: (critical|warning)", each)
        assert "action:" in each

"""The directory of a listener's socket is closed to other users in production."""

import os
from pathlib import Path

import pytest

from makul.admin.errors import OperatorError
from makul.admin.preflight import require_fit_settings
from makul.config.settings import Environment, Settings
from makul_testing.in_process_service import build_installation


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    installation = build_installation(tmp_path_factory.mktemp("fitness"))
    installation.close()
    return installation.settings


def in_production(settings: Settings, socket: Path) -> Settings:
    """Return these settings with one wsse listener on a socket, without the sandbox's anchors."""
    listener = settings.listeners["wsse"].model_copy(update={"bind": f"unix:{socket}"})
    empty = settings.trust.anchors.parent / "no-anchors"
    empty.mkdir(exist_ok=True)
    trust = settings.trust.model_copy(update={"anchors": empty, "tsa_anchors": None})
    return settings.model_copy(
        update={
            "environment": Environment.PRODUCTION,
            "listeners": {"wsse": listener},
            "trust": trust,
        }
    )


def closed(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    directory.mkdir(mode=0o750)
    return directory


def test_a_private_directory_is_accepted(sandbox: Settings, tmp_path: Path) -> None:
    """The directory is the service's own, and only a sticky directory may be above it."""
    require_fit_settings(in_production(sandbox, closed(tmp_path) / "wsse.sock"))


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o752])
def test_a_directory_that_everybody_may_write_is_refused(
    sandbox: Settings, tmp_path: Path, mode: int
) -> None:
    """The sticky bit does not stop others from making a socket of that name first."""
    directory = closed(tmp_path)
    directory.chmod(mode)

    with pytest.raises(OperatorError, match=r"listeners\.wsse\.bind: every user may write"):
        require_fit_settings(in_production(sandbox, directory / "wsse.sock"))


def test_a_writable_directory_above_is_refused(sandbox: Settings, tmp_path: Path) -> None:
    """A user who may rename a directory above can put another in its place."""
    directory = closed(tmp_path)
    (inner := directory / "makul").mkdir(mode=0o750)
    directory.chmod(0o777)

    with pytest.raises(OperatorError, match="every user may write"):
        require_fit_settings(in_production(sandbox, inner / "wsse.sock"))


def test_a_link_is_followed(sandbox: Settings, tmp_path: Path) -> None:
    """The target directory of the link counts."""
    directory = closed(tmp_path)
    directory.chmod(0o777)
    (link := tmp_path / "link").symlink_to(directory)

    with pytest.raises(OperatorError, match="every user may write"):
        require_fit_settings(in_production(sandbox, link / "wsse.sock"))


def test_a_missing_directory_is_refused(sandbox: Settings, tmp_path: Path) -> None:
    """The error comes before the first worker starts."""
    with pytest.raises(OperatorError, match="cannot be used"):
        require_fit_settings(in_production(sandbox, tmp_path / "nothing" / "wsse.sock"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_directory_is_refused(sandbox: Settings, tmp_path: Path) -> None:
    """Its owner can do anything in it."""
    directory = closed(tmp_path)
    os.chown(directory, 65534, 65534)

    with pytest.raises(OperatorError, match="belongs to another user"):
        require_fit_settings(in_production(sandbox, directory / "wsse.sock"))

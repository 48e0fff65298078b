"""A group of options is one object of the command, and single options on the command line."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from makul_client.cli.option_groups import with_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    wide: Annotated[int, typer.Option(help="The width.")] = 1
    high: Annotated[int | None, typer.Option("--tall", help="The height.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSize:
    wide: Annotated[int, typer.Option(help="The width.")] = 2


def test_a_command_gets_its_groups() -> None:
    seen: list[Any] = []
    app = typer.Typer()

    @app.command()
    @with_groups
    def draw(name: str, *, size: Size, loud: bool = False) -> None:
        """Draw a thing."""
        seen.append((name, size, loud))

    assert CliRunner().invoke(app, ["box", "--tall", "3", "--loud"]).exit_code == 0
    assert CliRunner().invoke(app, ["box"]).exit_code == 0
    assert seen == [("box", Size(wide=1, high=3), True), ("box", Size(), False)]
    page = CliRunner().invoke(app, ["--help"]).stdout
    assert "Draw a thing." in page
    assert "--wide" in page
    assert "--size" not in page


def test_two_groups_share_no_option() -> None:
    def draw(*, size: Size, other: OtherSize) -> None:
        raise NotImplementedError

    with pytest.raises(ValueError, match="wide"):
        with_groups(draw)

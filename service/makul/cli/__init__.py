"""The operator's command line."""

from makul.cli.main import build, run

__all__ = ["build", "run"]

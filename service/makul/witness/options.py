"""The options of a witness, without its adapters: the command line fills them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessOptions:
    """The options of a witness. They do not include the installation whose log it follows."""

    log: str
    """An http(s) address, or a directory."""
    log_key: str
    """The verifier key of the log, or a file that contains it."""
    key: Path
    state: Path
    also: tuple[str, ...] = ()
    """Other addresses and files that show the checkpoint of the log."""
    bind: tuple[str, int] | None = None
    """The address that serves the cosigned checkpoint; None if it is not served."""
    from_start: bool = False
    """True to read every leaf again in each round."""

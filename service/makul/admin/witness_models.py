"""Models and protocol of `makul ledger witness`."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


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


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRound:
    """The result of one round of a witness."""

    result: str
    """The result of the round.

    `cosigned`, `unchanged`, `older` and `unavailable` need no action. An operator must investigate
    `unverified`, `unproven` and `inconsistent`.
    """
    at: datetime
    size: int | None
    """Leaves of the tree that has been cosigned so far; None before the first cosignature."""
    shown: int | None
    """Leaves of the tree that was shown, if the log signed it."""
    why: str
    evidence: Path | None
    """The location of two signed checkpoints that cannot belong to one log."""
    kept: int
    """The number of such pairs that are stored."""


class Witness(Protocol):
    """A witness with exclusive access to its state."""

    @property
    def vkey(self) -> str:
        """The public key of the witness."""

    @property
    def port(self) -> int | None:
        """The port on which the witness serves; None if it does not serve."""

    def round(self) -> WitnessRound:
        """Fetch, verify and cosign once. Raises `OperatorUnavailableError`."""

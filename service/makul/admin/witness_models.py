"""What `makul ledger witness` needs of the rest of the house."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessOptions:
    """What a witness needs, which is nothing of the installation whose log it follows."""

    log: str
    """An http(s) address, or a directory."""
    log_key: str
    """The log's verifier key, or a file that holds it."""
    key: Path
    state: Path
    also: tuple[str, ...] = ()
    """Addresses and files where else the log's checkpoint is shown."""
    bind: tuple[str, int] | None = None
    """Where the cosigned checkpoint is served, if it is."""
    from_start: bool = False
    """Read every leaf again in each round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRound:
    """What became of one round of a witness."""

    result: str
    """`cosigned`, `unchanged`, `older`, `unavailable`; or `unverified`, `unproven` or
    `inconsistent`, which somebody must look into."""
    at: datetime
    size: int | None
    """Leaves of the tree cosigned so far; None before the first."""
    shown: int | None
    """Leaves of the tree that was shown, where the log signed it."""
    why: str
    evidence: Path | None
    """Where two signed checkpoints are kept that cannot be of one log."""
    kept: int
    """How many such pairs are kept in all."""


class Witness(Protocol):
    """A witness, alone with its state."""

    @property
    def vkey(self) -> str:
        """Its public key."""

    @property
    def port(self) -> int | None:
        """Where it serves, if it does."""

    def round(self) -> WitnessRound:
        """Fetch, verify, judge, cosign once; raises `OperatorUnavailableError`."""

"""What the command line needs of the rest of the house, as Protocols.

`bootstrap` fulfils these and hands a `Runtime` to `makul.cli.build`; the command line itself knows
the use cases, the ports and the domain, and no adapter.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from makul.app.ports import Clock, Desk
from makul.domain.identifiers import MemberCode


class ExitCode(IntEnum):
    """What `makul` tells the shell."""

    DONE = 0
    REFUSED = 1
    """Refused or failed; the line on stderr says why and what to do."""
    USAGE = 2
    """The command was not understood."""
    UNAVAILABLE = 3
    """Store, keys, configuration or network are not there; the same command may work later."""


class HouseError(Exception):
    """What an operator can mend. The message is one line, says what to do, and names nobody."""

    exit_code = ExitCode.REFUSED


class HouseUnavailableError(HouseError):
    """Configuration, keys or store cannot be opened."""

    exit_code = ExitCode.UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A key or certificate in use. Never the key itself."""

    name: str
    """By which people speak of it: `receipt signing`, `store data keys`, `national root`."""
    path: Path | None
    algorithm: str
    fingerprint: str | None = None
    """SHA-256 of the certificate, or the key's own id; in hexadecimal."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    """None where a key has no term."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseFacts:
    """Facts about this installation that may be read aloud."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    operator: MemberCode
    config: Path


class House(Protocol):
    """An installation, opened from its configuration for one command."""

    @property
    def facts(self) -> HouseFacts:
        """What may be read aloud."""

    @property
    def clock(self) -> Clock:
        """The present."""

    @property
    def desk(self) -> Desk:
        """The register, for the operator."""

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """Everything that signs, seals or is trusted, and until when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Where the sandbox lives and listens. Port 0 takes a free one."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8080
    xroad_port: int = 8081
    """The listener that stands in for the operator's security server."""
    people: int = 1000
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """What became of one source of revocation data."""

    source: str
    result: str
    """`new`, `unchanged` or `failed`."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustInfo:
    """One certificate or statement that verdicts rest on."""

    kind: str
    """`anchor`, `intermediate`, `CRL`, `OCSP`, or `wanted`."""
    name: str
    state: str
    """`CURRENT`; `STALE`, `OUT_OF_TERM`, `MISSING`, `UNREADABLE` and `UNCLEAR` need somebody's
    hand; `LAPSED` and `WAITING` do not."""
    since: datetime | None = None
    until: datetime | None = None
    entries: int | None = None


class TrustKeeper(Protocol):
    """Keeps revocation data fresh, and tells of it."""

    @property
    def clock(self) -> Clock:
        """The present."""

    @property
    def interval(self) -> int:
        """Seconds between two rounds, as the settings have it."""

    def refresh(self) -> Iterable[SourceOutcome]:
        """Ask every source once; raises `HouseError`."""

    def status(self) -> Sequence[TrustInfo]:
        """All that is trusted, and what it rests on; raises `HouseError`."""


class Runtime(Protocol):
    """Builds, opens and runs a house. Each method raises `HouseError` for what can be mended."""

    @property
    def clock(self) -> Clock:
        """The present."""

    def create(self, config: Path) -> None:
        """Make the store keys and the database that a new configuration names.

        Raises `HouseError` where any of them exists.
        """

    def open(self, config: Path) -> AbstractContextManager[House]:
        """Open an installation for one command; raises `HouseUnavailableError`."""

    def trust(self, config: Path) -> TrustKeeper:
        """What is trusted by these settings; raises `HouseUnavailableError`. No store is opened."""

    def serve(self, config: Path, listener: str | None) -> int:
        """Run one listener, or all of them, until stopped; the exit code. Refuses sandbox roots."""

    def sandbox(self, options: SandboxOptions) -> int:
        """Prepare a sandbox and run it until it is stopped; the exit code."""

    def demo(self, directory: Path | None) -> int:
        """Play the scenes against a sandbox of its own; 0 where all came out as expected."""

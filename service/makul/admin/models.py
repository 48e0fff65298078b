"""What the command line needs of the rest of the house, as Protocols.

`bootstrap` fulfils these and hands a `Runtime` to `makul.cli.build`; the command line itself knows
the use cases, the ports and the domain, and no adapter.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from pathlib import Path
from threading import Event
from typing import Protocol
from uuid import UUID

from makul.admin.witness_models import Witness, WitnessOptions
from makul.app.agreements import Agreements
from makul.app.log_recovery import Missing
from makul.app.notices import Notices
from makul.app.ports import Clock, Desk, Duty, KeyRotation
from makul.app.ports.ledger import LedgerReport, LedgerState
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


class DocumentExit(IntEnum):
    """What `makul document verify` tells the shell: the report's indication comes first."""

    PASSED = 0
    FAILED = 1
    INDETERMINATE = 2
    UNAVAILABLE = 3
    USAGE = 64
    """`EX_USAGE` of sysexits.h: 2, which other commands give, says something else here."""


class CertificateUse(StrEnum):
    """What a certificate is registered for."""

    MESSAGES = "messages"
    DOCUMENTS = "documents"
    ENCRYPTION = "encryption"


class OperatorError(Exception):
    """What an operator can mend. The message is one line, says what to do, and names nobody."""

    exit_code: IntEnum = ExitCode.REFUSED


class OperatorUnavailableError(OperatorError):
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
    state: str | None = None
    """Where it is not simply in use: `NEXT`, `FORMER`, `RETIRED` or `COMPROMISED`."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationInfo:
    """Facts about this installation that may be read aloud."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    operator: MemberCode
    config: Path
    authorised_body: MemberCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevalidationResult:
    """A document of an earlier decision, judged again by what is kept."""

    kind: str
    digest: str
    kept: str | None
    """Indication and reason of the report that is kept."""
    again: str | None
    """The same of the new one; None where there was nothing to be judged."""
    where: tuple[str, ...]
    """The fields in which they differ; empty where they are the same."""


class House(Protocol):
    """An installation, opened from its configuration for one command."""

    @property
    def facts(self) -> InstallationInfo:
        """What may be read aloud."""

    @property
    def clock(self) -> Clock:
        """The present."""

    @property
    def desk(self) -> Desk:
        """The register, for the operator."""

    @property
    def agreements(self) -> Agreements:
        """Drawing agreements up, and judging what the parties signed."""

    @property
    def notices(self) -> Notices:
        """Drawing approvals up, and judging what the authorised body signed."""

    @property
    def rotation(self) -> KeyRotation:
        """The rotation of the store's master key."""

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """Everything that signs, seals or is trusted, and until when."""

    def rejudge(self, disclosure_id: UUID) -> Sequence[RevalidationResult]:
        """Each document of a decision, judged again; the look is recorded.

        Raises `OperatorUnavailableError` where the decision, or what it rested on, is not there.
        """

    def find_unsuitability(self, certificate: bytes, use: CertificateUse) -> str | None:
        """Return why nothing would be accepted under a certificate; None if something may be."""

    def mark_compromised(self, fingerprint: bytes, *, since: datetime) -> None:
        """Note that others may have signed receipts with this key; raises `OperatorError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Where the sandbox lives and listens. Port 0 takes a free one."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8080
    xroad_port: int | None = None
    """The listener that stands in for the operator's security server; None: the next port."""
    mtls_port: int | None = None
    """None: the port after that."""
    people: int = 1000
    seed: int = 1
    keep: bool = False
    """Start the sandbox that is there again, with its keys, its record and its ports."""
    given: frozenset[str] = frozenset()
    """The names of the fields that somebody asked for; the others are defaults."""


class KeyUse(StrEnum):
    """What a certified key of a party is used for."""

    MESSAGE = "message"
    SEALING = "sealing"
    OFFICIAL = "official"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """A key of somebody's own that the sandbox's authority is asked to certify."""

    directory: Path
    party: str | None
    citizen: int | None
    use: KeyUse
    key_file: Path
    is_request: bool
    """A certificate request (PKCS #10); else a public key."""
    output: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVerificationRequest:
    """A document to be judged, and by what."""

    config: Path
    """Whose trust directories count where `anchors` is not given."""
    document: bytes
    profile: str
    """`consent`, `basis`, `receipt`, `agreement`, `notice` or `generic`."""
    anchors: Path | None
    intermediates: Path | None
    crls: Path | None
    ocsp: Path | None
    tsa_anchors: Path | None
    at: datetime
    existed_at: datetime | None
    tsa_crls: Path | None = None
    """CRLs of time-stamping authorities; those of `crls` where it is None."""


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
    hand; `LAPSED`, `WAITING`, `FORMER` and `NEXT` do not."""
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
        """Ask every source once; raises `OperatorError`."""

    def status(self) -> Sequence[TrustInfo]:
        """All that is trusted, and what it rests on; raises `OperatorError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """The log, and what the operator promises of it."""

    origin: str
    vkey: str
    """The log's public key, for witnesses and clients (C2SP signed-note)."""
    max_merge_delay: timedelta
    published: int | None
    """The size of the published tree; None where nothing is published."""
    state: LedgerState


class LedgerKeeper(Protocol):
    """Keeps the log of decisions, and lets it be checked. Each raises `OperatorError`."""

    @property
    def clock(self) -> Clock:
        """The present."""

    def run(self, stopped: Event) -> int:
        """Sequence and publish until stopped; the exit code."""

    def facts(self) -> LedgerFacts:
        """How the log stands."""

    def verify(self, tell: Callable[[int, int], None], *, lost: int) -> LedgerReport:
        """Hold every record against the log. `tell` hears how many of how many are done.

        `lost` is how many decisions are known to be lost.
        """

    def missing(self) -> Missing | None:
        """What was published and is not in the store, if it was restored from an older copy."""

    def recover(self, lacking: Missing) -> None:
        """Take that back: leaves to their places, or noted as lost."""

    def export(self, directory: Path | None, bundle: Path | None) -> int:
        """Write the log to a new directory, or one file; its size in leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInfo:
    """What there is to know of a store without opening a record."""

    database: str
    """`SQLite` or `PostgreSQL`."""
    version: str
    """The newest migration that it has."""
    months_missing: tuple[str, ...] = ()
    """Months near the present that have no partition, such as `2026-12`."""
    weaknesses: tuple[str, ...] = ()
    """Why production does not do that duty by this role."""
    samples_to_move: int = 0
    """Versions of persons' records that still hold their samples, after an upgrade."""


class StoreKeeper(Protocol):
    """The store of an installation, for whoever administers it. All raises `OperatorError`."""

    def status(self, duty: Duty) -> StoreInfo:
        """Which database it is, of which version, and what it and the duty's role lack."""

    def upgrade(self, report: Callable[[int, int], None]) -> None:
        """Bring it to this program's version, samples in rows of their own.

        `report` hears how many of how many records are done.
        """

    def months_missing(self, ahead: int) -> Sequence[str]:
        """Months that have no partition yet."""

    def make_months(self, ahead: int) -> None:
        """Make the partitions that are missing."""

    def grant(self, role: str, duty: Duty) -> None:
        """Give a database role what its duty takes, and nothing more."""


class Runtime(Protocol):
    """Builds, opens and runs a house. Each method raises `OperatorError` for what can be mended."""

    @property
    def clock(self) -> Clock:
        """The present."""

    def sign(self, document: bytes, *, key: Path, certificate: Path) -> bytes:
        """The document with an enveloped XAdES signature; for parties without such software."""

    def create(self, config: Path) -> None:
        """Make the store keys and the database that a new configuration names.

        Raises `OperatorError` where any of them exists.
        """

    def open(self, config: Path) -> AbstractContextManager[House]:
        """Open an installation for one command; raises `OperatorUnavailableError`."""

    def trust(self, config: Path) -> TrustKeeper:
        """Return what these settings trust; raises `OperatorUnavailableError`. Opens no store."""

    def ledger(self, config: Path) -> AbstractContextManager[LedgerKeeper]:
        """The log of an installation, for one command; raises `OperatorUnavailableError`."""

    def witness(self, options: WitnessOptions) -> AbstractContextManager[Witness]:
        """A witness of any log; raises `OperatorError`. No installation is opened."""

    def new_witness_key(self, path: Path, name: str) -> str:
        """Make a witness's key file; its public key. Raises `OperatorError`."""

    def store(self, config: Path) -> StoreKeeper:
        """The store of these settings; raises `OperatorUnavailableError`. It is not opened."""

    def serve(self, config: Path, listener: str | None) -> int:
        """Run one listener, or all of them, until stopped; the exit code. Refuses sandbox roots."""

    def metrics(self, config: Path) -> int:
        """Tell the numbers of a running service to Prometheus, until stopped; the exit code."""

    def sandbox(self, options: SandboxOptions) -> int:
        """Prepare a sandbox and run it until it is stopped; the exit code."""

    def verify_document(self, question: DocumentVerificationRequest) -> bytes:
        """The validation report, as the JSON that docs/auditors.md lists.

        Raises `OperatorUnavailableError` where neither directories nor settings can be used.
        """

    def certify(self, request: Certification) -> str:
        """Certify a key for a running or stopped sandbox; one line on what was done."""

    def demo(self, directory: Path | None) -> int:
        """Play the scenes against a sandbox of its own; 0 where all came out as expected."""

"""Protocols through which the command line uses the service.

`main` implements these and passes a `Runtime` to `makul.cli.build`. The command line knows the use
cases, the ports and the domain, and no adapter.
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
    """The exit codes of `makul`."""

    DONE = 0
    REFUSED = 1
    """The command was refused or failed. The line on stderr says why and what to do."""
    USAGE = 2
    """The command was not understood."""
    UNAVAILABLE = 3
    """Store, keys, settings or network are unavailable. The same command may succeed later."""


class DocumentExit(IntEnum):
    """The exit codes of `makul document verify`, which begin with the indication of the report."""

    PASSED = 0
    FAILED = 1
    INDETERMINATE = 2
    UNAVAILABLE = 3
    USAGE = 64
    """`EX_USAGE` of sysexits.h. Other commands use 2, which means INDETERMINATE here."""


class CertificateUse(StrEnum):
    """The use for which a certificate is registered."""

    MESSAGES = "messages"
    DOCUMENTS = "documents"
    ENCRYPTION = "encryption"


class OperatorError(Exception):
    """An error that an operator can correct. Its one-line message says what to do.

    The message names no person.
    """

    exit_code: IntEnum = ExitCode.REFUSED


class OperatorUnavailableError(OperatorError):
    """Settings, keys or store cannot be opened."""

    exit_code = ExitCode.UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A key or certificate in use. It never contains the key itself."""

    name: str
    """The common name: `receipt signing`, `store data keys`, `national root`."""
    path: Path | None
    algorithm: str
    fingerprint: str | None = None
    """SHA-256 of the certificate, or the key's own id, in hexadecimal."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    """The end of the term; None for a key without a term."""
    state: str | None = None
    """`NEXT`, `FORMER`, `RETIRED` or `COMPROMISED`; None for a key in ordinary use."""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationInfo:
    """Public facts about this installation."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    operator: MemberCode
    config: Path
    authorised_body: MemberCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevalidationResult:
    """A document of an earlier decision that was judged again by its stored evidence."""

    kind: str
    digest: str
    kept: str | None
    """Indication and reason of the stored report."""
    again: str | None
    """Indication and reason of the new report; None if the document could not be judged."""
    where: tuple[str, ...]
    """The fields in which the two reports differ; empty if they agree."""


class House(Protocol):
    """An installation, opened from its settings for one command."""

    @property
    def facts(self) -> InstallationInfo:
        """The public facts."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    @property
    def desk(self) -> Desk:
        """The operator's registry."""

    @property
    def agreements(self) -> Agreements:
        """The use cases that draft agreements and verify what the parties signed."""

    @property
    def notices(self) -> Notices:
        """The use cases that draft approvals and verify what the authorised body signed."""

    @property
    def rotation(self) -> KeyRotation:
        """The rotation of the store's master key."""

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """Return every key or certificate that signs, encrypts or is trusted, with its term."""

    def rejudge(self, disclosure_id: UUID) -> Sequence[RevalidationResult]:
        """Judge each document of a decision again. This use is recorded.

        Raises `OperatorUnavailableError` if the decision or its evidence is not stored.
        """

    def find_unsuitability(self, certificate: bytes, use: CertificateUse) -> str | None:
        """Return why nothing would be accepted under a certificate, or None if something may be."""

    def mark_compromised(self, fingerprint: bytes, *, since: datetime) -> None:
        """Note that others may have signed receipts with this key. Raises `OperatorError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The directory and addresses of a sandbox. Port 0 takes a free one."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 8080
    xroad_port: int | None = None
    """The port that stands in for the operator's security server; None is the next port."""
    mtls_port: int | None = None
    """None is the port after that."""
    people: int = 1000
    seed: int = 1
    keep: bool = False
    """Start the existing sandbox again, with its keys, its records and its ports."""
    given: frozenset[str] = frozenset()
    """The names of the fields that the caller gave; the others have defaults."""


class KeyUse(StrEnum):
    """The use of a certified key of a party."""

    MESSAGE = "message"
    SEALING = "sealing"
    OFFICIAL = "official"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """A request to the sandbox's authority to certify a key of the caller."""

    directory: Path
    party: str | None
    citizen: int | None
    use: KeyUse
    key_file: Path
    is_request: bool
    """True if the file is a certificate request (PKCS #10); false if it is a public key."""
    output: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVerificationRequest:
    """A document to be verified, with the trust data to use."""

    config: Path
    """The settings whose trust directories are used if `anchors` is not given."""
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
    """CRLs of time-stamping authorities; None stands for those of `crls`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """The outcome of one source of revocation data."""

    source: str
    result: str
    """`new`, `unchanged` or `failed`."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustInfo:
    """One certificate or revocation statement on which verdicts rest."""

    kind: str
    """`anchor`, `intermediate`, `CRL`, `OCSP`, or `wanted`."""
    name: str
    state: str
    """The state of the item.

    `CURRENT` is in order. `STALE`, `OUT_OF_TERM`, `MISSING`, `UNREADABLE` and `UNCLEAR` need an
    operator's action. `LAPSED`, `WAITING`, `FORMER` and `NEXT` do not.
    """
    since: datetime | None = None
    until: datetime | None = None
    entries: int | None = None


class TrustKeeper(Protocol):
    """Refreshes revocation data, and reports their state."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    @property
    def interval(self) -> int:
        """Seconds between two rounds, from the settings."""

    def refresh(self) -> Iterable[SourceOutcome]:
        """Query every source once. Raises `OperatorError`."""

    def status(self) -> Sequence[TrustInfo]:
        """Return everything that is trusted, with its revocation data. Raises `OperatorError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """The status of the log, and the operator's promise."""

    origin: str
    vkey: str
    """The public key of the log, for witnesses and clients (C2SP signed-note)."""
    max_merge_delay: timedelta
    published: int | None
    """The size of the published tree; None if nothing is published."""
    state: LedgerState


class LedgerKeeper(Protocol):
    """Runs, verifies and exports the log of decisions. Each method raises `OperatorError`."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    def run(self, stopped: Event) -> int:
        """Sequence and publish until stopped, and return the exit code."""

    def facts(self) -> LedgerFacts:
        """Return the status of the log."""

    def verify(self, tell: Callable[[int, int], None], *, lost: int) -> LedgerReport:
        """Verify every record against the log.

        `tell` receives the number of verified records and the total. `lost` is the number of
        decisions that are known to be lost.
        """

    def missing(self) -> Missing | None:
        """Return the published leaves that a store restored from an older copy lacks."""

    def recover(self, lacking: Missing) -> None:
        """Restore each missing leaf to its leaf index, or note it as lost."""

    def export(self, directory: Path | None, bundle: Path | None) -> int:
        """Write the log to a new directory or to one file, and return its size in leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInfo:
    """The properties of a store that can be read without decrypting a record."""

    database: str
    """`SQLite` or `PostgreSQL`."""
    version: str
    """The newest migration of the store."""
    months_missing: tuple[str, ...] = ()
    """Months near the present that have no partition, such as `2026-12`."""
    weaknesses: tuple[str, ...] = ()
    """The reasons why production refuses this duty under this role."""
    samples_to_move: int = 0
    """Versions of persons' records that still hold their samples after an upgrade."""


class StoreKeeper(Protocol):
    """The store of an installation, for administrators. Each method raises `OperatorError`."""

    def status(self, duty: Duty) -> StoreInfo:
        """Return the database, its version, and what it and the role of the duty lack."""

    def upgrade(self, report: Callable[[int, int], None]) -> None:
        """Upgrade the store to the version of this program, with samples in rows of their own.

        `report` receives the number of finished records and the total.
        """

    def months_missing(self, ahead: int) -> Sequence[str]:
        """Return the months that have no partition yet."""

    def make_months(self, ahead: int) -> None:
        """Create the missing partitions."""

    def grant(self, role: str, duty: Duty) -> None:
        """Grant a database role exactly the privileges of its duty."""


class Runtime(Protocol):
    """Creates, opens and runs installations.

    Each method raises `OperatorError` for an error that an operator can correct.
    """

    @property
    def clock(self) -> Clock:
        """The clock."""

    def sign(self, document: bytes, *, key: Path, certificate: Path) -> bytes:
        """Return the document with an enveloped XAdES signature, for parties without software."""

    def create(self, config: Path) -> None:
        """Create the store keys and the database that new settings name.

        Raises `OperatorError` if any of them exists.
        """

    def open(self, config: Path) -> AbstractContextManager[House]:
        """Open an installation for one command. Raises `OperatorUnavailableError`."""

    def trust(self, config: Path) -> TrustKeeper:
        """Return the trust data of these settings, without opening the store.

        Raises `OperatorUnavailableError`.
        """

    def ledger(self, config: Path) -> AbstractContextManager[LedgerKeeper]:
        """Open the ledger of an installation for one command. Raises `OperatorUnavailableError`."""

    def witness(self, options: WitnessOptions) -> AbstractContextManager[Witness]:
        """Open a witness of any log, without opening an installation. Raises `OperatorError`."""

    def new_witness_key(self, path: Path, name: str) -> str:
        """Create the key file of a witness and return its public key. Raises `OperatorError`."""

    def store(self, config: Path) -> StoreKeeper:
        """Return the store of these settings without opening it.

        Raises `OperatorUnavailableError`.
        """

    def serve(self, config: Path, listener: str | None) -> int:
        """Run one listener or all of them until stopped, and return the exit code.

        Refuses sandbox roots.
        """

    def metrics(self, config: Path) -> int:
        """Serve metrics of a running service to Prometheus until stopped; return the exit code."""

    def sandbox(self, options: SandboxOptions) -> int:
        """Prepare a sandbox, run it until it is stopped, and return the exit code."""

    def verify_document(self, question: DocumentVerificationRequest) -> bytes:
        """Return the validation report, as the JSON that docs/auditors.md lists.

        Raises `OperatorUnavailableError` if neither directories nor settings can be used.
        """

    def certify(self, request: Certification) -> str:
        """Certify a key for a running or stopped sandbox, and return one line on the result."""

    def demo(self, directory: Path | None) -> int:
        """Run the demo on a sandbox of its own, and return 0 if every scene ended as expected."""

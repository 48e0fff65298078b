"""What the command line runs: installations made, opened and served, the sandbox and the demo.

Fulfils the `Runtime` of `cli.house` over the rooms that `bootstrap` wires.
"""

import getpass
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn, cast
from uuid import UUID

from makul.app.agreements import Agreements
from makul.app.notices import Notices
from makul.app.ports import (
    Clock,
    Desk,
    DocumentVerifier,
    KeyRotation,
    SignerUnavailableError,
    StoreUnavailableError,
    VerifiedDocument,
)
from makul.bootstrap import build_service, channel_of
from makul.checking import complaint_of
from makul.cli import main as command_line
from makul.cli.house import (
    DocumentQuestion,
    House,
    HouseError,
    HouseFacts,
    HouseUnavailableError,
    KeyInfo,
    LedgerKeeper,
    Rejudged,
    SandboxOptions,
    SourceOutcome,
    StoreInfo,
    TrustInfo,
)
from makul.cli.witnessing import Witness, WitnessOptions
from makul.examining import examine
from makul.exporting import export_metrics
from makul.inventory import keys_in_use, recipients_certificates
from makul.keeping import open_ledger
from makul.ledger.notes import ED25519
from makul.logs import LogError, configure_logging, configure_security
from makul.observing.events import Event
from makul.observing.security import WatchedDesk
from makul.observing.security import tell as tell_event
from makul.observing.spool import Spool, SpoolError
from makul.parts import (
    build_agreements,
    build_parts,
    build_refresher,
    document_verifier,
    somebody_certifies_citizens,
    trust_directories,
    tsa_directories,
    utc_now,
    wanted_of,
)
from makul.rejudging import rejudge
from makul.sandbox import demo as sandbox_demo
from makul.sandbox import run as sandbox_run
from makul.sandbox.pki import is_sandbox
from makul.serving import serve_all, serve_one
from makul.settings import Environment, Settings, SettingsError, load_settings
from makul.store import (
    Store,
    StoreKeys,
    StoreKeysError,
    create_store,
    open_store,
    upgrade_store,
)
from makul.store.granting import grant, weaknesses
from makul.store.months import make_months, missing_months
from makul.store.schema import VERSION, assert_schema
from makul.trust.failures import SignatureFailure
from makul.trust.keys import KeyFileError, load_pair
from makul.trust.material import TrustStoreError, ca_certificates
from makul.trust.notes import new_key_file
from makul.trust.paths import TrustStore
from makul.trust.receipt_certificates import mark_compromised
from makul.trust.refreshing import Refresher, Result
from makul.trust.signing import sign_document
from makul.trust.telling import tell
from makul.witness.running import new_witness_key, open_witness

log = logging.getLogger(__name__)

MENDABLE = (
    SettingsError,
    StoreKeysError,
    KeyFileError,
    TrustStoreError,
    SignerUnavailableError,
    LogError,
    SpoolError,
)
"""What an operator can mend; each message is one line that says what to do."""

_NO_DOCUMENT = b'<Nothing xmlns="urn:makul:nothing" Id="nothing"></Nothing>'


@dataclass(frozen=True, slots=True)
class OpenHouse:
    """An installation, open for one command."""

    settings: Settings
    store: Store
    facts: HouseFacts
    clock: Clock

    @property
    def desk(self) -> Desk:
        """The register, for the operator; what is done with it is told as a security event."""
        return cast("Desk", WatchedDesk(self.store.desk, _who()))

    @property
    def agreements(self) -> Agreements:
        """Drawing agreements up, and judging what the parties signed."""
        return self._papers[0]

    @property
    def notices(self) -> Notices:
        """Drawing approvals up, and judging what the authorised body signed."""
        return self._papers[1]

    @property
    def _papers(self) -> tuple[Agreements, Notices]:
        return build_agreements(self.settings, self.desk, _VerifierOnDemand(self.settings))

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """The receipt key's certificate, the store keys, and every certificate that is trusted."""
        with _explained():
            return [*keys_in_use(self.settings), *recipients_certificates(self.desk)]

    @property
    def rotation(self) -> KeyRotation:
        """The rotation of the store's master key."""
        return self.store.rotation(self.settings.store.keys)

    def rejudge(self, disclosure_id: UUID) -> Sequence[Rejudged]:
        """Each document of a decision, judged again by what is kept; the look is recorded."""
        case = self.desk.evidence_of(disclosure_id, at=self.clock())
        if case is None:
            raise HouseUnavailableError(
                f"no decision {disclosure_id} is recorded; see: makul disclosure list"
            )
        with _explained():
            return list(rejudge(case, self.settings))

    def mark_compromised(self, fingerprint: bytes, *, since: datetime) -> None:
        """Note beside the earlier certificates that others may have signed with this key."""
        retired = self.settings.receipts.retired
        if retired is None:
            raise HouseError("receipts.retired is not set: name a directory for it in the settings")
        with _explained():
            mark_compromised(retired, fingerprint, since)
        tell_event(Event.KEY_COMPROMISED, user=_who())


class _VerifierOnDemand:
    """A document verifier that loads what is trusted once something is to be verified.

    Terms can be drawn up before there is anybody to trust.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verifier: DocumentVerifier | None = None

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """As `DocumentVerifier`; raises `HouseUnavailableError` where nothing can be trusted."""
        if self._verifier is None:
            with _explained():
                trust = TrustStore(trust_directories(self._settings))
                self._verifier = document_verifier(self._settings, trust)
        return self._verifier.verify(document, at=at, existed_at=existed_at)


@dataclass(frozen=True, slots=True)
class SettingsTrust:
    """What is trusted by the settings of an installation."""

    settings: Settings
    refresher: Refresher
    clock: Clock

    @property
    def interval(self) -> int:
        """Seconds between two rounds."""
        return self.settings.trust.refresh.interval

    def refresh(self) -> Iterator[SourceOutcome]:
        """Ask every source once."""
        with _explained():
            for each in self.refresher.once(self.clock()):
                if each.result is Result.FAILED:
                    tell_event(Event.REFRESH_FAILED)
                yield SourceOutcome(source=each.source, result=each.result.value, why=each.why)

    def status(self) -> Sequence[TrustInfo]:
        """For documents and messages first, then for timestamps."""
        with _explained():
            wanted = wanted_of(self.settings)
            told = list(tell(trust_directories(self.settings), wanted, at=self.clock()))
            stamping = tsa_directories(self.settings)
            if stamping is not None:
                told += tell(stamping, None, at=self.clock())
        unique = dict.fromkeys(told)
        return [
            TrustInfo(
                kind=each.kind,
                name=each.name,
                state=each.state.value,
                since=each.since,
                until=each.until,
                entries=each.entries,
            )
            for each in unique
        ]


@dataclass(frozen=True, slots=True)
class SettingsStore:
    """The store of an installation, as its administrator sees it."""

    settings: Settings
    clock: Clock

    def status(self) -> StoreInfo:
        """Which database it is, of which version, and what it lacks."""
        with _explained():
            place = self.settings.place
            assert_schema(place)
            return StoreInfo(
                database="SQLite" if isinstance(place, Path) else "PostgreSQL",
                version=VERSION,
                months_missing=_named(missing_months(place, at=self.clock())),
                weaknesses=tuple(weaknesses(place)),
            )

    def upgrade(self) -> None:
        """Bring it to this program's version."""
        with _explained():
            upgrade_store(self.settings.place)

    def months_missing(self, ahead: int) -> Sequence[str]:
        """Months that have no partition yet."""
        with _explained():
            return _named(missing_months(self.settings.place, at=self.clock(), ahead=ahead))

    def make_months(self, ahead: int) -> None:
        """Make the partitions that are missing."""
        with _explained():
            make_months(self.settings.place, at=self.clock(), ahead=ahead)

    def grant(self, role: str) -> None:
        """Give a role what serving needs, and nothing more."""
        place = self.settings.place
        if isinstance(place, Path):
            raise HouseError("an SQLite store has no roles; the file's owner may do everything")
        with _explained():
            grant(place, role)


def _named(months: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    return tuple(f"{year:04}-{month:02}" for year, month in months)


class LocalRuntime:
    """Runs everything on this machine, as this user."""

    @property
    def clock(self) -> Clock:
        """The present."""
        return utc_now

    def sign(self, document: bytes, *, key: Path, certificate: Path) -> bytes:
        """The document with an enveloped XAdES signature of this moment."""
        with _explained():
            private, chain = load_pair(key, certificate)
        try:
            return sign_document(document, private, chain, at=utc_now())
        except SignatureFailure as failure:
            raise HouseError(f"this document cannot be signed: {failure.why}") from None

    def create(self, config: Path) -> None:
        """Make the store keys, the database and the ledger's key that a configuration names."""
        with _explained():
            settings = load_settings(config)
            made = [settings.store.keys, settings.place]
            made += [settings.ledger.key] if settings.ledger is not None else []
            for path in made:
                if isinstance(path, Path) and path.exists():
                    raise HouseError(f"{path} exists already; nothing was made")
            keys = StoreKeys.generate()
            keys.save(settings.store.keys)
            create_store(settings.place, keys, who=_who()).close()
            make_months(settings.place, at=utc_now())
            if settings.ledger is not None:
                new_key_file(settings.ledger.key, settings.ledger.origin, ED25519)

    @contextmanager
    def open(self, config: Path) -> Iterator[House]:
        """Open an installation for one command."""
        with _explained():
            settings = load_settings(config)
            _tell_security(settings)
            store = _open(settings)
        facts = HouseFacts(
            environment=settings.environment.value,
            operator=settings.operator_code,
            config=config,
            authorised_body=settings.authorised_body.member if settings.authorised_body else None,
        )
        try:
            yield OpenHouse(settings=settings, store=store, facts=facts, clock=utc_now)
        finally:
            store.close()

    def trust(self, config: Path) -> SettingsTrust:
        """What is trusted by these settings; the store stays closed."""
        with _explained():
            settings = load_settings(config)
            _tell_security(settings)
            return SettingsTrust(settings, build_refresher(settings), utc_now)

    @contextmanager
    def ledger(self, config: Path) -> Iterator[LedgerKeeper]:
        """The log of an installation, open for one command."""
        with _explained():
            settings = load_settings(config)
            _tell_security(settings)
            store = _open(settings)
        try:
            with _explained():
                yield open_ledger(settings, store, utc_now)
        finally:
            store.close()

    def witness(self, options: WitnessOptions) -> AbstractContextManager[Witness]:
        """A witness of any log, with a key and a state of its own."""
        return open_witness(options, utc_now)

    def new_witness_key(self, path: Path, name: str) -> str:
        """Make a witness's key file; its public key."""
        return new_witness_key(path, name)

    def store(self, config: Path) -> SettingsStore:
        """The store of these settings, for those who run it; it stays closed."""
        with _explained():
            return SettingsStore(load_settings(config), utc_now)

    def serve(self, config: Path, listener: str | None) -> int:
        """Run one listener, or all of them, until stopped."""
        with _explained():
            settings = load_settings(config)
            _refuse_sandbox_roots(settings)
            _refuse_anyones_citizens(settings)
            _refuse_a_weak_store(settings)
            names = tuple(settings.listeners)
            if listener is not None and listener not in names:
                raise HouseError(f"no listener {listener}; there are: {', '.join(names)}")
        complaint = complaint_of(lambda: _complaint(config, listener))
        if complaint is not None:
            raise HouseUnavailableError(complaint)
        with _explained():
            configure_logging(
                settings.logs.level.number,
                security=settings.logs.security,
                environment=settings.environment.value,
            )
        if settings.trust.archive is None and settings.environment is Environment.PRODUCTION:
            log.warning("trust.archive is not set: what verdicts rest on is not kept")
        if not somebody_certifies_citizens(settings):
            log.warning("no CA in trust.intermediates may give a policy of trust.pin_policies")
        metrics = settings.metrics
        if listener is None and (len(names) > 1 or metrics is not None):
            return serve_all(config, names, metrics=metrics is not None)
        name = listener or names[0]
        with _explained():
            return serve_one(
                name,
                lambda: load_settings(config).listeners[name],
                lambda: build_service(load_settings(config), name),
                complaint=lambda: complaint_of(lambda: _complaint(config, name)),
                spool=Spool(metrics.directory, name) if metrics is not None else None,
            )

    def metrics(self, config: Path) -> int:
        """Tell the numbers of a running service to Prometheus, until stopped."""
        with _explained():
            settings = load_settings(config)
            export_metrics(settings)
        return 0

    def sandbox(self, options: SandboxOptions) -> int:
        """Prepare a sandbox and run it until it is stopped."""
        return sandbox_run.run(options, self)

    def verify_document(self, question: DocumentQuestion) -> bytes:
        """The validation report of one document, offline."""
        with _explained():
            return examine(question)

    def demo(self, directory: Path | None) -> int:
        """Play the scenes against a sandbox of its own."""
        return sandbox_demo.play(directory)


def main() -> NoReturn:
    """The program `makul`."""
    command_line.run(LocalRuntime())


def _tell_security(settings: Settings) -> None:
    configure_security(settings.logs.security, environment=settings.environment.value)


def _who() -> str:
    """Whom the desk's log names: the user of this machine, and the one behind sudo."""
    user = getpass.getuser()
    behind = os.environ.get("SUDO_USER")
    return f"{user} ({behind})" if behind and behind != user else user


def _open(settings: Settings) -> Store:
    return open_store(settings.place, StoreKeys.load(settings.store.keys), who=_who())


def _complaint(config: Path, listener: str | None) -> str | None:
    """Why these settings, as they are now, could not be served; None where they could.

    Everything is built once before any worker starts, so that what is wrong is said once.
    """
    try:
        with _explained():
            settings = load_settings(config)
            _refuse_sandbox_roots(settings)
            _refuse_anyones_citizens(settings)
            _refuse_a_weak_store(settings)
            if listener is not None and listener not in settings.listeners:
                return f"no listener {listener} any more"
            _check_parts(settings)
    except HouseError as error:
        return str(error)
    return None


def _check_parts(settings: Settings) -> None:
    store = _open(settings)
    try:
        parts = build_parts(settings, store)
        for listener in settings.listeners.values():
            channel_of(listener, parts)
        # Signed for nothing: a token that is not there is told now, and not by the first request.
        parts.signer.sign(_NO_DOCUMENT, at=utc_now())
    finally:
        store.close()


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what can be mended into one line for the operator."""
    try:
        yield
    except MENDABLE as error:
        raise HouseUnavailableError(str(error)) from None
    except StoreUnavailableError as error:
        raise HouseUnavailableError(f"{error}") from None


def _refuse_sandbox_roots(settings: Settings) -> None:
    """Sandbox keys lie open in its directory: in production they would let anyone in."""
    if settings.environment is Environment.SANDBOX:
        return
    for directory in (settings.trust.anchors, settings.trust.tsa_anchors):
        for path, certificate in ca_certificates(directory) if directory is not None else ():
            if is_sandbox(certificate):
                raise HouseError(f"{path} is a sandbox root; take it out of the trust anchors")


def _refuse_a_weak_store(settings: Settings) -> None:
    """In production, what is append-only must be so for the service itself."""
    if settings.environment is Environment.PRODUCTION:
        for weakness in weaknesses(settings.place):
            raise HouseError(f"the record store is not fit for production: {weakness}")


def _refuse_anyones_citizens(settings: Settings) -> None:
    """Without a policy to tell them by, a CA for organisations could certify citizens as well."""
    if settings.environment is Environment.PRODUCTION and not settings.trust.pin_policies:
        raise HouseError(
            "trust.pin_policies is not set: name the policy of citizens' certificates, so that no"
            " other authority can say who somebody is"
        )

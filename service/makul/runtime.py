"""What the command line runs: installations made, opened and served, the sandbox and the demo.

Fulfils the `Runtime` of `cli.house` over the rooms that `bootstrap` wires.
"""

import getpass
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from makul.app.ports import Clock, Desk, StoreUnavailableError
from makul.bootstrap import (
    build_parts,
    build_refresher,
    build_service,
    trust_directories,
    tsa_directories,
    utc_now,
    wanted_of,
)
from makul.cli import main as command_line
from makul.cli.house import (
    House,
    HouseError,
    HouseFacts,
    HouseUnavailableError,
    KeyInfo,
    SandboxOptions,
    SourceOutcome,
    TrustInfo,
)
from makul.logs import configure_logging
from makul.sandbox import demo as sandbox_demo
from makul.sandbox import run as sandbox_run
from makul.sandbox.pki import is_sandbox
from makul.serving import serve_all, serve_one
from makul.settings import Environment, Settings, SettingsError, load_settings
from makul.store import Store, StoreKeys, StoreKeysError, create_store, open_store
from makul.trust.keys import KeyFileError, load_certificates
from makul.trust.material import TrustStoreError, ca_certificates
from makul.trust.refreshing import Refresher
from makul.trust.telling import tell

log = logging.getLogger(__name__)

MENDABLE = (SettingsError, StoreKeysError, KeyFileError, TrustStoreError)
"""What an operator can mend; each message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class OpenHouse:
    """An installation, open for one command."""

    settings: Settings
    store: Store
    facts: HouseFacts
    clock: Clock

    @property
    def desk(self) -> Desk:
        """The register, for the operator."""
        return self.store.desk

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """The receipt key's certificate, the store keys, and every certificate that is trusted."""
        with _explained():
            return list(_keys_in_use(self.settings))


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


class LocalRuntime:
    """Runs everything on this machine, as this user."""

    @property
    def clock(self) -> Clock:
        """The present."""
        return utc_now

    def create(self, config: Path) -> None:
        """Make the store keys and the database that a new configuration names."""
        with _explained():
            settings = load_settings(config)
            for path in (settings.store.keys, settings.store.database):
                if path.exists():
                    raise HouseError(f"{path} exists already; nothing was made")
            keys = StoreKeys.generate()
            keys.save(settings.store.keys)
            create_store(settings.store.database, keys, who=_who()).close()

    @contextmanager
    def open(self, config: Path) -> Iterator[House]:
        """Open an installation for one command."""
        with _explained():
            settings = load_settings(config)
            store = _open(settings)
        facts = HouseFacts(
            environment=settings.environment.value,
            operator=settings.operator_code,
            config=config,
        )
        try:
            yield OpenHouse(settings=settings, store=store, facts=facts, clock=utc_now)
        finally:
            store.close()

    def trust(self, config: Path) -> SettingsTrust:
        """What is trusted by these settings; the store stays closed."""
        with _explained():
            settings = load_settings(config)
            return SettingsTrust(settings, build_refresher(settings), utc_now)

    def serve(self, config: Path, listener: str | None) -> int:
        """Run one listener, or all of them, until stopped."""
        with _explained():
            settings = load_settings(config)
            _refuse_sandbox_roots(settings)
            _refuse_anyones_citizens(settings)
            _check_parts(settings)
            names = tuple(settings.listeners)
            if listener is not None and listener not in names:
                raise HouseError(f"no listener {listener}; there are: {', '.join(names)}")
        configure_logging()
        if settings.trust.archive is None and settings.environment is Environment.PRODUCTION:
            log.warning("trust.archive is not set: what verdicts rest on is not kept")
        if listener is None and len(names) > 1:
            return serve_all(config, names)
        name = listener or names[0]
        return serve_one(settings.listeners[name], lambda: build_service(settings, name))

    def sandbox(self, options: SandboxOptions) -> int:
        """Prepare a sandbox and run it until it is stopped."""
        return sandbox_run.run(options, self)

    def demo(self, directory: Path | None) -> int:
        """Play the scenes against a sandbox of its own."""
        return sandbox_demo.play(directory)


def main() -> NoReturn:
    """The program `makul`."""
    command_line.run(LocalRuntime())


def _who() -> str:
    """Whom the desk's log names: the user of this machine, and the one behind sudo."""
    user = getpass.getuser()
    behind = os.environ.get("SUDO_USER")
    return f"{user} ({behind})" if behind and behind != user else user


def _open(settings: Settings) -> Store:
    return open_store(settings.store.database, StoreKeys.load(settings.store.keys), who=_who())


def _check_parts(settings: Settings) -> None:
    """Build everything once before any worker starts, so that what is wrong is said once."""
    store = _open(settings)
    try:
        build_parts(settings, store)
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


def _refuse_anyones_citizens(settings: Settings) -> None:
    """Without a policy to tell them by, a CA for organisations could certify citizens as well."""
    if settings.environment is Environment.PRODUCTION and not settings.trust.pin_policies:
        raise HouseError(
            "trust.pin_policies is not set: name the policy of citizens' certificates, so that no"
            " other authority can say who somebody is"
        )


def _keys_in_use(settings: Settings) -> Iterator[KeyInfo]:
    receipts = settings.receipts.certificate
    for certificate in load_certificates(receipts)[:1]:
        yield _certificate("receipt signing", receipts, certificate)
    keys = StoreKeys.load(settings.store.keys)
    yield KeyInfo(
        name="store data keys",
        path=settings.store.keys,
        algorithm="AES-256-GCM, HMAC-SHA-256",
        fingerprint=keys.current_id,
    )
    directories = trust_directories(settings)
    for name, directory in (
        ("trust anchor", directories.anchors),
        ("intermediate", directories.intermediates),
    ):
        for path, certificate in ca_certificates(directory) if directory is not None else ():
            yield _certificate(name, path, certificate)


def _certificate(name: str, path: Path, certificate: x509.Certificate) -> KeyInfo:
    return KeyInfo(
        name=name,
        path=path,
        algorithm=_algorithm(certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        note=certificate.subject.rfc4514_string(),
    )


def _algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return type(key).__name__

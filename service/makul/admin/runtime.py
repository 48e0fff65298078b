"""The composition root of the command line: installations, the service, sandbox and demo.

The sandbox and its client are imported only when they are called, because no service needs them.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from makul.admin.backup import BackupMaker
from makul.admin.case_verification import (
    CaseQuestion,
    VerifiedCase,
    trust_of_question,
    verify_case,
)
from makul.admin.document_verification import examine
from makul.admin.error_handling import as_operator_error, open_store_for
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.admin.installation import Installation, InstallationInfo
from makul.admin.ledger import OpenLedger, open_ledger
from makul.admin.metrics_export import export_metrics
from makul.admin.month_verification import load_signer_fingerprints, verify_statement
from makul.admin.notifications import NotificationDesk
from makul.admin.preflight import (
    find_configuration_error,
    require_fit_settings,
    require_strong_store,
)
from makul.admin.requests import Certification, DocumentVerificationRequest, SandboxOptions
from makul.admin.restoration import Restoration
from makul.admin.store import SettingsStore
from makul.admin.trust_data import SettingsTrust
from makul.app.ports import Clock, Duty
from makul.composition.adapters import (
    build_refresher,
    has_citizen_ca,
    utc_now,
)
from makul.composition.service import build_service
from makul.config.settings import Environment, Settings, load_settings
from makul.domain.monthly_statements import MonthlyStatement
from makul.language.report_reasons import translate_reason
from makul.language.translation import Language, translate, use_language
from makul.ledger.signed_note import ED25519
from makul.net.users import identify_operator
from makul.observability.logging_config import configure_logging, configure_security
from makul.observability.multiprocess import WorkerMetricsDir
from makul.server.gunicorn_app import serve_all, serve_one
from makul.server.isolated_check import run_isolated
from makul.store import StoreKeys, create_store, log_at
from makul.store.schema.partitions import make_months
from makul.trust.base.errors import SignatureFailure
from makul.trust.keys.files import load_pair
from makul.trust.tlog.note_keys import new_key_file
from makul.trust.xades.signing import sign_document

log = logging.getLogger(__name__)


class Runtime:
    """Creates, opens and runs installations on this machine, as this user.

    Each method raises `OperatorError` for an error that an operator can correct.
    """

    @property
    def clock(self) -> Clock:
        """The system clock."""
        return utc_now

    def sign(self, document: bytes, *, key: Path, certificate: Path) -> bytes:
        """Return the document with an enveloped XAdES signature of this moment."""
        with as_operator_error():
            private, chain = load_pair(key, certificate)
        try:
            return sign_document(document, private, chain, at=utc_now())
        except SignatureFailure as failure:
            raise OperatorError(
                translate(
                    "this document cannot be signed: {cause}", cause=translate_reason(failure.why)
                )
            ) from None

    def create(self, config: Path) -> None:
        """Create the store keys, the database and the ledger's key that the settings name.

        Raises `OperatorError` if any of them exists.
        """
        with as_operator_error():
            settings = load_settings(config)
            new_files = [settings.store.keys, settings.place]
            new_files += [settings.ledger.key] if settings.ledger is not None else []
            for path in new_files:
                if isinstance(path, Path) and path.exists():
                    raise OperatorError(
                        translate("{path} exists already; nothing was made", path=path)
                    )
            keys = StoreKeys.generate()
            keys.save(settings.store.keys)
            create_store(settings.place, keys, who=identify_operator(), at=utc_now()).close()
            make_months(settings.place, at=utc_now())
            if settings.ledger is not None:
                new_key_file(settings.ledger.key, settings.ledger.origin, ED25519)

    @contextmanager
    def open(self, config: Path) -> Iterator[Installation]:
        """Open an installation for one command. Raises `OperatorUnavailableError`."""
        with as_operator_error():
            settings = load_settings(config)
            _emit_security_events(settings)
            store = open_store_for(settings)
        facts = InstallationInfo(
            environment=settings.environment.value,
            operator=settings.operator_code,
            config=config,
            authorised_body=settings.authorised_body.member if settings.authorised_body else None,
        )
        try:
            yield Installation(settings=settings, store=store, facts=facts, clock=utc_now)
        finally:
            store.close()

    def trust(self, config: Path) -> SettingsTrust:
        """Return the trust data of these settings, without opening the store."""
        with as_operator_error():
            settings = load_settings(config)
            _emit_security_events(settings)
            return SettingsTrust(settings, build_refresher(settings), utc_now)

    @contextmanager
    def ledger(self, config: Path) -> Iterator[OpenLedger]:
        """Open the ledger of an installation for one command, and its records if needed."""
        with as_operator_error():
            settings = load_settings(config)
            _emit_security_events(settings)
            with log_at(settings.place) as ledger:
                yield open_ledger(
                    settings,
                    ledger,
                    opened=lambda: closing(open_store_for(settings)),
                    clock=utc_now,
                    require_fit_settings=lambda: require_strong_store(settings, Duty.SEQUENCING),
                )

    @contextmanager
    def notifications(self, config: Path) -> Iterator[NotificationDesk]:
        """Open the outbox of notifications for one command."""
        with as_operator_error():
            settings = load_settings(config)
            _emit_security_events(settings)
            with closing(open_store_for(settings)) as store:
                yield NotificationDesk(
                    settings=settings,
                    store=store,
                    clock=utc_now,
                    require_fit_settings=lambda: require_strong_store(settings, Duty.NOTIFYING),
                )

    def store(self, config: Path) -> SettingsStore:
        """Return the store of these settings for administrators, without opening it."""
        with as_operator_error():
            return SettingsStore(load_settings(config), utc_now)

    def backups(self, config: Path) -> BackupMaker:
        """Return the maker of copies of the store, which opens no key."""
        with as_operator_error():
            settings = load_settings(config)
            _emit_security_events(settings)
            return BackupMaker(config, settings, utc_now)

    def restoration(self, config: Path) -> Restoration:
        """Return the part that verifies copies and restores them."""
        with as_operator_error():
            settings = load_settings(config)
            _emit_security_events(settings)
            return Restoration(settings, utc_now)

    def serve(self, config: Path, listener: str | None) -> int:
        """Run one listener, or all of them, until stopped, and return the exit code.

        Refuses sandbox roots.
        """
        with as_operator_error():
            settings = load_settings(config)
            require_fit_settings(settings)
            names = tuple(settings.listeners)
            if listener is not None and listener not in names:
                raise OperatorError(
                    translate(
                        "no listener {listener}; there are: {names}",
                        listener=listener,
                        names=", ".join(names),
                    )
                )
        error = run_isolated(lambda: find_configuration_error(config, listener))
        if error is not None:
            raise OperatorUnavailableError(error)
        with as_operator_error():
            configure_logging(
                settings.logs.level.number,
                security=settings.logs.security,
                environment=settings.environment.value,
            )
        with use_language(Language.EN):  # log lines are the same for every operator
            return _run_listeners(config, settings, listener)

    def metrics(self, config: Path) -> int:
        """Serve metrics of a running service to Prometheus until stopped; return the exit code."""
        with as_operator_error():
            settings = load_settings(config)
            export_metrics(settings)
        return 0

    def sandbox(self, options: SandboxOptions) -> int:
        """Prepare a sandbox, run it until it is stopped, and return the exit code."""
        return int(_sandbox_module("run").run(options, self))

    def certify(self, request: Certification) -> str:
        """Certify a key for a running or stopped sandbox, and return one line on the result."""
        return str(_sandbox_module("certification").certify(request, self))

    def verify_document(self, question: DocumentVerificationRequest) -> bytes:
        """Return the validation report, as the JSON that docs/auditors.md lists.

        Raises `OperatorUnavailableError` if neither directories nor settings can be used.
        """
        with as_operator_error():
            return examine(question)

    def verify_statement(
        self, config: Path, file: Path, certificates: Sequence[Path]
    ) -> MonthlyStatement:
        """Return a written monthly statement after it and its pages were verified offline.

        `certificates` are files of the operator's; without any, those of the settings are known.
        Raises `OperatorError` and `FileError`.
        """
        return verify_statement(file, load_signer_fingerprints(config, certificates))

    def verify_case(
        self, config: Path, question: CaseQuestion, report: Callable[[int], None]
    ) -> VerifiedCase:
        """Return an evidence file after it was verified offline, without the store.

        Raises `OperatorError` and `FileError`.
        """
        trust = trust_of_question(question, config)
        return verify_case(question.file, trust, at=utc_now(), report=report)

    def demo(self, directory: Path | None) -> int:
        """Run the demo on a sandbox of its own, and return 0 if every scene ended as expected."""
        return int(_sandbox_module("demo.main").play(directory))


def _run_listeners(config: Path, settings: Settings, listener: str | None) -> int:
    """Run one listener, or all of them, until stopped, and return the exit code."""
    names = tuple(settings.listeners)
    if settings.trust.archive is None and settings.environment is Environment.PRODUCTION:
        log.warning("trust.archive is not set: what verdicts rest on is not kept")
    if not has_citizen_ca(settings):
        log.warning("no CA in trust.intermediates may give a policy of trust.pin_policies")
    metrics = settings.metrics
    if listener is None and (len(names) > 1 or metrics is not None):
        return serve_all(config, names, metrics=metrics is not None)
    name = listener or names[0]
    with as_operator_error():
        return serve_one(
            name,
            lambda: load_settings(config).listeners[name],
            lambda: build_service(load_settings(config), name),
            configuration_error=lambda: run_isolated(
                lambda: find_configuration_error(config, name)
            ),
            metrics_dir=WorkerMetricsDir(metrics.directory, name) if metrics is not None else None,
        )


def _emit_security_events(settings: Settings) -> None:
    configure_security(settings.logs.security, environment=settings.environment.value)


def _sandbox_module(name: str) -> ModuleType:
    """Import a module of the sandbox by its name, because production is installed without it."""
    try:
        return import_module(f"makul_sandbox.{name}")
    except ModuleNotFoundError as error:
        raise OperatorError(
            translate(
                "the sandbox cannot be started: {package} is not installed. Install the extra: pip"
                " install 'makul[sandbox]'",
                package=error.name,
            )
        ) from None

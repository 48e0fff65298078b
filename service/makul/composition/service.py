"""Wiring of the service: settings to adapters, adapters to use cases, use cases to a port.

Only this module knows every package, and only here does the present time enter.
"""

import logging
import secrets
from dataclasses import dataclass, replace
from importlib.metadata import version
from threading import Event
from uuid import UUID
from wsgiref.types import WSGIApplication

import uuid_utils

from makul.app.acts import ActPort
from makul.app.delivery_encryption import DeliveryEncryption
from makul.app.disclose import Disclose
from makul.app.entry_renderer import KEEP_ANSWERS, EntryRenderer
from makul.app.explain_decision import EXPLANATIONS_A_DAY, Explain
from makul.app.ground_verification import GroundVerifier
from makul.app.intake import RequestIntake
from makul.app.list_revocations import ListRevocations
from makul.app.ports import (
    MAX_SEALED_PERSON,
    Clock,
    ServiceLimit,
    StoreUnavailableError,
)
from makul.app.queries import Inquiries
from makul.app.recording import Recording
from makul.app.register_consent import RegisterConsent, ReportConsentStatus
from makul.app.requests import RecipientPort
from makul.app.revoke_consent import RevokeConsent
from makul.composition.acts import (
    build_oversight_acts,
    build_recipient_acts,
    build_subject_acts,
)
from makul.composition.adapters import Adapters, build_adapters, utc_now
from makul.composition.channels import build_channel
from makul.composition.portals import require_subject_settings
from makul.composition.readiness import build_readiness, installation_checks
from makul.config.settings import (
    ListenerSettings,
    Port,
    Settings,
    SubjectSettings,
)
from makul.domain.identifiers import MemberCode
from makul.domain.match_attempts import AttemptLimits
from makul.domain.usage import UsageLimits
from makul.ledger.leaf import SALT_BYTES
from makul.net.supervision import SupervisedThread
from makul.observability.instrumented_ports import (
    InstrumentedActRecorder,
    InstrumentedChannel,
    InstrumentedMatcher,
    InstrumentedRecorder,
    InstrumentedSigner,
    InstrumentedVerifier,
)
from makul.observability.metrics import Metrics
from makul.observability.middleware import RequestObserverMiddleware, observe
from makul.observability.multiprocess import WorkerMetricsDir
from makul.observability.security_events import Event as SecurityEvent
from makul.observability.security_log import emit_security_event
from makul.soap.channels import fault_status
from makul.soap.envelope import MAX_ORDINARY
from makul.soap.http_guard import MAX_MESSAGE
from makul.soap.wsgi_app import (
    OVERSIGHT_CONTRACT,
    RECIPIENT_CONTRACT,
    SUBJECT_CONTRACT,
    PortContract,
    build_application,
)
from makul.store import Store, StoreKeys, open_store

PATHS = {
    Port.RECIPIENT: "/v1/recipient",
    Port.OVERSIGHT: "/v1/oversight",
    Port.SUBJECT: "/v1/subject",
}
"""The path of each port, under the public address of its listener."""

CONTRACT_VERSION = "v1"

HOUSEKEEPING_SECONDS = 60.0
"""Seconds between two rounds, so short that a busy day's leftovers are cleared in small pieces."""

log = logging.getLogger(__name__)


def time_ordered_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562, 5.7). Ids of one time are adjacent in the store."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def new_salt() -> bytes:
    """Return 256 bits from the operating system."""
    return secrets.token_bytes(SALT_BYTES)


def recipient_port(parts: Adapters, *, operator: MemberCode, environment: str) -> RecipientPort:
    """Build every use case of the recipient port with these adapters."""
    limits = AttemptLimits()
    steps = _steps(parts, operator)
    inquiries = _inquiries(parts, steps.recording, limits, environment)
    return RecipientPort(
        disclose=_disclose(parts, steps, operator, limits),
        explain=Explain(
            reception=steps.reception,
            grounds=steps.grounds,
            delivery_encryption=steps.delivery_encryption,
            recording=steps.recording,
            operator=operator,
        ),
        register_consent=RegisterConsent(
            reception=steps.reception,
            grounds=steps.grounds,
            recording=steps.recording,
            operator=operator,
        ),
        revoke_consent=RevokeConsent(
            reception=steps.reception,
            verifier=parts.verifier,
            documents=parts.documents,
            register=parts.register,
            recording=steps.recording,
        ),
        consent_status=ReportConsentStatus(
            clock=parts.clock,
            register=parts.register,
            documents=parts.documents,
            recording=steps.recording,
        ),
        revocations=ListRevocations(
            clock=parts.clock,
            register=parts.register,
            documents=parts.documents,
            recording=steps.recording,
        ),
        agreement=inquiries.agreement,
        receipt=inquiries.receipt,
        status=inquiries.status,
        acts=build_recipient_acts(parts, steps.recording, operator),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SharedServices:
    """The steps that the use cases share, each in its own order."""

    reception: RequestIntake
    grounds: GroundVerifier
    delivery_encryption: DeliveryEncryption
    recording: Recording


def _steps(parts: Adapters, operator: MemberCode) -> _SharedServices:
    """Build the shared steps, so that all use cases check rights and limits in one way."""
    return _SharedServices(
        reception=RequestIntake(clock=parts.clock, register=parts.register, limits=parts.limits),
        grounds=GroundVerifier(
            verifier=parts.verifier,
            documents=parts.documents,
            register=parts.register,
            hidden_at_most=parts.hidden_at_most,
        ),
        delivery_encryption=DeliveryEncryption(register=parts.register, encryptor=parts.encryptor),
        recording=Recording(
            renderer=EntryRenderer(
                documents=parts.documents,
                signer=parts.signer,
                encryptor=parts.encryptor,
                operator=operator,
                new_id=time_ordered_id,
                new_salt=new_salt,
            ),
            recorder=parts.recorder,
            limits=parts.limits,
        ),
    )


def _disclose(
    parts: Adapters, steps: _SharedServices, operator: MemberCode, limits: AttemptLimits
) -> Disclose:
    """Build the use case of VerifyPerson and GetPersonData."""
    return Disclose(
        reception=steps.reception,
        register=parts.register,
        grounds=steps.grounds,
        delivery_encryption=steps.delivery_encryption,
        documents=parts.documents,
        matcher=parts.matcher,
        recording=steps.recording,
        operator=operator,
        limits=limits,
    )


def _inquiries(
    parts: Adapters, recording: Recording, limits: AttemptLimits, environment: str
) -> Inquiries:
    """Build the inquiries of a recipient about itself and about the service."""
    return Inquiries(
        clock=parts.clock,
        register=parts.register,
        documents=parts.documents,
        recording=recording,
        environment=environment,
        software_version=version("makul"),
        contract_version=CONTRACT_VERSION,
        limits=published_limits(limits, parts.limits),
        receipt_certificates=parts.receipt_certificates,
        ledger=parts.ledger,
        ledger_notice=parts.ledger_notice,
    )


def published_limits(limits: AttemptLimits, usage: UsageLimits) -> tuple[ServiceLimit, ...]:
    """Return the limits that GetStatus reports, so that clients need not discover them."""
    return (
        ServiceLimit(name="message", value=MAX_ORDINARY, unit="bytes"),
        ServiceLimit(name="messageWithScan", value=MAX_MESSAGE, unit="bytes"),
        ServiceLimit(name="sealedPerson", value=MAX_SEALED_PERSON, unit="bytes"),
        ServiceLimit(name="storedAnswer", value=int(KEEP_ANSWERS.total_seconds()), unit="seconds"),
        ServiceLimit(name="explanations", value=EXPLANATIONS_A_DAY, unit="perDay"),
        ServiceLimit(
            name="failedMatchesByPerson",
            value=limits.failures_by_recipient_and_pin,
            unit="perDay",
        ),
        ServiceLimit(name="requests", value=usage.requests_a_minute, unit="perMinute"),
        ServiceLimit(name="recorded", value=-(-usage.bytes_a_day // 2**20), unit="mebibytesPerDay"),
    )


def build_service(settings: Settings, name: str, clock: Clock = utc_now) -> WSGIApplication:
    """Build the application of one listener with a store of its own. Call it after the fork."""
    listener = settings.listeners[name]
    metrics = _metrics(settings, name)
    store = open_store(
        settings.place,
        StoreKeys.load(settings.store.keys),
        who=f"listener {name}",
        retried=metrics.store_retried if metrics is not None else None,
        documents_a_day=settings.limits.documents_per_day,
    )
    parts = instrument_adapters(build_adapters(settings, store, clock))
    if listener.port is Port.RECIPIENT:  # the other's role may delete nothing of the record
        start_housekeeping(store, clock, metrics)
    port, contract = _port_of(listener, parts, settings)
    application = build_application(
        port,
        InstrumentedChannel(build_channel(listener, parts)),
        contract=contract,
        public_url=listener.public_url + PATHS[listener.port],
        clock=clock,
        ready=build_readiness(
            parts, settings.operator_code, installation_checks(settings, store, clock)
        ),
        observe=observe,
        fault_status=fault_status(listener.channel),
    )
    return RequestObserverMiddleware(application, listener=name, metrics=metrics)


def _port_of(
    listener: ListenerSettings, parts: Adapters, settings: Settings
) -> tuple[RecipientPort | ActPort, PortContract]:
    """Return the use cases of a listener's port, and its contract."""
    operator = settings.operator_code
    if listener.port is Port.OVERSIGHT:
        return oversight_port(parts, operator=operator), OVERSIGHT_CONTRACT
    if listener.port is Port.SUBJECT:
        subject = require_subject_settings(settings)
        return subject_port(parts, subject, operator=operator), SUBJECT_CONTRACT
    environment = settings.environment.value
    return recipient_port(parts, operator=operator, environment=environment), RECIPIENT_CONTRACT


def oversight_port(parts: Adapters, *, operator: MemberCode) -> ActPort:
    """Build every operation of the oversight port with these adapters."""
    return build_oversight_acts(parts, _steps(parts, operator).recording, operator)


def subject_port(parts: Adapters, subject: SubjectSettings, *, operator: MemberCode) -> ActPort:
    """Build every operation of the subject port with these adapters."""
    return build_subject_acts(parts, _steps(parts, operator).recording, operator, subject)


def instrument_adapters(parts: Adapters) -> Adapters:
    """Return the adapters, wrapped to note their results and times in the request context."""
    return replace(
        parts,
        recorder=InstrumentedRecorder(parts.recorder),
        verifier=InstrumentedVerifier(parts.verifier),
        matcher=InstrumentedMatcher(parts.matcher),
        signer=InstrumentedSigner(parts.signer),
        acts=InstrumentedActRecorder(parts.acts),
    )


def _metrics(settings: Settings, listener: str) -> Metrics | None:
    """Return the metrics of a worker; None if they are not set or cannot be written.

    Call this in the worker.
    """
    if settings.metrics is None:
        return None
    try:
        WorkerMetricsDir(settings.metrics.directory, listener).activate_for_worker()
    except OSError as error:  # a worker that fails to boot would end the whole service
        log.error("served without metrics: %s", error.strerror)  # noqa: TRY400 - no traceback
        return None
    return Metrics(listener, recipients=settings.metrics.recipients)


def start_housekeeping(
    store: Store,
    clock: Clock,
    metrics: Metrics | None,
    *,
    pause_seconds: float = HOUSEKEEPING_SECONDS,
    stopped: Event | None = None,
) -> None:
    """Delete expired answers, marks and attempts from time to time, in a background thread.

    Every worker does this. The work is bounded, and an empty round costs next to nothing.
    """

    def keep() -> None:
        try:
            while store.housekeep(at=clock()).more:
                pass
        except StoreUnavailableError:
            log.warning("housekeeping found the store unavailable")

    def count_error(thread: str) -> None:
        emit_security_event(SecurityEvent.THREAD_FAILED)
        if metrics is not None:
            metrics.thread_failed(thread)

    SupervisedThread(
        "housekeeping", keep, pause_seconds=pause_seconds, stopped=stopped, on_error=count_error
    ).start()

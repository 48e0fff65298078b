"""Wires the house: settings to parts, parts to use cases, use cases to a port.

The only place where every room is known, and where the present enters.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from uuid import UUID
from wsgiref.types import WSGIApplication

import uuid_utils
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hashes import SHA256

from makul.app.agreements import Agreements
from makul.app.consents import RegisterConsent, TellConsentStatus
from makul.app.disclose import Disclose
from makul.app.explain import EXPLANATIONS_A_DAY, Explain
from makul.app.grounds import Grounds
from makul.app.inquiries import Inquiries
from makul.app.notices import Notices
from makul.app.ports import (
    MAX_SEALED_PERSON,
    CertificateJudge,
    Clock,
    DeliverySealer,
    Desk,
    Documents,
    DocumentVerifier,
    Matcher,
    MessageVerifier,
    NamedParty,
    ReceiptCertificate,
    ReceiptSigner,
    Recorder,
    Register,
    ServiceLimit,
    StoreUnavailableError,
)
from makul.app.receiving import Reception
from makul.app.recording import KEEP_ANSWERS, SALT_BYTES, Recording
from makul.app.requests import RecipientPort
from makul.app.revocations import ListRevocations
from makul.app.revoke import RevokeConsent
from makul.app.sealing import Sealing
from makul.documents.xml_documents import XmlDocuments, XmlPapers
from makul.domain.agreements import Channel as ChannelName
from makul.domain.attempts import AttemptLimits
from makul.domain.identifiers import MemberCode
from makul.matching.demographic import DemographicMatcher
from makul.settings import (
    ClientCertificate,
    CrlDirectory,
    ListenerSettings,
    ReceiptSettings,
    Settings,
    SettingsError,
    TokenSettings,
)
from makul.soap.application import build_application
from makul.soap.channels import Channel, WsseChannel, XRoadChannel
from makul.soap.envelope import MAX_ORDINARY
from makul.soap.guard import MAX_MESSAGE
from makul.soap.mtls import CertificateSource, FromConnection, FromProxy, MtlsChannel
from makul.store import Store, StoreKeys, open_store
from makul.trust.certificates import PinRule
from makul.trust.documents import XadesVerifier
from makul.trust.fetching import fetch
from makul.trust.keys import KeyFileError, KeySigner, load_certificates, load_pair, load_secret
from makul.trust.material import TrustDirectories
from makul.trust.paths import TrustStore
from makul.trust.receipt_certificates import receipt_certificates
from makul.trust.receipts import XadesReceiptSigner
from makul.trust.refreshing import CrlSource, OcspSource, Refresher
from makul.trust.sealing import XmlSealer
from makul.trust.tls_clients import TlsClientJudge
from makul.trust.tokens import TokenPlace, TokenSigner
from makul.trust.wanted import Wanted
from makul.trust.wsse import WsseVerifier

RECIPIENT_PATH = "/v1/recipient"
CONTRACT_VERSION = "v1"

HOUSEKEEPING_SECONDS = 60.0
"""Often enough that a busy day's leftovers are cleared in small pieces."""

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The present: the one place where the service asks for it."""
    return datetime.now(UTC)


def time_ordered_id() -> UUID:
    """A UUID of version 7 (RFC 9562, 5.7): ids of one time lie together in the store."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def new_salt() -> bytes:
    """256 bits from the operating system."""
    return secrets.token_bytes(SALT_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The adapters of one process, each fulfilling a port."""

    clock: Clock
    register: Register
    recorder: Recorder
    documents: Documents
    verifier: DocumentVerifier
    messages: MessageVerifier
    tls_clients: CertificateJudge
    matcher: Matcher
    signer: ReceiptSigner
    sealer: DeliverySealer
    hidden_at_most: timedelta
    receipt_certificates: tuple[ReceiptCertificate, ...] = ()


def build_parts(settings: Settings, store: Store, clock: Clock = utc_now) -> Parts:
    """The adapters that these settings name; raises what `describe_failure` explains."""
    trust = TrustStore(trust_directories(settings), wanted=wanted_of(settings))
    return Parts(
        clock=clock,
        register=store.register,
        recorder=store.recorder,
        documents=XmlDocuments(settings.operator_code),
        verifier=document_verifier(settings, trust),
        messages=WsseVerifier(trust),
        tls_clients=TlsClientJudge(trust),
        matcher=DemographicMatcher(),
        signer=receipt_signer(settings.receipts),
        sealer=XmlSealer(trust),
        receipt_certificates=receipt_certificates(
            settings.receipts.certificate,
            following=settings.receipts.next,
            retired=settings.receipts.retired,
        ),
        hidden_at_most=settings.basis.hidden_at_most,
    )


def receipt_signer(settings: ReceiptSettings) -> XadesReceiptSigner:
    """By the key in a file or in a token. A token is entered by the first signature alone."""
    token = settings.pkcs11
    if token is not None:
        certificate = load_certificates(settings.certificate)[0]
        return XadesReceiptSigner(TokenSigner(_token_place(token), certificate), certificate)
    if settings.key is None:
        raise KeyFileError("receipts: give either key or [receipts.pkcs11].")
    password = load_secret(settings.password_file) if settings.password_file else None
    key, chain = load_pair(settings.key, settings.certificate, password=password)
    return XadesReceiptSigner(KeySigner(key), chain[0])


def _token_place(token: TokenSettings) -> TokenPlace:
    return TokenPlace(
        module=token.module,
        token_label=token.token_label,
        slot=token.slot,
        key_label=token.key_label,
        key_id=bytes.fromhex(token.key_id) if token.key_id is not None else None,
        pin_file=token.pin_file,
        pin_env=token.pin_env,
    )


def document_verifier(settings: Settings, trust: TrustStore) -> DocumentVerifier:
    """What judges signed documents: once a process, for it loads whom timestamps are trusted of."""
    directories = tsa_directories(settings)
    return XadesVerifier(
        trust,
        pin_rule=pin_rule(settings),
        tsa=TrustStore(directories) if directories is not None else None,
        tsa_policies=settings.trust.tsa_policies or frozenset(),
    )


def build_agreements(
    settings: Settings, desk: Desk, verifier: DocumentVerifier
) -> tuple[Agreements, Notices]:
    """The use cases of what three parties, and the authorised body alone, sign (cl. 4, 7)."""
    operator = NamedParty(
        code=settings.operator_code, name=settings.operator_name or settings.operator
    )
    named = settings.authorised_body
    body = NamedParty(code=named.member, name=named.name) if named is not None else None
    papers = XmlPapers()
    return (
        Agreements(
            desk=desk, papers=papers, verifier=verifier, operator=operator, authorised_body=body
        ),
        Notices(desk=desk, papers=papers, verifier=verifier, authorised_body=body),
    )


def pin_rule(settings: Settings) -> PinRule:
    """Where these settings say that a citizen's certificate carries the PIN."""
    return PinRule(
        attribute=settings.trust.pin_attribute,
        pattern=settings.trust.pin_pattern,
        policies=settings.trust.pin_policies or frozenset(),
    )


def trust_directories(settings: Settings) -> TrustDirectories:
    """Where the trusted material of these settings lies."""
    return TrustDirectories(
        anchors=settings.trust.anchors,
        intermediates=settings.trust.intermediates,
        crls=settings.trust.crls,
        ocsp=settings.trust.ocsp,
        archive=settings.trust.archive,
        elsewhere=settings.trust.tsa_anchors if settings.trust.tsa_crls is None else None,
    )


def tsa_directories(settings: Settings) -> TrustDirectories | None:
    """The same for time-stamping authorities; None where no timestamp counts."""
    if settings.trust.tsa_anchors is None:
        return None
    return TrustDirectories(
        anchors=settings.trust.tsa_anchors,
        intermediates=settings.trust.intermediates,
        crls=settings.trust.tsa_crls or settings.trust.crls,
        archive=settings.trust.archive,
        elsewhere=settings.trust.anchors if settings.trust.tsa_crls is None else None,
    )


def wanted_of(settings: Settings) -> Wanted | None:
    """Where to leave certificates whose status is unknown; None where nobody would ask."""
    if settings.trust.wanted is None or not settings.trust.refresh.ocsp:
        return None
    issuers = (
        certificate.fingerprint(hashes.SHA256())
        for source in settings.trust.refresh.ocsp
        for certificate in load_certificates(source.issuer)[:1]
    )
    return Wanted(settings.trust.wanted, frozenset(issuers))


def build_refresher(settings: Settings) -> Refresher:
    """What fetches new CRLs and OCSP responses from the addresses in the settings."""
    refresh = settings.trust.refresh
    return Refresher(
        directories=trust_directories(settings),
        more_anchors=settings.trust.tsa_anchors,
        crls=[
            CrlSource(url=each.url, path=_crl_directory(settings, each.into) / each.file)
            for each in refresh.crls
        ],
        responders=[
            OcspSource(url=each.url, issuer=load_certificates(each.issuer)[0])
            for each in refresh.ocsp
        ],
        wanted=settings.trust.wanted,
        fetch=fetch,
    )


def _crl_directory(settings: Settings, into: CrlDirectory) -> Path:
    stamping = settings.trust.tsa_crls if into is CrlDirectory.TSA_CRLS else None
    return stamping or settings.trust.crls


def recipient_port(parts: Parts, *, operator: MemberCode, environment: str) -> RecipientPort:
    """Every use case of the recipient port, over these parts."""
    limits = AttemptLimits()
    recording = Recording(
        documents=parts.documents,
        signer=parts.signer,
        sealer=parts.sealer,
        recorder=parts.recorder,
        operator=operator,
        new_id=time_ordered_id,
        new_salt=new_salt,
    )
    grounds = Grounds(
        verifier=parts.verifier,
        documents=parts.documents,
        register=parts.register,
        hidden_at_most=parts.hidden_at_most,
    )
    sealing = Sealing(register=parts.register, sealer=parts.sealer)
    reception = Reception(clock=parts.clock, register=parts.register)
    inquiries = Inquiries(
        clock=parts.clock,
        register=parts.register,
        documents=parts.documents,
        recording=recording,
        environment=environment,
        software_version=version("makul"),
        contract_version=CONTRACT_VERSION,
        limits=published_limits(limits),
        receipt_certificates=parts.receipt_certificates,
    )
    return RecipientPort(
        disclose=Disclose(
            reception=reception,
            register=parts.register,
            grounds=grounds,
            sealing=sealing,
            documents=parts.documents,
            matcher=parts.matcher,
            recording=recording,
            operator=operator,
            limits=limits,
        ),
        explain=Explain(
            reception=reception,
            grounds=grounds,
            sealing=sealing,
            recording=recording,
            operator=operator,
        ),
        register_consent=RegisterConsent(
            reception=reception,
            grounds=grounds,
            recording=recording,
            operator=operator,
        ),
        revoke_consent=RevokeConsent(
            reception=reception,
            verifier=parts.verifier,
            documents=parts.documents,
            register=parts.register,
            recording=recording,
        ),
        consent_status=TellConsentStatus(
            clock=parts.clock,
            register=parts.register,
            documents=parts.documents,
            recording=recording,
        ),
        revocations=ListRevocations(
            clock=parts.clock,
            register=parts.register,
            documents=parts.documents,
            recording=recording,
        ),
        agreement=inquiries.agreement,
        receipt=inquiries.receipt,
        status=inquiries.status,
    )


def published_limits(limits: AttemptLimits) -> tuple[ServiceLimit, ...]:
    """The limits that GetStatus tells, so that clients need not find them by hitting them."""
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
    )


def channel_of(listener: ListenerSettings, parts: Parts) -> Channel:
    """The one channel of a listener."""
    if listener.channel is ChannelName.XROAD and listener.xroad_instance is not None:
        return XRoadChannel(listener.xroad_instance)
    if listener.channel is ChannelName.WSSE:
        return WsseChannel(parts.messages, parts.register)
    if listener.channel is ChannelName.MTLS:
        return MtlsChannel(_source_of(listener), parts.tls_clients, parts.register)
    raise SettingsError(f"channel {listener.channel} cannot be served")


def _source_of(listener: ListenerSettings) -> CertificateSource:
    """Where an mtls listener learns its client's certificate."""
    if listener.client_certificate is ClientCertificate.TLS:
        return FromConnection()
    known_by = listener.proxy_certificates
    return FromProxy(proxies_in(known_by) if known_by is not None else None)


def proxies_in(path: Path) -> frozenset[bytes]:
    """By which certificates a proxy is known; raises `KeyFileError`."""
    return frozenset(each.fingerprint(SHA256()) for each in load_certificates(path))


def build_service(settings: Settings, name: str, clock: Clock = utc_now) -> WSGIApplication:
    """The application of one listener, with a store of its own: to be called after the fork."""
    listener = settings.listeners[name]
    store = open_store(
        settings.store.database, StoreKeys.load(settings.store.keys), who=f"listener {name}"
    )
    parts = build_parts(settings, store, clock)
    _keep_house(store, clock)
    return build_application(
        recipient_port(
            parts, operator=settings.operator_code, environment=settings.environment.value
        ),
        channel_of(listener, parts),
        public_url=listener.public_url + RECIPIENT_PATH,
        clock=clock,
        ready=readiness(parts, settings.operator_code),
    )


def _keep_house(store: Store, clock: Clock) -> None:
    """Forget, now and then, what has served its time: old answers, marks and attempts.

    Every worker does; the work is bounded, and finding nothing to do costs next to nothing.
    """

    def keep() -> None:
        while True:
            time.sleep(HOUSEKEEPING_SECONDS)
            try:
                while store.housekeep(at=clock()).more:
                    pass
            except StoreUnavailableError:
                log.warning("housekeeping found the store unavailable")

    threading.Thread(target=keep, name="housekeeping", daemon=True).start()


def readiness(parts: Parts, operator: MemberCode) -> Callable[[], bool]:
    """Can the record be read, any answer will do, and can receipts be signed?"""

    def ready() -> bool:
        try:
            parts.register.recipient(operator)
        except StoreUnavailableError:
            return False
        return parts.signer.ready()

    return ready

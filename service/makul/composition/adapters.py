"""The adapters of one process, built from the settings."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from makul.app.agreements import Agreements
from makul.app.notices import Notices
from makul.app.ports import (
    CertificateJudge,
    CertificateRegister,
    Clock,
    DeliveryEncryptor,
    Documents,
    DocumentVerifier,
    LedgerInfo,
    LedgerReader,
    Matcher,
    MessageVerifier,
    NamedParty,
    OperatorRegistry,
    ReceiptCertificate,
    ReceiptSigner,
    Recorder,
    Register,
    SignedDocuments,
)
from makul.app.ports.acts import ActRecorder, OwnReceipts, StatementPages
from makul.app.ports.corrections import CorrectionReader
from makul.app.ports.oversight import EvidenceParts
from makul.composition.own_receipts import PinnedReceipts
from makul.composition.portals import load_portal_register
from makul.config.ledger import LedgerSettings
from makul.config.settings import (
    ReceiptSettings,
    Settings,
    TokenSettings,
)
from makul.config.trust import CrlDirectory
from makul.documents.adapter import XmlDocuments, XmlSignedDocuments
from makul.domain.corrections import CorrectionTerms
from makul.domain.usage import UsageLimits
from makul.language.translation import translate
from makul.matching.demographic import DemographicMatcher
from makul.net.fetcher import Fetcher
from makul.store import (
    ActRights,
    EvidenceDirectory,
    StatementDirectory,
    Store,
    StoreActRegister,
    StoreSubjectRecord,
)
from makul.trust.containers.long_term import SignatureProlongation, TimestampAuthority
from makul.trust.keys.files import (
    KeyFileError,
    KeySigner,
    RawSigner,
    load_certificates,
    load_pair,
    load_secret,
)
from makul.trust.keys.pkcs11 import TokenLocation, TokenSigner
from makul.trust.keys.receipt_certificates import receipt_certificates
from makul.trust.pki.certificates import PinRule, may_give
from makul.trust.pki.pending_ocsp import PendingOcsp
from makul.trust.pki.refresh import CrlSource, OcspSource, Refresher
from makul.trust.pki.tls_clients import TlsClientJudge
from makul.trust.pki.trust_material import TrustDirectories, ca_certificates, load_material
from makul.trust.pki.trust_store import TrustStore
from makul.trust.revocation.archive import Archive
from makul.trust.tlog.note_keys import NoteVerifier, public_part
from makul.trust.validation.documents import XadesVerifier
from makul.trust.validation.ground_proofs import StoredProofs
from makul.trust.wsse.verification import WsseVerifier
from makul.trust.xades.receipt_signer import XadesReceiptSigner
from makul.trust.xmlenc import XmlEncryptor

TIMESTAMP_SECONDS = 30.0
"""Seconds within which a timestamp must come. An evidence file is still built without it."""


def utc_now() -> datetime:
    """Return the present time. Only this function of the service reads the clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The adapters of one process, each of which implements a port."""

    clock: Clock
    register: Register
    recorder: Recorder
    documents: Documents
    signed_documents: SignedDocuments
    verifier: DocumentVerifier
    messages: MessageVerifier
    tls_clients: CertificateJudge
    matcher: Matcher
    signer: ReceiptSigner
    encryptor: DeliveryEncryptor
    hidden_at_most: timedelta
    corrections: CorrectionReader
    correction_terms: CorrectionTerms
    limits: UsageLimits
    trust: TrustStore
    """The trust store for documents and messages, used here to read its freshness."""
    ledger: LedgerReader
    oversight: StoreActRegister
    """The officers, and what else the oversight port reads without a lock."""
    subject: StoreSubjectRecord
    """The decisions about one subject, for the subject port."""
    portals: CertificateRegister
    """The certificates of portals, which only the subject port accepts."""
    acts: ActRecorder[ActRights]
    pages: StatementPages
    evidence: EvidenceParts
    own_receipts: OwnReceipts
    authorised_body: NamedParty | None = None
    ledger_notice: LedgerInfo | None = None
    receipt_certificates: tuple[ReceiptCertificate, ...] = ()


def build_adapters(settings: Settings, store: Store, clock: Clock = utc_now) -> Adapters:
    """Build the adapters of these settings. Raises the errors of `admin.error_handling`."""
    trust = TrustStore(trust_directories(settings), pending_ocsp=pending_ocsp_queue(settings))
    certificates = receipt_certificates(
        settings.receipts.certificate,
        following=settings.receipts.next,
        retired=settings.receipts.retired,
    )
    return Adapters(
        clock=clock,
        register=store.register,
        recorder=store.recorder,
        documents=XmlDocuments(settings.operator_code),
        signed_documents=XmlSignedDocuments(),
        authorised_body=_authorised_body(settings),
        verifier=document_verifier(settings, trust),
        messages=WsseVerifier(trust),
        tls_clients=TlsClientJudge(trust),
        matcher=DemographicMatcher(),
        signer=receipt_signer(settings.receipts),
        encryptor=XmlEncryptor(trust),
        trust=trust,
        receipt_certificates=certificates,
        own_receipts=PinnedReceipts.of(settings.operator_code, certificates),
        hidden_at_most=settings.basis.hidden_at_most,
        corrections=store.corrections,
        correction_terms=settings.corrections.terms,
        limits=settings.limits.usage,
        ledger=store.ledger,
        oversight=store.oversight,
        subject=store.subject,
        portals=load_portal_register(settings.subject),
        acts=store.acts,
        pages=StatementDirectory(settings.months.directory),
        evidence=EvidenceDirectory(settings.cases.directory),
        ledger_notice=_ledger_notice(settings.ledger),
    )


def _ledger_notice(settings: LedgerSettings | None) -> LedgerInfo | None:
    """Return the log's facts from its public key. The workers never read the private key."""
    if settings is None:
        return None
    verifier = NoteVerifier.load(public_part(settings.key), settings.origin)
    return LedgerInfo(origin=settings.origin, vkey=verifier.vkey, max_merge_delay=settings.promise)


def ground_proofs(settings: Settings) -> StoredProofs:
    """Return the judge of stored proofs, by the present trust material.

    Nothing is added to the archive. Raises `TrustStoreError`.
    """
    directories = replace(trust_directories(settings), archive=None)
    archive = settings.trust.archive
    return StoredProofs(
        load_material(directories), Archive(archive) if archive is not None else None
    )


def receipt_signer(settings: ReceiptSettings) -> XadesReceiptSigner:
    """Return the signer for the key in a file or token. The first signature opens the token."""
    return XadesReceiptSigner(*receipt_key(settings))


def receipt_key(settings: ReceiptSettings) -> tuple[RawSigner, x509.Certificate]:
    """Return the key of receipts, in a file or token, and its certificate."""
    token = settings.pkcs11
    if token is not None:
        certificate = load_certificates(settings.certificate)[0]
        return TokenSigner(_token_slot(token), certificate), certificate
    if settings.key is None:
        raise KeyFileError(translate("receipts: give either key or [receipts.pkcs11]."))
    password = load_secret(settings.password_file) if settings.password_file else None
    key, chain = load_pair(settings.key, settings.certificate, password=password)
    return KeySigner(key), chain[0]


def signature_prolongation(
    settings: Settings, certificate: x509.Certificate, clock: Clock
) -> SignatureProlongation:
    """Return what adds timestamp and revocation data to the signature of an evidence file."""
    stamping = tsa_directories(settings)
    authority = None
    if settings.trust.tsa_url is not None and stamping is not None:
        authority = TimestampAuthority(
            url=settings.trust.tsa_url,
            fetch=Fetcher(TIMESTAMP_SECONDS, media_type="application/timestamp-query"),
            store=TrustStore(stamping),
            directories=stamping,
            policies=settings.trust.tsa_policies or frozenset(),
        )
    directories = trust_directories(settings)
    return SignatureProlongation(
        certificate=certificate,
        authority=authority,
        store=TrustStore(directories) if authority is not None else None,
        directories=directories,
        clock=clock,
    )


def _token_slot(token: TokenSettings) -> TokenLocation:
    return TokenLocation(
        module=token.module,
        token_label=token.token_label,
        slot=token.slot,
        key_label=token.key_label,
        key_id=bytes.fromhex(token.key_id) if token.key_id is not None else None,
        pin_file=token.pin_file,
        pin_env=token.pin_env,
    )


def document_verifier(settings: Settings, trust: TrustStore) -> DocumentVerifier:
    """Build the verifier of signed documents, once a process: it loads timestamp authorities."""
    directories = tsa_directories(settings)
    return XadesVerifier(
        trust,
        pin_rule=pin_rule(settings),
        tsa=TrustStore(directories) if directories is not None else None,
        tsa_policies=settings.trust.tsa_policies or frozenset(),
    )


def build_agreements(
    settings: Settings, registry: OperatorRegistry, verifier: DocumentVerifier
) -> tuple[Agreements, Notices]:
    """Build the use cases of agreements and approvals, which the parties sign (cl. 4, 7)."""
    operator = NamedParty(
        code=settings.operator_code, name=settings.operator_name or settings.operator
    )
    body = _authorised_body(settings)
    documents = XmlSignedDocuments()
    return (
        Agreements(
            registry=registry,
            documents=documents,
            verifier=verifier,
            operator=operator,
            authorised_body=body,
        ),
        Notices(registry=registry, documents=documents, verifier=verifier, authorised_body=body),
    )


def _authorised_body(settings: Settings) -> NamedParty | None:
    named = settings.authorised_body
    return NamedParty(code=named.member, name=named.name) if named is not None else None


def pin_rule(settings: Settings) -> PinRule:
    """Return the rule that locates the PIN in a citizen's certificate."""
    return PinRule(
        attribute=settings.trust.pin_attribute,
        pattern=settings.trust.pin_pattern,
        policies=settings.trust.pin_policies or frozenset(),
    )


def has_citizen_ca(settings: Settings) -> bool:
    """Return whether an intermediate CA may give a citizens' policy, or no policy is required.

    Anchors are not checked (RFC 5280, 6.1), because they may issue certificates to citizens
    themselves.
    """
    policies, directory = settings.trust.pin_policies, settings.trust.intermediates
    if not policies or directory is None:
        return True
    authorities = [certificate for _, certificate in ca_certificates(directory)]
    return not authorities or any(may_give(each, policies) for each in authorities)


def trust_directories(settings: Settings) -> TrustDirectories:
    """Return the directories of the trust data in these settings."""
    return TrustDirectories(
        anchors=settings.trust.anchors,
        intermediates=settings.trust.intermediates,
        crls=settings.trust.crls,
        ocsp=settings.trust.ocsp,
        archive=settings.trust.archive,
        elsewhere=settings.trust.tsa_anchors if settings.trust.tsa_crls is None else None,
    )


def tsa_directories(settings: Settings) -> TrustDirectories | None:
    """Return the directories for time-stamping authorities, or None if no timestamp counts."""
    if settings.trust.tsa_anchors is None:
        return None
    return TrustDirectories(
        anchors=settings.trust.tsa_anchors,
        intermediates=settings.trust.intermediates,
        crls=settings.trust.tsa_crls or settings.trust.crls,
        archive=settings.trust.archive,
        elsewhere=settings.trust.anchors if settings.trust.tsa_crls is None else None,
    )


def pending_ocsp_queue(settings: Settings) -> PendingOcsp | None:
    """Return the queue of certificates with unknown status, or None if no responder is set."""
    if settings.trust.wanted is None or not settings.trust.refresh.ocsp:
        return None
    issuers = (
        certificate.fingerprint(hashes.SHA256())
        for source in settings.trust.refresh.ocsp
        for certificate in load_certificates(source.issuer)[:1]
    )
    return PendingOcsp(settings.trust.wanted, frozenset(issuers))


def build_refresher(settings: Settings) -> Refresher:
    """Build the refresher of CRLs and OCSP responses from the addresses in the settings."""
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
        fetch=Fetcher(),
    )


def _crl_directory(settings: Settings, into: CrlDirectory) -> Path:
    stamping = settings.trust.tsa_crls if into is CrlDirectory.TSA_CRLS else None
    return stamping or settings.trust.crls

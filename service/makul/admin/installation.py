"""An installation that is open for one command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from makul.admin.case import CasePublisher
from makul.admin.certificate_suitability import find_unsuitability
from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.admin.expiry import EndingSources
from makul.admin.key_inventory import KeyInfo, keys_in_use, recipients_certificates
from makul.admin.month import StatementPublisher
from makul.admin.month_closing import MonthCloser
from makul.admin.requests import CertificateUse
from makul.admin.revalidation import RevalidationResult, revalidate
from makul.app.agreements import Agreements
from makul.app.notices import Notices
from makul.app.ports import Clock, DocumentVerifier, KeyRotation, OperatorRegistry, VerifiedDocument
from makul.app.ports.corrections import CorrectionDesk
from makul.composition.adapters import (
    build_agreements,
    document_verifier,
    trust_directories,
)
from makul.config.settings import Settings
from makul.domain.expiry import DueEnding
from makul.domain.identifiers import MemberCode
from makul.language.translation import translate
from makul.net.users import identify_operator
from makul.observability.audited_registry import AuditedRegistry
from makul.observability.correction_audit import AuditedCorrections
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.store import Store
from makul.trust.keys.receipt_certificates import mark_compromised
from makul.trust.pki.trust_store import TrustStore


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationInfo:
    """Public facts about this installation."""

    environment: str
    """`SANDBOX` or `PRODUCTION`."""
    operator: MemberCode
    config: Path
    authorised_body: MemberCode | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation that is open for one command."""

    settings: Settings
    store: Store
    facts: InstallationInfo
    clock: Clock

    @property
    def registry(self) -> OperatorRegistry:
        """The operator's registry. Its use is reported as a security event."""
        return AuditedRegistry(self.store.registry, identify_operator())

    @property
    def corrections(self) -> CorrectionDesk:
        """The operator's work on corrections. Its use is reported as a security event."""
        return AuditedCorrections(self.store.correction_desk, identify_operator())

    @property
    def agreements(self) -> Agreements:
        """The use cases that draft agreements and verify what the parties signed."""
        return self._use_cases[0]

    @property
    def notices(self) -> Notices:
        """The use cases that draft approvals and verify what the authorised body signed."""
        return self._use_cases[1]

    @property
    def statements(self) -> StatementPublisher:
        """The publisher of monthly statements (cl. 11)."""
        return StatementPublisher(settings=self.settings, registry=self.registry, clock=self.clock)

    @property
    def months(self) -> MonthCloser:
        """The operator's part in closing months (cl. 11)."""
        return MonthCloser(
            settings=self.settings,
            registry=self.registry,
            questions=self.store.questions,
            clock=self.clock,
        )

    @property
    def cases(self) -> CasePublisher:
        """The publisher of evidence files (cl. 12)."""
        return CasePublisher(
            settings=self.settings,
            registry=self.registry,
            read_tile=self.store.ledger.tile,
            clock=self.clock,
        )

    @property
    def _use_cases(self) -> tuple[Agreements, Notices]:
        return build_agreements(self.settings, self.registry, _VerifierOnDemand(self.settings))

    def keys_in_use(self) -> Sequence[KeyInfo]:
        """Return the receipt certificates, the store keys, and every trusted or registered one."""
        with as_operator_error():
            return [*keys_in_use(self.settings), *recipients_certificates(self.registry)]

    def expiring(self, within: timedelta, *, consents: bool) -> Sequence[DueEnding]:
        """Return what is overdue or ends within a time, the earliest first."""
        sources = EndingSources(
            settings=self.settings,
            registry=self.registry,
            store=self.store.endings,
            at=self.clock(),
            within=within,
        )
        return sources.due(consents=consents)

    @property
    def rotation(self) -> KeyRotation:
        """The rotation of the store's master key."""
        return self.store.rotation(self.settings.store.keys)

    def revalidate(self, disclosure_id: UUID) -> Sequence[RevalidationResult]:
        """Judge each document of a decision again by its stored evidence. This use is recorded.

        Raises `OperatorUnavailableError` if the decision or its evidence is not stored.
        """
        case = self.registry.read_decision_evidence(disclosure_id, at=self.clock())
        if case is None:
            raise OperatorUnavailableError(
                translate(
                    "no decision {disclosure_id} is recorded; see: makul disclosure list",
                    disclosure_id=disclosure_id,
                )
            )
        with as_operator_error():
            return list(revalidate(case, self.settings))

    def find_unsuitability(self, certificate: bytes, use: CertificateUse) -> str | None:
        """Return why nothing would be accepted under a certificate, or None if something may be."""
        return find_unsuitability(self.settings, certificate, use, at=self.clock())

    def mark_compromised(self, fingerprint: bytes, *, since: datetime) -> None:
        """Note, beside the earlier certificates, that others may have signed with this key.

        Raises `OperatorError`.
        """
        retired = self.settings.receipts.retired
        if retired is None:
            raise OperatorError(
                translate("receipts.retired is not set: name a directory for it in the settings")
            )
        with as_operator_error():
            mark_compromised(retired, fingerprint, since)
        emit_security_event(Event.KEY_COMPROMISED, user=identify_operator())


class _VerifierOnDemand:
    """A document verifier that loads the trust data when a document is first verified.

    An agreement can be drafted before any authority is trusted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._verifier: DocumentVerifier | None = None

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """Verify a document. Raises `OperatorUnavailableError` if no trust data can be loaded."""
        if self._verifier is None:
            with as_operator_error():
                trust = TrustStore(trust_directories(self._settings))
                self._verifier = document_verifier(self._settings, trust)
        return self._verifier.verify(document, at=at, existed_at=existed_at)

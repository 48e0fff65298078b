"""Documents that are signed once, enveloped, by XAdES-B or higher (CONTRACT, Documents).

Consents, revocations and basis statements arrive as their exact bytes. They are parsed once,
their shape is proved (`xades`), every reference and the signature value are verified
(`references`), the signer's certificate is judged (`paths`); what is handed on is parsed anew from
the very bytes that were signed. A signature of a higher level (XAdES-T and up) is judged by its
B-level part; its unsigned properties are not believed.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from makul.app.ports import VerifiedDocument
from makul.domain.disclosures import DocumentSigner, Proof, ProofStatus
from makul.domain.reasons import Code
from makul.trust.algorithms import signature_method
from makul.trust.certificates import PinRule, SigningCertificate, Use, require_in_term
from makul.trust.core import verify_proven
from makul.trust.failures import SignatureFailure
from makul.trust.paths import TrustStore
from makul.trust.xades import prove_shape, read_properties
from makul.trust.xml import parse_document, parse_signed, safe_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead of ours a signer's clock may be (the customary tolerance of SAML and OAuth)."""

_UNDECIDED = frozenset({Code.SIG_07})
"""Reasons that say "could not tell" rather than "no" (ETSI EN 319 102-1, 5.1.3, TRY_LATER)."""


@dataclass(slots=True)
class _Report:
    """What is kept as evidence of the judgement. Never anything of the document's content."""

    at: datetime
    digest: bytes
    facts: dict[str, object] = field(default_factory=dict)

    def render(self, status: ProofStatus, failure: SignatureFailure | None) -> bytes:
        said = {
            "status": status.value,
            "reason": failure.code.value if failure else None,
            "why": failure.why if failure else None,
            "judgedAt": self.at.astimezone(UTC).isoformat(),
            "documentDigest": self.digest.hex(),
            **self.facts,
        }
        return json.dumps(said, separators=(",", ":")).encode()


class XadesVerifier:
    """`ports.DocumentVerifier`, for signers whose certificates lead to this store's anchors."""

    def __init__(self, store: TrustStore, *, pin_rule: PinRule | None = None) -> None:
        self._store = store
        self._pin_rule = pin_rule or PinRule()

    def verify(self, document: bytes, *, at: datetime) -> VerifiedDocument:
        """Never raises for a bad document: a bad signature is an answer."""
        report = _Report(at, sha256(document).digest())
        try:
            signed, certificate = self._verify(document, report, at)
        except SignatureFailure as failure:
            return _refused(failure, report)
        except Exception as error:  # noqa: BLE001 - a stranger's bytes: what breaks us proves nothing
            why = f"could not be processed ({type(error).__name__})"
            return _refused(SignatureFailure(Code.SIG_02, why), report)
        signer = DocumentSigner(
            fingerprint=certificate.fingerprint, pin=self._pin_rule.pin_of(certificate.x509)
        )
        return VerifiedDocument(
            proof=Proof(status=ProofStatus.PASSED, signer=signer),
            signed=signed,
            report=report.render(ProofStatus.PASSED, None),
        )

    def _verify(
        self, document: bytes, report: _Report, at: datetime
    ) -> tuple["Element", SigningCertificate]:
        shape = prove_shape(parse_document(document, safe_parser()))
        claimed = read_properties(shape.properties, shape.key_info).certificate
        report.facts["certificate"] = claimed.fingerprint.hex()
        require_in_term(claimed, at)
        report.facts["signatureMethod"] = signature_method(
            shape.signed_info.method, claimed.key
        ).name
        verified = verify_proven(shape.signature, shape.signed_info, shape.proven, claimed.key)
        signed_properties = parse_signed(verified[shape.properties_uri])
        properties = read_properties(signed_properties, shape.key_info)
        if properties.certificate.fingerprint != claimed.fingerprint:
            raise SignatureFailure(Code.SIG_02, "signed for another certificate")
        report.facts["signingTime"] = properties.signing_time.isoformat()
        if properties.signing_time > at + CLOCK_SKEW:
            raise SignatureFailure(Code.SIG_02, "the signing time lies in the future")
        self._store.require(claimed, Use.DOCUMENT, at=at)
        return parse_signed(verified[shape.document_uri]), claimed


def _refused(failure: SignatureFailure, report: _Report) -> VerifiedDocument:
    undecided = failure.code in _UNDECIDED
    status = ProofStatus.INDETERMINATE if undecided else ProofStatus.FAILED
    return VerifiedDocument(
        proof=Proof(status=status, reasons=(failure.code,)),
        signed=None,
        report=report.render(status, failure),
    )

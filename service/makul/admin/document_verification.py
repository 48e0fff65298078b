"""Offline verification of one document, with named trust directories or those of the settings.

This module states what a document of each kind must be and who must sign it, as far as the document
itself shows. Only the service knows the register of officials and the operator's certificates.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from makul.admin.errors import OperatorUnavailableError
from makul.admin.requests import DocumentVerificationRequest
from makul.app.ports import DocumentError
from makul.composition.adapters import pin_rule, trust_directories, tsa_directories
from makul.config.settings import load_settings
from makul.documents.bases import read_basis
from makul.documents.consents import read_consent
from makul.documents.schemas import agreement_schema, notice_schema, receipt_schema
from makul.domain.identifiers import Pin
from makul.domain.reasons import Code
from makul.language.translation import mark, translate
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import PinRule
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.checks import Binder
from makul.trust.validation.documents import Profile, XadesVerifier
from makul.trust.validation.report_json import render

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ReadT = TypeVar("ReadT")

GENERIC: Final = Profile(
    name="generic", plain=True, unbound=mark("anyone may sign such a document")
)


@dataclass(frozen=True, slots=True)
class _TrustConfig:
    """The authorities that are trusted for signers and for timestamps."""

    directories: TrustDirectories
    pin_rule: PinRule
    tsa: TrustDirectories | None
    tsa_policies: frozenset[str] = frozenset()


def examine(question: DocumentVerificationRequest) -> bytes:
    """Return the validation report. Raises the errors that `makul.admin.error_handling` handles."""
    with tempfile.TemporaryDirectory(prefix="makul-") as empty:
        trusting = _select_trust(question, Path(empty))
        verifier = XadesVerifier(
            TrustStore(trusting.directories),
            pin_rule=trusting.pin_rule,
            tsa=TrustStore(trusting.tsa) if trusting.tsa is not None else None,
            tsa_policies=trusting.tsa_policies,
        )
        validated = verifier.validate(
            question.document,
            _profile(question.profile, trusting.pin_rule),
            at=question.at,
            existed_at=question.existed_at,
        )
        return render(validated.report)


def _select_trust(question: DocumentVerificationRequest, empty: Path) -> _TrustConfig:
    """Return the named authorities. Without named anchors, the settings supply what is missing.

    An empty directory stands for missing CRLs, so that the verdict is indeterminate (SIG-07).
    """
    if question.anchors is not None:
        named = TrustDirectories(
            anchors=question.anchors,
            intermediates=question.intermediates,
            crls=question.crls or empty,
            ocsp=question.ocsp,
            others_expected=True,
        )
        return _TrustConfig(named, PinRule(), _tsa(question, named, None))
    if not question.config.exists():
        raise OperatorUnavailableError(
            translate(
                "there is no {path}; name the trusted CA certificates with --anchors",
                path=question.config,
            )
        )
    settings = load_settings(question.config)
    own = trust_directories(settings)
    directories = TrustDirectories(
        anchors=own.anchors,
        intermediates=question.intermediates or own.intermediates,
        crls=question.crls or own.crls,
        ocsp=question.ocsp or own.ocsp,
        others_expected=True,
    )
    return _TrustConfig(
        directories,
        pin_rule(settings),
        _tsa(question, directories, tsa_directories(settings)),
        settings.trust.tsa_policies or frozenset(),
    )


def _tsa(
    question: DocumentVerificationRequest,
    directories: TrustDirectories,
    own: TrustDirectories | None,
) -> TrustDirectories | None:
    """Return the authorities trusted for timestamps: those named, or those of the settings.

    Their CRLs are those of the document, unless others are named. Raises `OperatorUnavailableError`
    if CRLs are named without authorities.
    """
    trusted = replace(own, others_expected=True) if own is not None else None
    if question.tsa_anchors is not None:
        trusted = replace(directories, anchors=question.tsa_anchors)
    if trusted is None and question.tsa_crls is not None:
        raise OperatorUnavailableError(
            translate("--tsa-crl without time-stamping authorities; name theirs with --tsa-anchors")
        )
    if trusted is None or question.tsa_crls is None:
        return trusted
    return replace(trusted, crls=question.tsa_crls)


def _profile(name: str, rule: PinRule) -> Profile:
    """Return the profile of this kind of document, with a check of the signer if possible."""
    binders: dict[str, Binder] = {
        "consent": lambda root, certificate, path: _consent(
            root, rule.read_pin(certificate, policies=path.policies)
        ),
        "basis": lambda root, *_: _read(lambda: read_basis(root)),
        "receipt": lambda root, *_: _read(lambda: receipt_schema().check(root)),
        "agreement": lambda root, *_: _read(lambda: agreement_schema().check(root)),
        "notice": lambda root, *_: _read(lambda: notice_schema().check(root)),
    }
    return Profile(name=name, bind=binders[name]) if name in binders else GENERIC


def _consent(root: "Element", signer: Pin | None) -> None:
    """Check that a consent is signed by its subject or by the subject's representative.

    An official signs a consent on paper, so its signer is not checked here. Raises
    `SignatureFailure` (SIG-08).
    """
    consent = _read(lambda: read_consent(root))
    if consent.on_paper:
        return
    given_for = consent.representative
    party = consent.subject if given_for is None else given_for.pin
    if signer is None or signer != party:
        raise SignatureFailure(
            Code.SIG_08, mark("the signer is not the subject, or who gives it for them")
        )


def _read(read: Callable[[], ReadT]) -> ReadT:
    try:
        return read()
    except DocumentError as error:
        raise SignatureFailure(
            error.reason.code, mark("the document is not what its profile says")
        ) from None

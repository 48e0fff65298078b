"""One document judged offline, by directories that are named or by those of the settings.

What a document of each kind must be, and by whom it must be signed, as far as that can be told from
the document itself: the officials' register and the operator's pin are the service's to know.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from lxml.etree import QName

from makul.app.ports import DocumentError
from makul.bootstrap import pin_rule, trust_directories, tsa_directories
from makul.cli.house import DocumentQuestion, HouseUnavailableError
from makul.documents.bases import read_basis
from makul.documents.consents import NAMESPACE as CONSENT
from makul.documents.consents import read_consent
from makul.documents.schemas import receipt_schema
from makul.domain.reasons import Code
from makul.settings import load_settings
from makul.trust.certificates import PinRule, SigningCertificate
from makul.trust.documents import Profile, XadesVerifier
from makul.trust.failures import SignatureFailure
from makul.trust.material import TrustDirectories
from makul.trust.paths import TrustStore
from makul.trust.validation.checks import Binder

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ReadT = TypeVar("ReadT")

AGREEMENT: Final = "urn:makul:agreement:1"
_REPRESENTATIVE_PIN: Final = f"{{{CONSENT}}}representative/{{{CONSENT}}}pin"

GENERIC: Final = Profile(name="generic", plain=True, unbound="anyone may sign such a document")


def examine(question: DocumentQuestion) -> bytes:
    """The validation report; raises what `makul.runtime` explains in one line."""
    with tempfile.TemporaryDirectory(prefix="makul-") as empty:
        directories, rule = _directories(question, Path(empty))
        tsa, policies = _stamping(question, directories)
        verifier = XadesVerifier(
            TrustStore(directories),
            pin_rule=rule,
            tsa=TrustStore(tsa) if tsa is not None else None,
            tsa_policies=policies,
        )
        return verifier.validate(
            question.document,
            _profile(question.profile, rule),
            at=question.at,
            existed_at=question.existed_at,
        ).report.render()


def _directories(question: DocumentQuestion, empty: Path) -> tuple[TrustDirectories, PinRule]:
    """Those that are named; where no anchors are, the settings' fill in for what is not.

    Without CRLs nobody can tell (SIG-07), so an empty directory stands in for none.
    """
    if question.anchors is not None:
        named = TrustDirectories(
            anchors=question.anchors,
            intermediates=question.intermediates,
            crls=question.crls or empty,
            ocsp=question.ocsp,
        )
        return named, PinRule()
    if not question.config.exists():
        raise HouseUnavailableError(
            f"there is no {question.config}; name the trusted CA certificates with --anchors"
        )
    settings = load_settings(question.config)
    own = trust_directories(settings)
    return (
        TrustDirectories(
            anchors=own.anchors,
            intermediates=question.intermediates or own.intermediates,
            crls=question.crls or own.crls,
            ocsp=question.ocsp or own.ocsp,
        ),
        pin_rule(settings),
    )


def _stamping(
    question: DocumentQuestion, directories: TrustDirectories
) -> tuple[TrustDirectories | None, frozenset[str]]:
    """Time-stamping authorities: those named; the settings' where these judge; with policies."""
    if question.tsa_anchors is not None:
        return replace(directories, anchors=question.tsa_anchors, archive=None), frozenset()
    if question.anchors is not None:
        return None, frozenset()
    settings = load_settings(question.config)
    own = tsa_directories(settings)
    if own is None:
        return None, frozenset()
    stamping = replace(own, crls=question.crls or own.crls, archive=None)
    return stamping, settings.trust.tsa_policies or frozenset()


def _profile(name: str, rule: PinRule) -> Profile:
    """What this kind of document must be; the signer as far as the document itself tells."""
    binders: dict[str, Binder] = {
        "consent": lambda root, certificate: _consent(root, certificate, rule),
        "basis": lambda root, _: _read(lambda: read_basis(root)),
        "receipt": lambda root, _: _read(lambda: receipt_schema().check(root)),
        "agreement": lambda root, _: _of_namespace(root, AGREEMENT),
    }
    return Profile(name=name, bind=binders[name]) if name in binders else GENERIC


def _consent(root: "Element", certificate: SigningCertificate, rule: PinRule) -> None:
    """A consent is signed by its subject or their representative, one on paper by an official."""
    consent = _read(lambda: read_consent(root))
    if consent.on_paper:
        return
    represented_by = root.findtext(_REPRESENTATIVE_PIN)
    pin = rule.pin_of(certificate.x509)
    if pin is None or pin.digits not in {consent.subject.digits, (represented_by or "").strip()}:
        raise SignatureFailure(Code.SIG_08, "the signer is neither the subject nor representative")


def _of_namespace(root: "Element", namespace: str) -> None:
    if QName(root).namespace != namespace:
        raise SignatureFailure(Code.REQ_01, "the document is of another kind")


def _read(read: Callable[[], ReadT]) -> ReadT:
    try:
        return read()
    except DocumentError as error:
        raise SignatureFailure(
            error.reason.code, "the document is not what its profile says"
        ) from None

"""A check at registration whether a certificate could ever be accepted.

A registration succeeds without this check, because an authority may be trusted later. The check
warns of a CA certificate, a certificate for other uses, and one that no anchor leads to. Without
the warning, the fault would show only at the recipient's first request.
"""

from dataclasses import replace
from datetime import datetime

from makul.admin.requests import CertificateUse
from makul.composition.adapters import trust_directories
from makul.config.settings import Settings
from makul.domain.reasons import Code
from makul.language.report_reasons import translate_reason
from makul.language.translation import translate
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import SigningCertificate, Use, read_certificate, require_usage
from makul.trust.pki.trust_material import TrustStoreError
from makul.trust.pki.trust_store import TrustStore
from makul.trust.xmlenc import require_encryption_usage


def find_unsuitability(
    settings: Settings, certificate: bytes, use: CertificateUse, *, at: datetime
) -> str | None:
    """Return why nothing can be accepted under a certificate (DER), or None if something may be.

    Missing revocation data are no such reason, because they come and go.
    """
    try:
        certificate_read = read_certificate(certificate)
        _require_use(certificate_read, use)
    except SignatureFailure as failure:
        return f"{translate_reason(failure.why)} ({failure.code.value})"
    # The archive belongs to the service: a command that only checks must write no file there.
    directories = replace(trust_directories(settings), archive=None)
    try:
        store = TrustStore(directories)
    except (TrustStoreError, OSError) as error:
        return translate("its path cannot be verified: {problem}", problem=error)
    path_verdict = store.judge(
        certificate_read, at=max(at, certificate_read.x509.not_valid_before_utc)
    )
    if path_verdict.code is None or path_verdict.code is Code.SIG_07:
        return None
    return translate(
        "its path is not trusted: {cause} ({code})",
        cause=translate_reason(path_verdict.why),
        code=path_verdict.code.value,
    )


def _require_use(certificate: SigningCertificate, use: CertificateUse) -> None:
    match use:
        case CertificateUse.DOCUMENTS:
            require_usage(certificate, Use.DOCUMENT)
        case CertificateUse.ENCRYPTION:
            require_encryption_usage(certificate)
        case CertificateUse.MESSAGES:
            try:
                require_usage(certificate, Use.TLS_CLIENT)  # channel mtls
            except SignatureFailure:
                require_usage(certificate, Use.MESSAGE)  # channel wsse

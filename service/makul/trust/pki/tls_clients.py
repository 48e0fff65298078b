"""Judge certificates of TLS clients, for the `mtls` channel (docs/recipients.md#channels).

An earlier verification by a TLS endpoint is not relied upon. That endpoint may hold older
revocation data, or none, and other authorities than ours (docs/decisions/0012-mtls.md).
"""

import logging
from datetime import datetime

from makul.app.ports import RejectedError
from makul.domain.reasons import Code, Reason
from makul.language.translation import mark
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import Use, read_certificate, require_in_term
from makul.trust.pki.trust_store import TrustStore

log = logging.getLogger(__name__)


class TlsClientJudge:
    """The `ports.CertificateJudge` for certificates that lead to this store's anchors."""

    def __init__(self, store: TrustStore) -> None:
        self._store = store

    def judge(self, certificate: bytes, *, at: datetime) -> bytes:
        """Return the fingerprint of a good certificate; raise `RejectedError` (SIG-*) otherwise."""
        try:
            read = read_certificate(certificate)
            require_in_term(read, at)
            self._store.require(read, Use.TLS_CLIENT, at=at)
        except SignatureFailure as failure:
            raise RejectedError(failure.reason) from failure
        except Exception as error:  # noqa: BLE001 - received bytes may break any parser: reject
            log.warning("a TLS certificate caused %s", type(error).__name__)
            cause = SignatureFailure(Code.SIG_02, mark("cannot be processed"))
            raise RejectedError(Reason(code=Code.SIG_02)) from cause
        return read.fingerprint

"""The verification of the operator's receipts, which precedes the use of any answer.

A receipt proves an answer if the operator's pinned certificate signed it and the certificate path
is trusted at that moment. It must belong to this request. Its `answerDigest` must be that of the
received answer: match, state of a consent, rules, texts and data. Otherwise the answer is withheld
(`ReceiptError`). Only then is the answer read and compared with the other fields of the receipt.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from makul_client._internal.crypto.certificate_path import PathVerdict, Trust
from makul_client._internal.crypto.credentials import load_certificates, load_crls
from makul_client._internal.crypto.decryption import MAX_SEALED
from makul_client._internal.crypto.xml import DELIVERY, RECIPIENT, broken_fields
from makul_client._internal.crypto.xmldsig import BadSignatureError, verify
from makul_client.errors import EncryptionError, EncryptionFlaw, ReceiptError, ReceiptFlaw
from makul_client.models.reasons import Reason
from makul_client.models.response import Receipt, ReceiptReason
from makul_client.profile import Operator
from makul_client.receipts.receipt_reader import (
    RECEIPT_FORM,
    DocumentForm,
    collapse,
    parse_receipt,
)
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

CLOCK_SKEW: Final = timedelta(minutes=5)
"""The maximum by which the operator's clock may be ahead. The service allows a message the same."""

_NEEDS_GROUND: Final = frozenset({"RELEASED", "MATCHED", "NOT_MATCHED"})
_FLAW_BY_VERDICT: Final = {
    PathVerdict.NOT_TRUSTED: ReceiptFlaw.SIGNER,
    PathVerdict.NOT_FOR_SIGNING: ReceiptFlaw.SIGNER,
    PathVerdict.OUT_OF_TERM: ReceiptFlaw.EXPIRED,
    PathVerdict.REVOKED: ReceiptFlaw.REVOKED,
    PathVerdict.REVOCATION_UNKNOWN: ReceiptFlaw.REVOCATION_UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """The parts of a sent request that its receipt must repeat."""

    request_id: UUID
    digest: bytes
    """The SHA-256 of the exclusive canonical form of the Body's child."""
    operation: str
    recipient: str
    agreement: str | None
    attributes: frozenset[str]
    """The attributes asked for."""
    ground_digest: bytes | None
    """The SHA-256 of the ground's document, if a document was sent."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClaimedAnswer:
    """The content of an answer whose digest is proved.

    It is not yet compared with the receipt's own fields.
    """

    request_id: UUID
    disclosure_id: UUID
    outcome: str
    reasons: tuple[Reason, ...]
    decided_at: datetime
    person: bytes | None
    """The element `person` in exclusive canonical form."""
    payload_salt: bytes | None
    attributes: frozenset[str]
    """The attributes that the answer contains."""


@dataclass(frozen=True, slots=True, repr=False)
class DeliveredData:
    """Data that came encrypted, with the operator's signature over them verified."""

    person: "Element"
    payload_salt: bytes


class ReceiptVerifier:
    """The verifier that trusts only the operator that the profile describes."""

    def __init__(self, operator: Operator) -> None:
        self._code = operator.code
        self._pinned = frozenset(
            each.fingerprint for each in load_certificates(operator.certificates)
        )
        self._compromised = operator.compromised
        self._trust = Trust(
            anchors=load_certificates(operator.anchors),
            intermediates=load_certificates(operator.intermediates),
            crls=load_crls(operator.crls),
        )

    def verify(self, document: bytes, *, at: datetime) -> Receipt:
        """Return a receipt just received. The operator's certificate must be valid now."""
        return self._verify(document, at=at, is_stored=False)

    def verify_kept(
        self, document: bytes, *, at: datetime, held_since: datetime | None = None
    ) -> Receipt:
        """Return an older receipt. The certificate must have been valid at the decision.

        `held_since` is the time since when an archive that the operator does not write proves these
        bytes. Only this helps if the key is compromised: an attacker with the key chooses the
        receipt's own time.
        """
        return self._verify(document, at=at, is_stored=True, held_since=held_since)

    def pins(self, fingerprint: bytes) -> bool:
        """Return whether the profile pins the certificate with this SHA-256."""
        return fingerprint in self._pinned

    def prove(
        self, document: bytes | None, sent: SentRequest, answer_digest: bytes, *, at: datetime
    ) -> Receipt:
        """Verify the receipt of an answer just received, before any part of the answer is read.

        `answer_digest` is that of the received answer. A receipt without one covers only a part of
        the answer, so it proves none. A party that ends TLS could have changed the rest.
        """
        if document is None:
            raise ReceiptError(ReceiptFlaw.UNREADABLE, translate("the answer has not exactly one"))
        receipt = self.verify(document, at=at)
        _same_request(receipt, sent)
        if receipt.answer_digest is None:
            raise ReceiptError(ReceiptFlaw.ANSWER, translate("it has no answerDigest"))
        if not hmac.compare_digest(receipt.answer_digest, answer_digest):
            raise ReceiptError(ReceiptFlaw.ANSWER, translate("the answer was changed on its way"))
        return receipt

    def compare(self, receipt: Receipt, sent: SentRequest, claimed: ClaimedAnswer) -> None:
        """Compare the content of an answer with its proved receipt.

        Raises `ReceiptError` if they differ.
        """
        _same_answer(receipt, sent, claimed)
        _same_payload(receipt, claimed)

    def open_delivery(
        self, document: bytes, sent: SentRequest, disclosure_id: UUID, *, at: datetime
    ) -> DeliveredData:
        """Return the data of a delivery just decrypted, after verifying the operator's signature.

        Raises `EncryptionError` for a delivery of another request, disclosure or recipient, even if
        it is encrypted correctly. Anyone can encrypt to a known certificate.
        """
        try:
            signed = verify(document, f"{{{DELIVERY}}}Delivery", at_most=MAX_SEALED)
        except BadSignatureError as error:
            raise EncryptionError(EncryptionFlaw.SIGNATURE, str(error)) from None
        if signed.certificate.fingerprint not in self._pinned:
            raise EncryptionError(
                EncryptionFlaw.SIGNATURE, translate("another certificate than the profile names")
            )
        verdict = self._trust.judge(signed.certificate, at=at, afterwards=False)
        if verdict is not PathVerdict.TRUSTED:
            raise EncryptionError(EncryptionFlaw.SIGNATURE, translate(verdict.value))
        if broken_fields(signed.root, "delivery"):
            raise EncryptionError(EncryptionFlaw.FORM, translate("the delivery breaks the schema"))
        bound = {
            "requestId": str(sent.request_id),
            "disclosureId": str(disclosure_id),
            "recipient": sent.recipient,
            "operator": self._code,
        }
        for name, expected in bound.items():
            if collapse(signed.root.findtext(f"{{{DELIVERY}}}{name}")) != expected:
                raise EncryptionError(
                    EncryptionFlaw.ANSWER, translate("its {name} is another", name=name)
                )
        (person,) = signed.root.findall(f"{{{RECIPIENT}}}person")
        salt = signed.root.findtext(f"{{{DELIVERY}}}payloadSalt")
        return DeliveredData(person, base64.b64decode(collapse(salt)))

    def _verify(
        self, document: bytes, *, at: datetime, is_stored: bool, held_since: datetime | None = None
    ) -> Receipt:
        root = self.verify_document(
            document, RECEIPT_FORM, at=at, is_stored=is_stored, held_since=held_since
        )
        return parse_receipt(root, document)

    def verify_document(
        self,
        document: bytes,
        form: DocumentForm,
        *,
        at: datetime,
        is_stored: bool,
        held_since: datetime | None = None,
    ) -> "Element":
        """Return the root of a document that the operator signed, as it was signed.

        With `is_stored` the certificate must have been valid when the document was made, and
        otherwise now. Raises `ReceiptError`.
        """
        try:
            signed = verify(document, form.tag(form.root))
        except BadSignatureError as error:
            raise ReceiptError(ReceiptFlaw.SIGNATURE, str(error)) from None
        signer = signed.certificate.fingerprint
        if signer not in self._pinned:
            raise ReceiptError(
                ReceiptFlaw.SIGNER, translate("another certificate than the profile names")
            )
        since = self._compromised.get(signer)
        if since is not None and (held_since is None or held_since >= since):
            raise ReceiptError(
                ReceiptFlaw.COMPROMISED, translate("since {time}", time=since.isoformat())
            )
        broken = broken_fields(signed.root, form.schema)
        if broken:
            raise ReceiptError(
                ReceiptFlaw.UNREADABLE, translate("it breaks the schema at {name}", name=broken[0])
            )
        if collapse(signed.root.findtext(form.tag("operator"))) != self._code:
            raise ReceiptError(ReceiptFlaw.SIGNER, translate("it names another operator"))
        made_at = datetime.fromisoformat(collapse(signed.root.findtext(form.tag(form.dated_by))))
        if made_at > at + CLOCK_SKEW:
            raise ReceiptError(ReceiptFlaw.TIME, translate("or this machine's clock is slow"))
        moment = min(made_at, at) if is_stored else at
        verdict = self._trust.judge(signed.certificate, at=moment, afterwards=is_stored)
        if verdict is not PathVerdict.TRUSTED:
            raise ReceiptError(_FLAW_BY_VERDICT[verdict], translate(verdict.value))
        return signed.root


def _same_request(receipt: Receipt, sent: SentRequest) -> None:
    if receipt.request_id != sent.request_id:
        raise ReceiptError(ReceiptFlaw.REQUEST, translate("its request id is another"))
    if not hmac.compare_digest(receipt.request_digest, sent.digest):
        raise ReceiptError(
            ReceiptFlaw.REQUEST, translate("its digest is not that of what was sent")
        )
    if receipt.operation != sent.operation:
        raise ReceiptError(ReceiptFlaw.REQUEST, translate("its operation is another"))
    if receipt.recipient != sent.recipient:
        raise ReceiptError(ReceiptFlaw.REQUEST, translate("its recipient is another"))
    if receipt.agreement not in (None, sent.agreement):
        raise ReceiptError(ReceiptFlaw.REQUEST, translate("its agreement is another"))


def _same_answer(receipt: Receipt, sent: SentRequest, claimed: ClaimedAnswer) -> None:
    if receipt.request_id != claimed.request_id:
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("the answer is to another request"))
    if receipt.receipt_id != claimed.disclosure_id:
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("it is of another disclosure"))
    if receipt.outcome != claimed.outcome:
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("the outcome differs"))
    if receipt.decided_at != claimed.decided_at:
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("the time differs"))
    if _sorted_keys(receipt.reasons) != _sorted_keys(claimed.reasons):
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("the reasons differ"))
    if receipt.released != claimed.attributes:
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("the attributes released differ"))
    if not receipt.released <= sent.attributes:
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("more attributes than were asked for"))
    _same_ground(receipt, sent)


def _same_ground(receipt: Receipt, sent: SentRequest) -> None:
    """Require that an answer about a person is based on the document sent (Procedure, cl. 4, 5)."""
    if sent.ground_digest is None:
        return
    if receipt.ground is None:
        if receipt.outcome in _NEEDS_GROUND:
            raise ReceiptError(ReceiptFlaw.ANSWER, translate("it names no ground"))
    elif not hmac.compare_digest(receipt.ground.digest, sent.ground_digest):
        raise ReceiptError(ReceiptFlaw.ANSWER, translate("it names another ground"))


def _same_payload(receipt: Receipt, claimed: ClaimedAnswer) -> None:
    """Require that the payload digest is the SHA-256 of the received salt and element `person`."""
    if claimed.person is None:
        if receipt.payload_digest is not None:
            raise ReceiptError(ReceiptFlaw.PAYLOAD, translate("the data are missing"))
        return
    if receipt.payload_digest is None:
        raise ReceiptError(ReceiptFlaw.PAYLOAD, translate("it confirms no data"))
    if claimed.payload_salt is None:
        raise ReceiptError(ReceiptFlaw.PAYLOAD, translate("the data came without their salt"))
    digest = hashlib.sha256(claimed.payload_salt + claimed.person).digest()
    if not hmac.compare_digest(digest, receipt.payload_digest):
        raise ReceiptError(ReceiptFlaw.PAYLOAD, translate("their digest differs"))


def _sorted_keys(reasons: Iterable[Reason | ReceiptReason]) -> list[tuple[str, str, str]]:
    return sorted((each.code, each.because or "", each.field or "") for each in reasons)

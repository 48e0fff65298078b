"""Render the answers of the recipient port (recipient.xsd), each as the child of a SOAP Body.

The elements of an answer are in the default namespace, which the answer itself declares. The parts
that types.xsd defines have their own prefix.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from makul.app.ports import (
    Answer,
    ConsentStatus,
    Inclusion,
    LedgerInfo,
    ReceiptCertificate,
    RecordedSignature,
    RevokedConsent,
    ServiceStatus,
    UnwritableError,
)
from makul.documents.canonical_writer import binary, each, element, group, instant
from makul.documents.persons import RECIPIENT
from makul.documents.reasons import answer_reason, localized
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.consents import ConsentState, consent_state
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import PurposeCode
from makul.domain.matches import MethodVerdict
from makul.domain.reasons import CATALOGUE, Code, Reason
from makul.domain.rules import Ruling

_SCORE_DIGITS = 6
"""The number of fraction digits of a score (types.xsd, Score)."""


@dataclass(frozen=True, slots=True)
class RenderedDecision:
    """The rendered answer to an operation that decides, without its receipt, which is added last.

    The answer is rendered once: the receipt's digest is over the bytes that are sent. These bytes
    are already in exclusive canonical form, with and without the element `receipt`, which declares
    no namespace. So the digest is that of the canonical form, and nothing is parsed.
    """

    content: bytes
    """The bytes from the start tag to the position of the receipt."""
    end_tag: bytes

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 digest of the answer without its receipt.

        It is the `answerDigest` of the receipt (receipt.xsd).
        """
        hashed = hashlib.sha256(self.content)
        hashed.update(self.end_tag)
        return hashed.digest()

    def with_receipt(self, receipt: bytes) -> bytes:
        """Return the whole answer, which ends with the receipt as base64 of its exact bytes."""
        return self.content + group("receipt", binary(receipt)).encode() + self.end_tag


def render_decision(answer: Answer) -> RenderedDecision:
    """Render the answer to an operation that decides, without its receipt.

    Raises `UnwritableError` in three cases: an answer that releases nothing contains personal data,
    or one that releases contains none; the same data are both encrypted and not encrypted; or data
    that are not encrypted have no salt.
    """
    releases = answer.outcome is Outcome.RELEASED
    tells = answer.payload is not None or answer.sealed is not None
    if answer.payload is not None and answer.sealed is not None:
        raise UnwritableError("encrypted data must not also be in clear text")
    if (answer.payload is None) is not (answer.payload_salt is None):
        raise UnwritableError("data in the clear and their salt go together")
    if tells != releases or (tells and answer.operation is not Operation.GET_PERSON_DATA):
        raise UnwritableError(
            "only a GetPersonData answer with the outcome RELEASED contains a person"
        )
    parts = (
        element("requestId", str(answer.request_id)),
        element("outcome", answer.outcome),
        *map(answer_reason, answer.reasons),
        element("disclosureId", str(answer.disclosure_id)),
        element("decidedAt", instant(answer.decided_at)),
        _particulars(answer),
    )
    name = f"{answer.operation}Response"
    start = f'<{name} xmlns="{RECIPIENT}">'
    return RenderedDecision(f"{start}{''.join(parts)}".encode(), f"</{name}>".encode())


def _particulars(answer: Answer) -> str:
    """Return the elements that only this operation has.

    Parts of the answer that belong to another operation are never rendered.
    """
    match answer.operation:
        case Operation.VERIFY_PERSON:
            return "".join(map(_match, answer.matches)) + _corrections(answer)
        case Operation.GET_PERSON_DATA:
            return "".join(map(_match, answer.matches)) + _person(answer) + _corrections(answer)
        case Operation.EXPLAIN_DECISION:
            return "".join(map(_render_rule, answer.rulings))
        case Operation.REGISTER_CONSENT:
            return _describe_registration(answer.consent, at=answer.decided_at)
        case Operation.REVOKE_CONSENT:
            revoked = answer.revoked
            return "" if revoked is None else element("consentId", str(revoked))


def _corrections(answer: Answer) -> str:
    return "".join(element("corrections", str(each)) for each in answer.corrections)


def _person(answer: Answer) -> str:
    """Return the data in the form that the agreement requires.

    This is either typed elements or one element that only the recipient can decrypt.
    """
    if answer.sealed is not None:
        return group("sealed", binary(answer.sealed))
    if answer.payload is None or answer.payload_salt is None:
        return ""
    return answer.payload.decode() + element("payloadSalt", binary(answer.payload_salt))


def _match(verdict: MethodVerdict) -> str:
    """Return the element of one match verdict.

    The algorithm and its version are included with the threshold if the agreement allows scores.
    """
    parts = [element("method", verdict.method), element("result", verdict.result)]
    if verdict.score is not None:
        parts.append(element("score", _decimal(verdict.score)))
    if verdict.threshold is not None:
        parts.append(element("threshold", _decimal(verdict.threshold)))
        parts.append(element("algorithm", verdict.algorithm))
        parts.append(element("version", verdict.version))
    return group("match", *parts)


def _decimal(value: float) -> str:
    """Return a number as xs:decimal, which has no exponent."""
    return f"{value:.{_SCORE_DIGITS}f}"


def _render_rule(ruling: Ruling) -> str:
    code, clause, text = _rule_in_words(ruling.code)
    return group("rule", code, clause, element("verdict", ruling.verdict), text)


@cache
def _rule_in_words(code: Code) -> tuple[str, str, str]:
    clause = element("clause", CATALOGUE[code].clause)
    return element("code", code), clause, group("text", localized(code))


def _describe_registration(consent: ConsentStatus | None, *, at: datetime) -> str:
    if consent is None:
        return ""
    return "".join(
        (
            element("consentId", str(consent.consent_id)),
            element("state", _state(consent, at=at)),
            element("remaining", str(_remaining_uses(consent))),
        )
    )


def render_consent_status(
    request_id: UUID, status: ConsentStatus | Reason, *, at: datetime
) -> bytes:
    """Render GetConsentStatusResponse: the consent's state, or a reason."""
    request_element = element("requestId", str(request_id))
    if isinstance(status, Reason):
        return _response("GetConsentStatus", request_element, answer_reason(status))
    return _response(
        "GetConsentStatus",
        request_element,
        element("consentId", str(status.consent_id)),
        element("state", _state(status, at=at)),
        element("used", str(status.used)),
        element("remaining", str(_remaining_uses(status))),
        element("validFrom", instant(status.valid_from)),
        element("validTo", instant(status.valid_to)),
    )


def render_revocations(request_id: UUID, revoked: Sequence[RevokedConsent], *, more: bool) -> bytes:
    """Render ListRevocationsResponse: one page, in the given order."""
    rows = (
        group(
            "revocation",
            element("consentId", str(each.consent_id)),
            element("revokedAt", instant(each.revoked_at)),
        )
        for each in revoked
    )
    more_element = element("more", "true" if more else "false")
    return _response("ListRevocations", element("requestId", str(request_id)), *rows, more_element)


def render_agreement(
    request_id: UUID, agreement: Agreement | None, signatures: Sequence[RecordedSignature]
) -> bytes:
    """Render GetAgreementResponse.

    `agreement` must be None if the agreement is another recipient's; the answer is then AGR-01.
    """
    request_element = element("requestId", str(request_id))
    if agreement is None:
        none = answer_reason(Reason(code=Code.AGR_01, field="agreementNumber"))
        return _response("GetAgreement", request_element, none)
    quota = agreement.daily_quota
    terms = (
        element("number", agreement.number),
        element("state", agreement.state),
        element("validFrom", instant(agreement.valid_from)),
        element("validTo", instant(agreement.valid_to)),
        each("purpose", agreement.purposes),
        each("attribute", agreement.attributes),
        each("method", agreement.methods),
        each("channel", agreement.channels),
        each("provision", agreement.provisions),
        *(_power(purpose, covered) for purpose, covered in sorted(agreement.powers.items())),
        *(
            group("competence", element("purpose", purpose), element("citation", citation))
            for purpose, citation in sorted(agreement.competences.items())
        ),
        "" if quota is None else element("dailyQuota", str(quota)),
        _own_limit("requestsPerMinute", agreement.requests_a_minute),
        _own_limit("bytesPerDay", agreement.bytes_a_day),
        _paper_quota(agreement),
        element("representatives", "true") if agreement.representatives_allowed else "",
        element("undertakingsRequired", "true") if agreement.undertakings_required else "",
        element("delivery", agreement.delivery),
        *map(_signature, signatures),
    )
    return _response("GetAgreement", request_element, group("agreement", *terms))


def _signature(signature: RecordedSignature) -> str:
    return group(
        "signature",
        element("role", signature.role),
        element("memberCode", signature.member),
        element("recordedAt", instant(signature.recorded_at)),
    )


def render_receipt_answer(
    request_id: UUID, receipt: bytes | Reason, inclusion: Inclusion | None
) -> bytes:
    """Render GetReceiptResponse: the receipt's exact bytes and inclusion proof, or a reason."""
    request_element = element("requestId", str(request_id))
    if isinstance(receipt, Reason):
        return _response("GetReceipt", request_element, answer_reason(receipt))
    proof = "" if inclusion is None else _inclusion(inclusion)
    return _response("GetReceipt", request_element, group("receipt", binary(receipt)), proof)


def _inclusion(inclusion: Inclusion) -> str:
    return group(
        "inclusion",
        element("leafIndex", str(inclusion.index)),
        element("treeSize", str(inclusion.size)),
        *(group("hash", binary(node)) for node in inclusion.proof),
        group("checkpoint", binary(inclusion.note)),
    )


def render_status(request_id: UUID, status: ServiceStatus) -> bytes:
    """Render GetStatusResponse."""
    limits = (
        group(
            "limit",
            element("name", limit.name),
            element("value", str(limit.value)),
            element("unit", limit.unit),
        )
        for limit in status.limits
    )
    return _response(
        "GetStatus",
        element("requestId", str(request_id)),
        element("environment", status.environment),
        element("softwareVersion", status.software_version),
        element("contractVersion", status.contract_version),
        element("time", instant(status.time)),
        *limits,
        *map(_receipt_certificate, status.receipt_certificates),
        "" if status.ledger is None else _ledger(status.ledger),
    )


def _receipt_certificate(certificate: ReceiptCertificate) -> str:
    since = certificate.compromised_since
    return group(
        "receiptCertificate",
        element("fingerprint", binary(certificate.fingerprint)),
        element("validFrom", instant(certificate.valid_from)),
        element("validTo", instant(certificate.valid_to)),
        element("state", certificate.state),
        "" if since is None else element("compromisedSince", instant(since)),
    )


def _ledger(notice: LedgerInfo) -> str:
    return group(
        "ledger",
        element("origin", notice.origin),
        element("key", notice.vkey),
        element("maxMergeDelay", str(int(notice.max_merge_delay.total_seconds()))),
    )


def _response(operation: str, *content: str) -> bytes:
    name = f"{operation}Response"
    return f'<{name} xmlns="{RECIPIENT}">{"".join(content)}</{name}>'.encode()


def _power(purpose: PurposeCode, covered: frozenset[Attribute]) -> str:
    return group("power", element("purpose", purpose), each("attribute", covered))


def _own_limit(name: str, limit: int | None) -> str:
    return "" if limit is None else element(name, str(limit))


def _paper_quota(agreement: Agreement) -> str:
    if not agreement.paper_allowed:
        return ""
    return element("paperDailyQuota", str(agreement.paper_daily_quota))


def _state(status: ConsentStatus, *, at: datetime) -> ConsentState:
    return consent_state(
        valid_from=status.valid_from,
        valid_to=status.valid_to,
        used=status.used,
        allowed=status.allowed,
        revoked=status.revoked,
        at=at,
    )


def _remaining_uses(status: ConsentStatus) -> int:
    return max(0, status.allowed - status.used)

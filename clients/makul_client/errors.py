"""The exceptions of the client, which keep the texts of the service.

    MakulError
    ├── ProfileError, InvalidRequestError, ConsentError   nothing was sent
    ├── TransportError     no readable answer; repeating with the same id is safe
    ├── ReceiptError       the receipt does not prove the answer: the answer is withheld
    ├── LedgerError        a receipt's proof is not valid, or is overdue
    ├── EncryptionError    the data were not encrypted as required: they are withheld
    ├── OutputError, UnfinishedError      an answer could not be shown; the same id gets it again
    └── AnsweredError      the service said no, with reasons
        ├── RefusedError, NotMatchedError, UndeterminedError      decisions, with a receipt
        └── FaultError = RequestFaultError | SignatureFaultError | RecipientFaultError
                         | ServiceFaultError                      messages not accepted

No message and no attribute contains personal data: reasons name fields, never values.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from makul_client.models.acts import Act
from makul_client.models.reasons import Language, Reason, Retry
from makul_client.models.response import Decision
from makul_client.translation import mark, translate, translate_to


class MakulError(Exception):
    """The base class of every error that this library raises on purpose."""

    default_retry: Retry | None = None
    """The advice if no reason gives one."""

    def __init__(
        self,
        message: str,
        *,
        reasons: tuple[Reason, ...] = (),
        request_id: UUID | None = None,
        language: Language = Language.EN,
    ) -> None:
        super().__init__(message)
        self.reasons = reasons
        self.request_id = request_id
        """The id of the request. A request repeated with this id takes effect only once."""
        self.language = language

    @property
    def reason(self) -> Reason | None:
        """The first of the reasons."""
        return self.reasons[0] if self.reasons else None

    @property
    def code(self) -> str | None:
        """The code of the first reason."""
        return self.reason.code if self.reason else None

    @property
    def because(self) -> str | None:
        """The cause of the first reason inside a document."""
        return self.reason.because if self.reason else None

    @property
    def clause(self) -> str | None:
        """The clause of the Procedure that the first reason cites."""
        return self.reason.clause if self.reason else None

    @property
    def side(self) -> str | None:
        """The party that can correct the first reason."""
        return self.reason.side if self.reason else None

    @property
    def field(self) -> str | None:
        """The name of the element or attribute that the first reason concerns."""
        return self.reason.field if self.reason else None

    @property
    def texts(self) -> Mapping[Language, str]:
        """The text of the first reason in every language."""
        return self.reason.texts if self.reason else {}

    @property
    def retry(self) -> Retry | None:
        """The strictest advice among the reasons. One final reason makes all of them final."""
        advised = {reason.retry for reason in self.reasons}
        for advice in (Retry.NO, Retry.AFTER_FIXING, Retry.LATER):
            if advice in advised:
                return advice
        return self.default_retry

    @property
    def retry_after(self) -> int | None:
        """The minimum number of seconds to wait: the longest that any reason asks for."""
        waits = [each.retry_after for each in self.reasons if each.retry_after is not None]
        return max(waits, default=None)


class ProfileError(MakulError):
    """The error of a profile that cannot be used. The message names the file and the key."""


class InvalidRequestError(MakulError):
    """The error of a request that breaks the published schema and was not sent.

    `fields` contains names, never values.
    """

    default_retry = Retry.AFTER_FIXING

    def __init__(self, operation: str, fields: tuple[str, ...], *, request_id: UUID) -> None:
        names = ", ".join(fields)
        message = translate(
            "{operation} was not sent: check {names}", operation=operation, names=names
        )
        super().__init__(message, request_id=request_id)
        self.operation = operation
        self.fields = fields


class ConsentError(MakulError):
    """The error of a consent document that is not valid."""


class ConfirmationError(MakulError):
    """The error of a document that does not sign the statement of the month."""


class EvidenceError(MakulError):
    """The error of an evidence file that is missing or is not that of the case."""


class OutputError(MakulError):
    """The error of a result that cannot be written.

    The message names the file or stream, and no part of the result.
    """


class UnfinishedError(MakulError):
    """The error of a command that may have sent a request and ended without its answer."""

    default_retry = Retry.LATER


class TransportError(MakulError):
    """The error of a missing or unreadable answer. Whether the service acted is unknown."""

    def __init__(self, message: str, *, passing: bool, request_id: UUID | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.passing = passing
        """True if the cause may be temporary.

        Then repeat with the same id, which is always safe.
        """

    @property
    def retry(self) -> Retry | None:
        """The advice: later if the cause may be temporary, otherwise only after a change."""
        return Retry.LATER if self.passing else Retry.AFTER_FIXING


class ReceiptFlaw(StrEnum):
    """The flaws of a receipt."""

    UNREADABLE = mark("it cannot be read")
    SIGNATURE = mark("its signature is not valid")
    SIGNER = mark("it is not signed by the operator")
    COMPROMISED = mark("its key is compromised; compare it with the operator's record")
    REVOKED = mark("the operator's certificate is revoked")
    EXPIRED = mark("the operator's certificate is out of term")
    REVOCATION_UNKNOWN = mark(
        "it cannot be determined whether the operator's certificate is revoked"
    )
    REQUEST = mark("it belongs to another request")
    ANSWER = mark("its content is not that of the answer")
    PAYLOAD = mark("the data are not those that it confirms")
    TIME = mark("it is dated in the future")


class ReceiptError(MakulError):
    """The error of a receipt that does not prove the answer. The answer is withheld."""

    def __init__(self, flaw: ReceiptFlaw, detail: str, *, request_id: UUID | None = None) -> None:
        message = translate(
            "the receipt must not be trusted: {flaw} ({detail})",
            flaw=translate(flaw.value),
            detail=detail,
        )
        super().__init__(message, request_id=request_id)
        self.flaw = flaw
        self.detail = detail


class StatementFlaw(StrEnum):
    """The flaws of a monthly statement besides those of its signature, which `ReceiptFlaw` has."""

    OTHER = mark("it is not the statement that was requested")
    PAGES = mark("its head does not number the pages from 1")
    MISSING = mark("a page is missing")
    DIGEST = mark("a page has other bytes than the head names")
    CONTENT = mark("a page is not a page of this statement")
    ORDER = mark("a line is of another month, or not after the line before it")
    REPEATED = mark("a decision is on two lines")
    TOTALS = mark("the totals or exceptions of the head are not those of the lines")


class StatementError(MakulError):
    """The error of a monthly statement that must not be trusted. Nothing of it is shown."""

    def __init__(
        self,
        flaw: StatementFlaw | ReceiptFlaw,
        detail: str = "",
        *,
        request_id: UUID | None = None,
    ) -> None:
        message = translate("the statement must not be trusted: {flaw}", flaw=translate(flaw.value))
        super().__init__(f"{message} ({detail})" if detail else message, request_id=request_id)
        self.flaw = flaw


class LedgerFlaw(StrEnum):
    """The flaws of a receipt's proof in the log."""

    CHECKPOINT = "CHECKPOINT"
    PATH = "PATH"
    SHARED = "SHARED"
    FORKED = "FORKED"
    QUORUM = "QUORUM"
    OVERDUE = "OVERDUE"


LEDGER_TEXTS: Final[Mapping[LedgerFlaw, str]] = MappingProxyType(
    {
        LedgerFlaw.CHECKPOINT: mark("the checkpoint is not signed by this log"),
        LedgerFlaw.PATH: mark("the receipt's leaf is not in the tree of this checkpoint"),
        LedgerFlaw.SHARED: mark("two receipts use one leaf of the log"),
        LedgerFlaw.FORKED: mark("the log has shown two histories: keep the files and report it"),
        LedgerFlaw.QUORUM: mark("too few witnesses cosigned the checkpoint"),
        LedgerFlaw.OVERDUE: mark(
            "the merge delay is over and there is no proof: fetch the receipt again, and report it"
            " if there is still none"
        ),
    }
)
"""The flaws as texts for people, which `translate_to` translates."""


class LedgerError(MakulError):
    """The error of a log that does not prove a receipt as promised. The receipt itself is valid."""

    def __init__(
        self,
        flaw: LedgerFlaw,
        *,
        language: Language = Language.EN,
        request_id: UUID | None = None,
    ) -> None:
        super().__init__(
            translate_to(language, LEDGER_TEXTS[flaw]), request_id=request_id, language=language
        )
        self.flaw = flaw


class EncryptionFlaw(StrEnum):
    """The flaws of encrypted data."""

    FORM = mark("they do not have the agreed form")
    ALGORITHM = mark("an algorithm that is not accepted")
    RECIPIENT = mark("they are encrypted to another key")
    BROKEN = mark("they were changed, or encrypted to another key")
    SIGNATURE = mark("the operator's signature in them is not valid")
    ANSWER = mark("they belong to another answer")
    MISSING = mark("they are not encrypted")
    NO_KEY = mark("the profile names no key to decrypt them")


class EncryptionError(MakulError):
    """The error of data that were not encrypted as required. The data are withheld."""

    def __init__(
        self, flaw: EncryptionFlaw, detail: str, *, request_id: UUID | None = None
    ) -> None:
        message = translate(
            "the encrypted data must not be trusted: {flaw} ({detail})",
            flaw=translate(flaw.value),
            detail=detail,
        )
        super().__init__(message, request_id=request_id)
        self.flaw = flaw


class AnsweredError(MakulError):
    """The error of an answer that is not what the caller asked for. `reasons` states why."""

    def __init__(
        self, reasons: tuple[Reason, ...], *, request_id: UUID | None, language: Language
    ) -> None:
        message = "; ".join(reason.describe(language) for reason in reasons)
        super().__init__(
            message or translate_to(language, "no reason was given"),
            reasons=reasons,
            request_id=request_id,
            language=language,
        )


class RefusedError(AnsweredError):
    """The error of a request that was decided and refused."""

    def __init__(
        self,
        reasons: tuple[Reason, ...],
        *,
        request_id: UUID | None,
        language: Language,
        decision: Decision | Act | None = None,
    ) -> None:
        super().__init__(reasons, request_id=request_id, language=language)
        self.decision = decision
        """The decision or act with its receipt; None for an inquiry, which gets no receipt."""


class NotMatchedError(RefusedError):
    """The error of a person who was not found to be the person named (Procedure, cl. 10)."""


class UndeterminedError(RefusedError):
    """The error of a decision that could not be determined.

    It is not a "no", and nothing is disclosed.
    """


class FaultError(AnsweredError):
    """The error of a message that was not accepted.

    Nothing was decided, and there is no receipt.
    """


class RequestFaultError(FaultError):
    """The fault for a flaw in the form of the request (REQ-*)."""


class SignatureFaultError(FaultError):
    """The fault for the message's signature, or for the certificate that signed it (SIG-*)."""


class RecipientFaultError(FaultError):
    """The fault for a caller who may not ask (RCP-*, AGR-*)."""


class ServiceFaultError(FaultError):
    """The fault for a failure of the service itself (OPS-*)."""


_FAMILIES: Final[Mapping[str, type[FaultError]]] = MappingProxyType(
    {
        "REQ": RequestFaultError,
        "SIG": SignatureFaultError,
        "RCP": RecipientFaultError,
        "AGR": RecipientFaultError,
        "OPS": ServiceFaultError,
    }
)


def fault(
    reasons: tuple[Reason, ...], *, request_id: UUID | None, language: Language
) -> FaultError:
    """Return the fault of the family to which the first reason belongs."""
    kind = _FAMILIES.get(reasons[0].code[:3] if reasons else "", FaultError)
    return kind(reasons, request_id=request_id, language=language)

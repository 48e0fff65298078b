"""What can go wrong, as a tree of exceptions that keeps the service's own words.

    MakulError
    ├── ProfileError, InvalidRequestError, ConsentError   nothing was sent
    ├── TransportError     no answer that can be read; repeating with the same id is safe
    ├── ReceiptError       an answer came, but its receipt does not prove it: it is withheld
    ├── LedgerError        a receipt's proof does not hold, or is overdue
    ├── SealError          the data did not come sealed as they must: they are withheld
    ├── OutputError, UnfinishedError      an answer could not be shown; the same id gets it again
    └── AnsweredError      the service said no, with reasons
        ├── RefusedError, NotMatchedError, UndeterminedError      decisions, with a receipt
        └── FaultError = RequestFaultError | SignatureFaultError | RecipientFaultError
                         | ServiceFaultError                      messages not accepted

No message and no attribute holds personal data: reasons name fields, never values.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from makul_client.models.reasons import Language, Reason, Retry
from makul_client.models.response import Decision


class MakulError(Exception):
    """Anything that this library raises on purpose."""

    default_retry: Retry | None = None
    """The advice where no reason gives one."""

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
        """The id under which it was asked: repeat with this very id, and nothing happens twice."""
        self.language = language

    @property
    def reason(self) -> Reason | None:
        """The first of the reasons."""
        return self.reasons[0] if self.reasons else None

    @property
    def code(self) -> str | None:
        """The first reason's code."""
        return self.reason.code if self.reason else None

    @property
    def because(self) -> str | None:
        """The first reason's cause inside a document."""
        return self.reason.because if self.reason else None

    @property
    def clause(self) -> str | None:
        """The first reason's clause of the Procedure."""
        return self.reason.clause if self.reason else None

    @property
    def side(self) -> str | None:
        """Who can mend the first reason."""
        return self.reason.side if self.reason else None

    @property
    def field(self) -> str | None:
        """The element or attribute that the first reason is about, by name."""
        return self.reason.field if self.reason else None

    @property
    def texts(self) -> Mapping[Language, str]:
        """The first reason's text in every language."""
        return self.reason.texts if self.reason else {}

    @property
    def retry(self) -> Retry | None:
        """The strictest advice among the reasons: one that is final makes all of them final."""
        advised = {reason.retry for reason in self.reasons}
        for advice in (Retry.NO, Retry.AFTER_FIXING, Retry.LATER):
            if advice in advised:
                return advice
        return self.default_retry

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait at least: the longest that any reason asks for."""
        waits = [each.retry_after for each in self.reasons if each.retry_after is not None]
        return max(waits, default=None)


class ProfileError(MakulError):
    """The profile cannot be used. The message names the file and the key."""


class InvalidRequestError(MakulError):
    """The request breaks the published schema; it was not sent. `fields` are names, not values."""

    default_retry = Retry.AFTER_FIXING

    def __init__(self, operation: str, fields: tuple[str, ...], *, request_id: UUID) -> None:
        named = ", ".join(fields)
        super().__init__(f"{operation} was not sent: check {named}", request_id=request_id)
        self.operation = operation
        self.fields = fields


class ConsentError(MakulError):
    """A consent document is not what it should be."""


class OutputError(MakulError):
    """A result cannot be written. The message names the place, and nothing of the result."""


class UnfinishedError(MakulError):
    """A run of the command ended after a request may have been sent, and without its answer."""

    default_retry = Retry.LATER


class TransportError(MakulError):
    """No answer that can be read. Whether the service acted is unknown."""

    def __init__(self, message: str, *, passing: bool, request_id: UUID | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.passing = passing
        """May it pass by itself? Then repeating with the same id is worth it, and always safe."""

    @property
    def retry(self) -> Retry | None:
        """Later where it may pass by itself, else not before something is changed."""
        return Retry.LATER if self.passing else Retry.AFTER_FIXING


class ReceiptFlaw(StrEnum):
    """What is wrong with a receipt."""

    UNREADABLE = "it cannot be read"
    SIGNATURE = "its signature does not hold"
    SIGNER = "it is not signed by the operator"
    COMPROMISED = "its key is compromised; compare it with the operator's record"
    REVOKED = "the operator's certificate is revoked"
    EXPIRED = "the operator's certificate is out of term"
    REVOCATION_UNKNOWN = "whether the operator's certificate is revoked cannot be told"
    REQUEST = "it belongs to another request"
    ANSWER = "it does not say what the answer says"
    PAYLOAD = "the data are not those that it vouches for"
    TIME = "it is dated in the future"


class ReceiptError(MakulError):
    """The receipt does not prove the answer, so the answer is not handed over."""

    def __init__(self, flaw: ReceiptFlaw, detail: str, *, request_id: UUID | None = None) -> None:
        super().__init__(
            f"the receipt is not to be trusted: {flaw.value} ({detail})", request_id=request_id
        )
        self.flaw = flaw


class LedgerFlaw(StrEnum):
    """What is wrong with a receipt's place in the log."""

    CHECKPOINT = "CHECKPOINT"
    PATH = "PATH"
    SHARED = "SHARED"
    FORKED = "FORKED"
    QUORUM = "QUORUM"
    OVERDUE = "OVERDUE"


LEDGER_TEXTS: Final[Mapping[LedgerFlaw, Mapping[Language, str]]] = MappingProxyType(
    {
        LedgerFlaw.CHECKPOINT: {
            Language.KY: "текшерүү чекитине бул журнал кол койгон эмес",
            Language.RU: "контрольная точка не подписана этим журналом",
            Language.EN: "the checkpoint is not signed by this log",
        },
        LedgerFlaw.PATH: {
            Language.KY: "квитанциянын жазуусу бул текшерүү чекитинин дарагында жок",
            Language.RU: "записи квитанции нет в дереве этой контрольной точки",
            Language.EN: "the receipt's leaf is not in the tree of this checkpoint",
        },
        LedgerFlaw.SHARED: {
            Language.KY: "эки квитанция журналдагы бир эле жазууга таянат",
            Language.RU: "две квитанции ссылаются на одну и ту же запись журнала",
            Language.EN: "two receipts rest on one leaf of the log",
        },
        LedgerFlaw.FORKED: {
            Language.KY: "журнал эки башка тарыхты көрсөттү: файлдарды сактап, кабарлаңыз",
            Language.RU: "журнал показал две разные истории: сохраните файлы и сообщите об этом",
            Language.EN: "the log has shown two histories: keep the files and report it",
        },
        LedgerFlaw.QUORUM: {
            Language.KY: "текшерүү чекитин ырастаган күбөлөр жетишсиз",
            Language.RU: "контрольную точку заверило слишком мало свидетелей",
            Language.EN: "too few witnesses vouch for the checkpoint",
        },
        LedgerFlaw.OVERDUE: {
            Language.KY: "мөөнөтү өттү, бирок далили жок: квитанцияны кайра алыңыз; далили дагы эле"
            " жок болсо, кабарлаңыз",
            Language.RU: "срок прошёл, а доказательства нет: получите квитанцию ещё раз; если его"
            " по-прежнему нет, сообщите об этом",
            Language.EN: "its time is over and there is no proof: fetch the receipt again, and"
            " report it if there is still none",
        },
    }
)


class LedgerError(MakulError):
    """The operator's log does not vouch for a receipt as promised. The receipt itself is good."""

    def __init__(
        self,
        flaw: LedgerFlaw,
        *,
        language: Language = Language.EN,
        request_id: UUID | None = None,
    ) -> None:
        super().__init__(LEDGER_TEXTS[flaw][language], request_id=request_id, language=language)
        self.flaw = flaw


class SealFlaw(StrEnum):
    """What is wrong with sealed data."""

    FORM = "they are not of the form agreed"
    ALGORITHM = "an algorithm that is not taken"
    RECIPIENT = "they are sealed to another key"
    BROKEN = "they were changed, or sealed to another key"
    SIGNATURE = "the operator's signature in them does not hold"
    ANSWER = "they belong to another answer"
    MISSING = "they came in the clear"
    NO_KEY = "the profile names no key to open them with"


class SealError(MakulError):
    """The data did not come sealed as they must, so they are not handed over."""

    def __init__(self, flaw: SealFlaw, detail: str, *, request_id: UUID | None = None) -> None:
        super().__init__(
            f"the sealed data are not to be trusted: {flaw.value} ({detail})",
            request_id=request_id,
        )
        self.flaw = flaw


class AnsweredError(MakulError):
    """The service answered, and the answer is not what was asked for. `reasons` tell why."""

    def __init__(
        self, reasons: tuple[Reason, ...], *, request_id: UUID | None, language: Language
    ) -> None:
        message = "; ".join(reason.told(language) for reason in reasons)
        super().__init__(
            message or "no reason was given",
            reasons=reasons,
            request_id=request_id,
            language=language,
        )


class RefusedError(AnsweredError):
    """Decided, and refused."""

    def __init__(
        self,
        reasons: tuple[Reason, ...],
        *,
        request_id: UUID | None,
        language: Language,
        decision: Decision | None = None,
    ) -> None:
        super().__init__(reasons, request_id=request_id, language=language)
        self.decision = decision
        """The decision with its receipt; None for an inquiry, which gets no receipt."""


class NotMatchedError(RefusedError):
    """The person at hand was not found to be the person named (Procedure, cl. 10)."""


class UndeterminedError(RefusedError):
    """It could not be told. That is not a no, and it discloses nothing."""


class FaultError(AnsweredError):
    """The message was not accepted. Nothing was decided, and there is no receipt."""


class RequestFaultError(FaultError):
    """REQ-*: how it was asked."""


class SignatureFaultError(FaultError):
    """SIG-*: the message's signature, or the certificate that made it."""


class RecipientFaultError(FaultError):
    """RCP-*, AGR-*: who asked."""


class ServiceFaultError(FaultError):
    """OPS-*: the service itself."""


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
    """The fault of the family to which the first reason belongs."""
    kind = _FAMILIES.get(reasons[0].code[:3] if reasons else "", FaultError)
    return kind(reasons, request_id=request_id, language=language)

"""The reasons of the service's answers, and what the caller may do about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Language(StrEnum):
    """The languages in which every reason has a text."""

    KY = "ky"
    RU = "ru"
    EN = "en"


class Retry(StrEnum):
    """The advice of a reason to the caller."""

    NO = "N"
    AFTER_FIXING = "F"
    """Correct the cause, then send a new request under a new id."""
    LATER = "L"
    """Repeat the same request later, under the same id."""


ADVICE: Final[Mapping[Retry, Mapping[Language, str]]] = MappingProxyType(
    {
        Retry.NO: {
            Language.KY: "Кайра сурабаңыз: жооп өзгөрбөйт.",
            Language.RU: "Не повторяйте запрос: ответ не изменится.",
            Language.EN: "Do not ask again: the answer will not change.",
        },
        Retry.AFTER_FIXING: {
            Language.KY: "Себебин жоюп, жаңы суроо-талап жөнөтүңүз.",
            Language.RU: "Устраните причину и отправьте новый запрос.",
            Language.EN: "Mend the cause, then send a new request.",
        },
        Retry.LATER: {
            Language.KY: "Ошол эле суроо-талапты кийинчерээк кайталаңыз, номерин өзгөртпөңүз.",
            Language.RU: "Повторите тот же запрос позже, не меняя его номера.",
            Language.EN: "Repeat the same request later, under the same id.",
        },
    }
)
"""The advice as a text for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason of a decision, or of a message that was not accepted."""

    code: str
    """The code, such as `CNS-01`. Each has one meaning. Treat unknown codes by `retry`."""
    because: str | None = None
    """The cause inside a document. A consent with a failed signature is CNS-02 because of SIG-*."""
    clause: str | None = None
    """The clause of the Procedure."""
    side: str | None = None
    """The party that can correct it: R recipient, C citizen, O operator; None if no one must."""
    retry: Retry
    retry_after: int | None = None
    """The minimum wait in seconds."""
    field: str | None = None
    """The name of the element or attribute concerned."""
    texts: Mapping[Language, str]

    def told(self, language: Language) -> str:
        """Return the reason as a line for people: `CNS-02 (SIG-05), cl. 4: text`."""
        because = f" ({self.because})" if self.because else ""
        clause = f", cl. {self.clause}" if self.clause else ""
        field = f" [{self.field}]" if self.field else ""
        return f"{self.code}{because}{clause}: {self.texts[language]}{field}"

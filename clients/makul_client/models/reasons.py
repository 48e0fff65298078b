"""Why the service answered as it did, and what the caller may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Language(StrEnum):
    """The languages in which every reason is told."""

    KY = "ky"
    RU = "ru"
    EN = "en"


class Retry(StrEnum):
    """What the asker may do about a reason."""

    NO = "N"
    AFTER_FIXING = "F"
    """Mend the cause and ask anew, under a new id."""
    LATER = "L"
    """Ask again later, the same request under the same id."""


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
"""What to do, told to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a decision fell as it did, or why a message was not accepted."""

    code: str
    """`CNS-01`: one code, one meaning. New codes may come; treat unknown ones by `retry`."""
    because: str | None = None
    """The cause inside a document: a consent's failed signature is CNS-02 because SIG-*."""
    clause: str | None = None
    """The clause of the Procedure."""
    side: str | None = None
    """Who can mend it: R recipient, C citizen, O operator; None where there is nothing to mend."""
    retry: Retry
    retry_after: int | None = None
    """Seconds."""
    field: str | None = None
    """The element or attribute concerned, by name."""
    texts: Mapping[Language, str]

    def told(self, language: Language) -> str:
        """`CNS-02 (SIG-05), cl. 4: text`, as a person reads it."""
        because = f" ({self.because})" if self.because else ""
        clause = f", cl. {self.clause}" if self.clause else ""
        field = f" [{self.field}]" if self.field else ""
        return f"{self.code}{because}{clause}: {self.texts[language]}{field}"

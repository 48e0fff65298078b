"""The reasons of the service's answers, and what the caller may do about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from makul_client.translation import Language, mark, translate_to

__all__ = ["ADVICE", "Language", "Reason", "Retry"]


class Retry(StrEnum):
    """The advice of a reason to the caller."""

    NO = "N"
    AFTER_FIXING = "F"
    """Correct the cause, then send a new request under a new id."""
    LATER = "L"
    """Repeat the same request later, under the same id."""


ADVICE: Final[Mapping[Retry, str]] = MappingProxyType(
    {
        Retry.NO: mark("Do not repeat the request: the answer will not change."),
        Retry.AFTER_FIXING: mark("Correct the cause, then send a new request."),
        Retry.LATER: mark("Repeat the same request later, under the same id."),
    }
)
"""The advice as a text for people, which `translate` translates."""


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

    def describe(self, language: Language) -> str:
        """Return the reason as a line for people: `CNS-02 (SIG-05), cl. 4: text`."""
        because = f" ({self.because})" if self.because else ""
        clause = translate_to(language, ", cl. {clause}", clause=self.clause) if self.clause else ""
        field = f" [{self.field}]" if self.field else ""
        return f"{self.code}{because}{clause}: {self.texts[language]}{field}"

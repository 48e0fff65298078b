"""Compare recorded decisions with their grounds and agreements, for statements and cases."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from makul.app.ports import MonthDecision, RecordedMonth, StatementDocuments
from makul.domain.agreements import Agreement
from makul.domain.monthly_statements import (
    GroundTerms,
    LineException,
    RecordedAgreement,
    TermsInForce,
    find_denials,
    find_exceptions,
)
from makul.domain.subject_answers import NO_ANSWERS, SubjectAnswers

_REMEMBERED_DOCUMENTS = 256
"""Number of ground documents whose terms are remembered. Only basis statements have many uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDecision:
    """A decision, what it was compared with, and what did not fit."""

    terms: GroundTerms | None
    agreement: RecordedAgreement | None
    exceptions: tuple[LineException, ...]
    answers: SubjectAnswers


class ExceptionFinder:
    """Finds the exceptions of one recipient's decisions in one period."""

    def __init__(
        self,
        documents: StatementDocuments,
        agreements: Collection[Agreement],
        period: RecordedMonth,
    ) -> None:
        self._documents = documents
        self._agreements = {str(each.number): self._history(each, period) for each in agreements}
        self._answers, self._read_at = period.answers, period.read_at
        self._read_terms = lru_cache(maxsize=_REMEMBERED_DOCUMENTS)(documents.read_terms)

    def compare(self, recorded: MonthDecision) -> ComparedDecision:
        """Compare one decision."""
        decision, terms, document = recorded.decision, None, _named_document(recorded)
        if decision.ground_kind is not None and document is not None:
            terms = self._read_terms(decision.ground_kind, document)
        agreement = self._agreements.get(decision.agreement_number or "")
        exceptions = find_exceptions(
            decision,
            recorded.ground,
            terms,
            agreement,
            of_subject=terms is None or recorded.is_about(terms.subject),
        )
        answers = self._answers.get(decision.disclosure_id, NO_ANSWERS)
        return ComparedDecision(
            terms=terms,
            agreement=agreement,
            exceptions=(*exceptions, *find_denials(answers, at=self._read_at)),
            answers=answers,
        )

    def _history(self, agreement: Agreement, period: RecordedMonth) -> RecordedAgreement:
        versions = [
            TermsInForce(terms=terms, begins=each.begins, ends=each.ends)
            for each in period.agreement_versions.get(agreement.number, ())
            if (terms := self._documents.read_agreement_terms(each.document)) is not None
        ]
        return RecordedAgreement(
            agreement=agreement,
            changed_at=period.agreements_changed_at[agreement.number],
            versions=tuple(versions),
        )


def _named_document(recorded: MonthDecision) -> bytes | None:
    """Return the stored document, if it is the one that the decision names."""
    document = recorded.document
    if document is None or sha256(document).digest() != recorded.decision.ground_digest:
        return None
    return document

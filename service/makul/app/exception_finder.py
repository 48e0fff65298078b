"""Compare recorded decisions with their grounds and agreements, for statements and cases."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from makul.app.ports import GroundProofs, MonthContext, MonthDecision, StatementDocuments
from makul.domain.agreements import Agreement
from makul.domain.monthly_statements import (
    ExceptionFact,
    GroundTerms,
    LineException,
    RecordedAgreement,
    TermsInForce,
    find_denials,
    find_exceptions,
)
from makul.domain.necessity import find_unconfirmed_need
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
        proofs: GroundProofs,
        agreements: Collection[Agreement],
        context: MonthContext,
    ) -> None:
        self._documents = documents
        self._context = context
        self._proofs = proofs
        self._agreements = {str(each.number): self._history(each) for each in agreements}
        self._terms: dict[tuple[str, bytes], GroundTerms | None] = {}

    def compare(self, recorded: MonthDecision) -> ComparedDecision:
        """Compare one decision."""
        decision, document = recorded.decision, recorded.document
        kind, digest = decision.ground_kind, decision.ground_digest
        terms, proof_fault = None, None
        if kind and digest and document and sha256(document).digest() == digest:
            terms = self._read_terms(kind, document, digest)
            if terms is not None:
                fault = self._proofs.find_fault(recorded.report, document, digest)
                proof_fault = None if fault is None else ExceptionFact(fault)
        agreement = self._agreements.get(decision.agreement_number or "")
        exceptions = find_exceptions(
            decision,
            recorded.ground,
            terms,
            agreement,
            of_subject=terms is None or recorded.is_about(terms.subject),
            proof_fault=proof_fault,
        )
        answers = self._context.answers.get(decision.disclosure_id, NO_ANSWERS)
        return ComparedDecision(
            terms=terms,
            agreement=agreement,
            exceptions=(
                *exceptions,
                *find_unconfirmed_need(terms),
                *find_denials(answers, at=self._context.read_at),
            ),
            answers=answers,
        )

    def _read_terms(self, kind: str, document: bytes, digest: bytes) -> GroundTerms | None:
        key = (kind, digest)
        if key not in self._terms:
            if len(self._terms) >= _REMEMBERED_DOCUMENTS:
                self._terms.clear()
            self._terms[key] = self._documents.read_terms(kind, document)
        return self._terms[key]

    def _history(self, agreement: Agreement) -> RecordedAgreement:
        in_force = [
            TermsInForce(terms=terms, begins=each.begins, ends=each.ends)
            for each in self._context.agreement_versions.get(agreement.number, ())
            if (terms := self._documents.read_agreement_terms(each.document)) is not None
        ]
        return RecordedAgreement(
            agreement=agreement,
            changed_at=self._context.agreements_changed_at[agreement.number],
            versions=tuple(in_force),
        )

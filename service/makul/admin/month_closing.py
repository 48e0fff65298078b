"""The operator's part in closing a month: issue statements, list states, answer lines (cl. 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from makul.admin.errors import OperatorError
from makul.admin.month_sample import MonthSample, draw_sample
from makul.admin.month_verification import load_signers_from_settings, verify_statement
from makul.app.monthly_statements import MAX_HEAD_BYTES
from makul.app.ports import Clock, OperatorRegistry
from makul.app.ports.month_questions import MonthQuestions
from makul.config.settings import Settings
from makul.documents.agreements import content_digest
from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import ContestedLine, IssuedMonth, MonthState
from makul.domain.months import Month
from makul.domain.oversight_cases import CaseProposal, propose_from_month
from makul.language.translation import translate
from makul.net.files import read_bounded
from makul.store.reads.statement_files import HEAD_NAME, statement_directory
from makul.trust.xades.operator_signature import verify_operator_signature


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuableMonth:
    """A written statement as it would be issued now."""

    issued: IssuedMonth
    head: bytes
    proposal: CaseProposal | None
    """The case that the exceptions of the month propose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCloser:
    """Issues the statements of an installation and reads how far their months are closed."""

    settings: Settings
    registry: OperatorRegistry
    questions: MonthQuestions
    clock: Clock

    def directory(self) -> Path:
        """Return the directory of issued statements. Raises `OperatorError` if none is set."""
        if self.settings.months.directory is None:
            raise OperatorError(
                translate("name the directory of statements in the settings first: [months]")
            )
        return self.settings.months.directory

    def read(self, month: Month, recipient: MemberCode) -> IssuableMonth:
        """Return a written statement as it would be issued now.

        The statement is verified with all its pages. Raises `OperatorError` and `FileError`.
        """
        base = self.directory()
        file = statement_directory(base, month, recipient, draft=False) / HEAD_NAME
        signers = load_signers_from_settings(self.settings)
        statement = verify_statement(file, signers)
        head = read_bounded(file, MAX_HEAD_BYTES)
        # The bytes are verified again, because the file may have changed since.
        signed = verify_operator_signature(head, signers)
        if (statement.month, statement.recipient, statement.draft) != (month, recipient, False):
            raise OperatorError(
                translate(
                    "{file}: it is not the statement of {month} for {recipient}",
                    file=file,
                    month=month,
                    recipient=recipient,
                )
            )
        at = self.clock()
        issued = IssuedMonth(
            recipient=recipient,
            month=month,
            state=MonthState.ISSUED,
            head=sha256(head).digest(),
            content=content_digest(signed),
            issued_at=at,
            confirm_by=at + self.term,
        )
        proposal = propose_from_month(recipient, month, statement.totals.exceptions)
        return IssuableMonth(issued=issued, head=head, proposal=proposal)

    @property
    def term(self) -> timedelta:
        """The term in which recipients confirm or contest."""
        return self.settings.months.term

    def draw(self, month: Month, recipient: MemberCode, config: Path, *, size: int) -> MonthSample:
        """Return the sample of an issued month. Raises `OperatorError` and `FileError`."""
        issued = [each for each in self.states(month) if each.recipient == recipient]
        if not issued:
            raise OperatorError(
                translate("this month was not issued yet; see: makul month issue --help")
            )
        found = self.read(month, recipient).issued
        if found.head != issued[0].head:
            raise OperatorError(translate("the files are not those of the issued statement"))
        file = statement_directory(self.directory(), month, recipient, draft=False) / HEAD_NAME
        return draw_sample(config, file, (), size=size)

    def answer_by(self) -> datetime:
        """Return the last time of an answer to a question that is asked now."""
        notifications = self.settings.notifications
        if notifications is None:
            raise OperatorError(
                translate("[notifications] is not set: name link_prefix and a channel in it")
            )
        return self.clock() + notifications.answer_term

    def states(self, month: Month | None) -> Sequence[IssuedMonth]:
        """Return the issued months, by month and recipient."""
        return self.registry.issued_months(month)

    def contested(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month."""
        return self.registry.contested_lines(recipient, month)

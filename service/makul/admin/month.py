"""The act of building monthly statements, as files in a directory (Procedure, cl. 11)."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.admin.month_verification import (
    HEAD_NAME,
    page_name,
    signers_of,
    verify_head,
    verify_head_bytes,
    verify_statement,
)
from makul.app.monthly_statements import (
    StatementBuilder,
    StatementRequest,
    UnbuildableStatementError,
    UnpublishedDecisionError,
)
from makul.app.ports import Clock, OperatorRegistry
from makul.app.ports.ledger import LedgerBrokenError
from makul.app.sequencer import read_published
from makul.composition.adapters import receipt_signer
from makul.config.settings import Settings
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import MonthlyStatement
from makul.domain.months import Month
from makul.domain.recipients import Recipient
from makul.language.translation import translate
from makul.net.files import FileError, create_file, make_directories, sync_directory
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteVerifier, public_part

SETTLING_TIME = timedelta(minutes=10)
"""Time after the end of a month before its statement is built.

A decision of the last second is recorded when its request ends, and gets its leaf index later.
"""


class StatementState(StrEnum):
    """The result of building a statement."""

    BUILT = "BUILT"
    UNCHANGED = "UNCHANGED"
    """An equal statement exists already. It stays as it is."""
    DIFFERS = "DIFFERS"
    """Another statement exists already. It stays as it is, and an operator must find out why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltStatement:
    """A statement that was built, and where it is."""

    state: StatementState
    statement: MonthlyStatement
    file: Path


def statement_directory(base: Path, month: Month, recipient: MemberCode, *, draft: bool) -> Path:
    """Return the directory of a statement: BASE/2026-10/COM-60000001."""
    name = f"{month}-draft" if draft else f"{month}"
    return base / name / recipient.replace("/", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPublisher:
    """Builds and shows the statements of an installation."""

    settings: Settings
    registry: OperatorRegistry
    clock: Clock

    def count_decisions(self, month: Month) -> dict[MemberCode, int]:
        """Return the number of decisions of each recipient in a month, for the progress bar."""
        counts: dict[MemberCode, int] = {}
        for each in self.registry.statistics(month):
            counts[each.recipient] = counts.get(each.recipient, 0) + each.decisions
        return counts

    def require_ended(self, month: Month) -> None:
        """Raise `OperatorError` unless the month has ended and its last decisions are recorded."""
        if self.clock() < month.ends + SETTLING_TIME:
            raise OperatorError(
                translate(
                    "{month} has not ended; wait until ten minutes after its end, or give --draft",
                    month=month,
                )
            )

    def build(
        self,
        month: Month,
        recipient: Recipient,
        base: Path,
        *,
        draft: bool,
        report: Callable[[int], None],
    ) -> BuiltStatement:
        """Build one statement below `base`. A statement that exists is never replaced.

        Raises `OperatorError`.
        """
        if not draft:
            self.require_ended(month)
        final = statement_directory(base, month, recipient.code, draft=draft)
        try:
            with _staging(final) as staging:
                statement = self._write(month, recipient, staging, draft=draft, report=report)
                state = self._publish(statement, staging, final)
        except OSError as error:
            raise OperatorError(
                translate(
                    "cannot write {directory}: {cause}", directory=final, cause=error.strerror
                )
            ) from None
        return BuiltStatement(state=state, statement=statement, file=final / HEAD_NAME)

    def _write(
        self,
        month: Month,
        recipient: Recipient,
        staging: Path,
        *,
        draft: bool,
        report: Callable[[int], None],
    ) -> MonthlyStatement:
        with as_operator_error():
            builder = StatementBuilder(
                documents=XmlStatementDocuments(),
                signer=receipt_signer(self.settings.receipts),
                operator=self.settings.operator_code,
            )
        checkpoint, tree_size = self._published_checkpoint()
        at = self.clock().replace(microsecond=0)
        request = StatementRequest(
            month=month,
            recipient=recipient,
            agreements=self.registry.agreements(recipient.code),
            draft=draft,
            checkpoint=checkpoint,
            tree_size=tree_size,
        )
        recorded = self.registry.read_month(month, recipient.code, draft=draft, at=at)
        try:
            with as_operator_error():
                statement, signed = builder.build(
                    request,
                    recorded,
                    write_page=lambda number, page: create_file(staging / page_name(number), page),
                    report=report,
                    at=at,
                )
        except UnbuildableStatementError as error:
            raise _unbuildable(month, recipient.code, error) from None
        if verify_head_bytes(Path(HEAD_NAME), signed, self._signers()) != statement:
            raise OperatorError(
                translate("{recipient}: its statement does not read back", recipient=recipient.code)
            )
        create_file(staging / HEAD_NAME, signed)
        return statement

    def _signers(self) -> frozenset[bytes]:
        with as_operator_error():
            return frozenset(signers_of(self.settings))

    def _published_checkpoint(self) -> tuple[bytes, int]:
        ledger = self.settings.ledger
        if ledger is None:
            raise OperatorUnavailableError(
                translate("[ledger] is not set: name origin, key and publish in it")
            )
        try:
            with as_operator_error():
                note = LogDirectory(ledger.publish).checkpoint()
                verifier = NoteVerifier.load(public_part(ledger.key), ledger.origin)
            if note is None:
                raise OperatorUnavailableError(
                    translate("there is no checkpoint yet; run: makul ledger run")
                )
            return note, read_published(note, verifier, ledger.origin).size
        except LedgerBrokenError as error:
            raise OperatorError(f"{ledger.publish}: {error}") from None

    def _publish(self, statement: MonthlyStatement, staging: Path, final: Path) -> StatementState:
        """Give the statement its name, unless one exists that is not a draft."""
        if statement.draft:
            _remove_draft(final)
        elif os.path.lexists(final):
            same = self._is_equal(statement, final / HEAD_NAME)
            return StatementState.UNCHANGED if same else StatementState.DIFFERS
        staging.rename(final)
        sync_directory(final.parent)
        return StatementState.BUILT

    def _is_equal(self, statement: MonthlyStatement, file: Path) -> bool:
        """Return whether a written statement differs only in its time, signature and checkpoint."""
        try:
            written = verify_statement(file, self._signers())
        except (FileError, OperatorError):
            return False
        return statement == replace(
            written, built_at=statement.built_at, checkpoint=statement.checkpoint
        )

    def show(
        self, month: Month, recipient: MemberCode, base: Path, *, draft: bool
    ) -> BuiltStatement:
        """Return a written statement whose head verifies. Raises `OperatorError`, `FileError`."""
        file = statement_directory(base, month, recipient, draft=draft) / HEAD_NAME
        statement = verify_head(file, self._signers())
        return BuiltStatement(state=StatementState.UNCHANGED, statement=statement, file=file)


def _unbuildable(
    month: Month, recipient: MemberCode, error: UnbuildableStatementError
) -> OperatorError:
    if isinstance(error, UnpublishedDecisionError):
        return OperatorError(
            translate(
                "{recipient}: decisions of {month} are not in the published log yet; run: makul"
                " ledger run",
                recipient=recipient,
                month=month,
            )
        )
    return OperatorError(
        translate(
            "{recipient}: {month} does not fit one statement", recipient=recipient, month=month
        )
    )


@contextmanager
def _staging(final: Path) -> Iterator[Path]:
    """Make a directory beside the final one; what remains of it at the end is removed."""
    for directory in make_directories(final.parent, mode=0o750):
        sync_directory(directory)
    staging = final.with_name(f".{final.name}.{secrets.token_hex(8)}.new")
    staging.mkdir(mode=0o750)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _remove_draft(directory: Path) -> None:
    """Remove a former draft. Only files that a build wrote are removed."""
    if directory.is_symlink() or not directory.is_dir():
        return
    for file in (directory / HEAD_NAME, *directory.glob("page-*.xml")):
        file.unlink(missing_ok=True)
    directory.rmdir()

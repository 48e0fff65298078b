"""The act of building monthly statements, as files in a directory (Procedure, cl. 11)."""

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from makul.admin.error_handling import as_operator_error
from makul.admin.errors import MissingStatementError, OperatorError
from makul.admin.log_checkpoint import read_published_log
from makul.admin.month_pages import ChangedMonthError, StatementWork, build_pages
from makul.admin.month_verification import (
    load_signers_from_settings,
    verify_head,
    verify_statement,
)
from makul.app.monthly_statements import StatementBuilder
from makul.app.ports import Clock, OperatorRegistry
from makul.app.statement_pages import (
    StatementRequest,
    UnbuildableStatementError,
    UnpublishedDecisionError,
)
from makul.composition.adapters import receipt_signer
from makul.config.settings import Settings
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import MonthlyStatement
from makul.domain.months import Month
from makul.domain.recipients import Recipient
from makul.language.translation import current_language, mark, translate, translate_cause
from makul.net.files import FileError, create_file, make_directories, sync_directory
from makul.store.reads.statement_files import HEAD_NAME, statement_directory

SETTLING_TIME = timedelta(minutes=10)
"""Time after the end of a month before its statement is built.

A decision of the last second is recorded when its request ends, and gets its leaf index later.
"""

_WRITTEN = re.compile(r"statement\.xml|page-[0-9]{3}\.xml", re.ASCII)


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
            with _stage_directory(final) as staging:
                statement = self._write(month, recipient, staging, draft=draft, report=report)
                state = self._publish(statement, staging, final)
        except OSError as error:
            raise OperatorError(
                translate(
                    "cannot write {directory}: {cause}",
                    directory=final,
                    cause=translate_cause(error.strerror),
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
        published = read_published_log(self.settings)
        at = self.clock().replace(microsecond=0)
        request = StatementRequest(
            month=month,
            recipient=recipient,
            agreements=self.registry.agreements(recipient.code),
            draft=draft,
            checkpoint=published.note,
            tree_size=published.checkpoint.size,
        )
        try:
            with (
                as_operator_error(),
                self.registry.read_month(month, recipient.code, draft=draft, at=at) as recorded,
            ):
                work = StatementWork(
                    settings=self.settings,
                    request=request,
                    context=recorded.context,
                    staging=staging,
                    language=current_language(),
                )
                statement, signed = builder.build(
                    request,
                    recorded,
                    build_pages=lambda pages: build_pages(work, pages, recorded.read_page),
                    report=report,
                    at=at,
                )
        except UnbuildableStatementError as error:
            raise _unbuildable(month, recipient.code, error) from None
        create_file(staging / HEAD_NAME, signed)
        self._require_readable(statement, staging / HEAD_NAME)
        return statement

    def _require_readable(self, statement: MonthlyStatement, file: Path) -> None:
        """Verify a head, as its reader will, before the statement gets its name.

        The pages were verified when they were written, and the totals are those that were counted
        then.
        """
        try:
            if verify_head(file, self._signers()) == statement:
                return
            cause = translate("{file}: another statement was read", file=file)
        except FileError as error:
            cause = str(error)
        except OperatorError as error:
            if type(error) is not OperatorError:
                raise
            cause = str(error)
        raise OperatorError(
            translate(
                "{recipient}: its statement does not read back: {cause}",
                recipient=statement.recipient,
                cause=cause,
            )
        )

    def _signers(self) -> frozenset[bytes]:
        with as_operator_error():
            return frozenset(load_signers_from_settings(self.settings))

    def _publish(self, statement: MonthlyStatement, staging: Path, final: Path) -> StatementState:
        """Give the statement its name, unless one exists that is not a draft."""
        if statement.draft:
            _remove_draft(final)
        if not os.path.lexists(final) and _rename(staging, final):
            return StatementState.BUILT
        same = self._is_equal(statement, final / HEAD_NAME)
        return StatementState.UNCHANGED if same else StatementState.DIFFERS

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
        """Return a written statement whose head verifies, and is what was asked for.

        Raises `MissingStatementError` if the month has statements but not this one, and
        `OperatorError` and `FileError`.
        """
        directory = statement_directory(base, month, recipient, draft=draft)
        if directory.parent.is_dir() and not os.path.lexists(directory):
            raise MissingStatementError(
                translate(
                    "{recipient}: there is no statement in {directory}",
                    recipient=recipient,
                    directory=directory,
                )
            )
        file = directory / HEAD_NAME
        statement = verify_head(file, self._signers())
        if (statement.month, statement.recipient, statement.draft) != (month, recipient, draft):
            raise _mistaken(file, statement)
        return BuiltStatement(state=StatementState.UNCHANGED, statement=statement, file=file)


def _mistaken(file: Path, statement: MonthlyStatement) -> OperatorError:
    is_what = (
        mark("{file}: not what was asked, but a draft of {month} for {recipient}")
        if statement.draft
        else mark("{file}: not what was asked, but the statement of {month} for {recipient}")
    )
    return OperatorError(
        translate(is_what, file=file, month=statement.month, recipient=statement.recipient)
    )


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
    if isinstance(error, ChangedMonthError):
        return OperatorError(
            translate(
                "{recipient}: decisions of {month} were recorded while its statement was built; run"
                " the command again",
                recipient=recipient,
                month=month,
            )
        )
    return OperatorError(
        translate(
            "{recipient}: {month} does not fit one statement: {cause}",
            recipient=recipient,
            month=month,
            cause=error,
        )
    )


@contextmanager
def _stage_directory(final: Path) -> Iterator[Path]:
    """Make a directory beside the final one; what remains of it at the end is removed."""
    for directory in make_directories(final.parent, mode=0o750):
        sync_directory(directory)
    _remove_abandoned(final)
    staging = final.with_name(f".{final.name}.{secrets.token_hex(8)}.new")
    staging.mkdir(mode=0o750)
    try:
        with _lock_directory(staging):
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _rename(staging: Path, final: Path) -> bool:
    """Give a directory its name; return False if another build has given it meanwhile."""
    try:
        staging.rename(final)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    sync_directory(final.parent)
    return True


@contextmanager
def _lock_directory(directory: Path) -> Iterator[None]:
    """Lock a directory until the block ends. The system releases the lock of a killed process.

    Raises `BlockingIOError` if another process holds it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(final: Path) -> None:
    """Remove what builds of this statement left behind when they were killed.

    A build that still runs holds the lock of its directory, which stays.
    """
    abandoned = re.compile(rf"\.{re.escape(final.name)}\.[0-9a-f]{{16}}\.new", re.ASCII)
    for path in list(final.parent.iterdir()):
        if abandoned.fullmatch(path.name):
            with suppress(BlockingIOError), _lock_directory(path):
                _remove_tree(path)


def _remove_tree(directory: Path) -> None:
    """Remove a directory. A process of a killed build may still write its last page there.

    What it wrote is removed by the next build.
    """
    try:
        shutil.rmtree(directory)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.ENOENT}:
            raise


def _remove_draft(directory: Path) -> None:
    """Remove a former draft. If another file lies beside it, nothing is removed.

    Raises `OperatorError`.
    """
    if directory.is_symlink() or not directory.is_dir():
        return
    files = sorted(directory.iterdir())
    for file in files:
        if _WRITTEN.fullmatch(file.name) is None or not (file.is_symlink() or file.is_file()):
            raise OperatorError(
                translate("{file}: not written by a build; move it away first", file=file)
            )
    for file in files:
        file.unlink()
    directory.rmdir()

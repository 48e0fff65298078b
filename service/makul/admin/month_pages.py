"""The pages of a monthly statement: built, written, and read back as their reader will.

A page is independent of the others. A long month is therefore shared by several processes, each
with its own connection to the store. They read the same rows: the record is only added to, and a
decision that is not in the tree of the named checkpoint stops the build.
"""

import copyreg
import gc
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

from makul.admin.error_handling import open_store_for
from makul.admin.errors import OperatorUnavailableError
from makul.admin.month_verification import verify_page
from makul.app.ports import MonthContext, MonthDecision, PageRange
from makul.app.statement_pages import (
    BuiltPage,
    PageBuilder,
    StatementRequest,
    UnbuildableStatementError,
)
from makul.composition.adapters import ground_proofs
from makul.config.settings import Settings
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.monthly_statements import PageReference
from makul.language.translation import Language, translate, use_language
from makul.net.files import create_file
from makul.store.reads.statement_files import HEAD_NAME, page_name

SHARED_FROM_PAGES = 3
"""A month with fewer pages is built by one process: another takes a second to begin."""

MAX_PROCESSES = 8
"""Each reads the trust material and holds a page, some 150 MB."""


def _read_only(content: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(content)


# Agreements have read-only mappings, which pickle does not know.
copyreg.pickle(MappingProxyType, lambda proxy: (_read_only, (dict(proxy),)))


class ChangedMonthError(UnbuildableStatementError):
    """Decisions of the month were recorded while its pages were built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementWork:
    """What a process needs to build pages of a statement. It can be sent to another process."""

    settings: Settings
    request: StatementRequest
    context: MonthContext
    staging: Path
    """The directory in which pages are written."""
    language: Language

    def page_writer(self, read: Callable[[PageRange], Iterator[MonthDecision]]) -> "PageWriter":
        """Return the writer of pages for one process. Raises `TrustStoreError`."""
        builder = PageBuilder(
            XmlStatementDocuments(),
            ground_proofs(self.settings),
            self.request,
            self.context,
        )
        return PageWriter(self, builder, read)


@dataclass(frozen=True, slots=True)
class PageWriter:
    """Builds pages and writes them to the staging directory."""

    work: StatementWork
    builder: PageBuilder
    read: Callable[[PageRange], Iterator[MonthDecision]]

    def write(self, page: PageRange) -> BuiltPage:
        """Build one page, write it, and verify it as its reader will.

        Raises `UnbuildableStatementError`, `OperatorError` and `OSError`.
        """
        with _without_collector():
            return self._write(page)

    def _write(self, page: PageRange) -> BuiltPage:
        content, counts = self.builder.build(page, self.read(page))
        lines = counts.lines.lines
        if lines != page.lines:
            raise ChangedMonthError("decisions were recorded while the month was read")
        create_file(self.work.staging / page_name(page.number), content)
        reference = PageReference(number=page.number, lines=lines, digest=sha256(content).digest())
        del content
        head, request = self.work.staging / HEAD_NAME, self.work.request
        verify_page(head, request.month, request.recipient.code, reference, counts.lines)
        return BuiltPage(reference=reference, counts=counts)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Suspend the garbage collector: it would search the objects of a page again and again.

    They have no cycles. It took a fifth of the time (measured 2026-12-01).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def build_pages(
    work: StatementWork,
    pages: Iterable[PageRange],
    read: Callable[[PageRange], Iterator[MonthDecision]],
) -> Iterator[BuiltPage]:
    """Build all pages, in order: here with `read`, or in other processes if there are many.

    A draft may change while it is read, so it is always read here, from one snapshot.
    """
    remaining = iter(pages)
    first = tuple(islice(remaining, SHARED_FROM_PAGES))
    processes = min(len(os.sched_getaffinity(0)), MAX_PROCESSES)
    everything = chain(first, remaining)
    if work.request.draft or len(first) < SHARED_FROM_PAGES or processes < 2:
        writer = work.page_writer(read)
        return map(writer.write, everything)
    return _share(work, everything, processes)


@dataclass(slots=True)
class _Worker:
    """Another process, and the end of the pipe to it."""

    process: BaseProcess
    connection: Connection

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _share(work: StatementWork, pages: Iterable[PageRange], processes: int) -> Iterator[BuiltPage]:
    """Give each process one page after another, and yield what they built in order."""
    remaining, built, expected = iter(pages), dict[int, BuiltPage](), 1
    with ExitStack() as stack:
        workers: list[_Worker] = []
        for _ in range(processes):
            workers.append(_start(work))
            stack.callback(workers[-1].stop)
        busy = [each for each in workers if _give(each, remaining)]
        while busy:
            ready = wait([each.connection for each in busy])
            for worker in [each for each in busy if each.connection in ready]:
                page = _receive(worker)
                built[page.reference.number] = page
                if not _give(worker, remaining):
                    busy.remove(worker)
            while expected in built:
                yield built.pop(expected)
                expected += 1


def _start(work: StatementWork) -> _Worker:
    # A forked process would inherit the threads' locks and the connections of the store.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _give(worker: _Worker, pages: Iterator[PageRange]) -> bool:
    """Send the next page to a process; return False if there is none."""
    page = next(pages, None)
    if page is not None:
        with suppress(OSError):  # the process has ended, which `_receive` reports
            worker.connection.send(page)
    return page is not None


def _receive(worker: _Worker) -> BuiltPage:
    try:
        answer = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        raise OperatorUnavailableError(
            translate(
                "a process that built pages ended unexpectedly (exit code {code}). Run the"
                " command again",
                code=worker.process.exitcode,
            )
        ) from None
    if isinstance(answer, BuiltPage):
        return answer
    raise answer


def _serve(connection: Connection, work: StatementWork) -> None:
    """Build the pages that arrive, until the other end of the pipe is closed.

    It is also closed when the parent is killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends this process
    with suppress(EOFError, OSError), use_language(work.language):
        try:
            with closing(open_store_for(work.settings, mapped=True)) as store:
                reader = store.month_reader(work.request.recipient.code)
                writer = work.page_writer(reader.read_page)
                while True:
                    page = connection.recv()
                    connection.send(writer.write(page))
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the parent raises it
            connection.send(error)

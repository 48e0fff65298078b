"""The check of a month: the operator's statement, its log, and the receipts that were kept.

The whole statement is verified before anything of it is returned: a line of an unverified page is
compared, and the result is dropped if a later page has a flaw. Memory holds one page at a time.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from makul_client._internal.files import MAX_DOCUMENT, UnreadableFileError, read_bounded
from makul_client.errors import (
    MakulError,
    ReceiptError,
    ReceiptFlaw,
    StatementError,
    StatementFlaw,
)
from makul_client.models.months import (
    CheckpointProof,
    Difference,
    DifferenceKind,
    IssuedStatement,
    MonthCheck,
    StatementLine,
    month_bounds,
    month_of,
)
from makul_client.models.response import Inclusion, Receipt
from makul_client.months.comparison import compare_line, not_listed
from makul_client.months.decision_set import DecisionSet
from makul_client.months.line_counts import DISCLOSING, LineCounts
from makul_client.months.statement_page import read_page
from makul_client.receipts.directory import ReceiptDirectory
from makul_client.receipts.receipt_reader import read_receipt_unsafe
from makul_client.receipts.verifier import ReceiptVerifier
from makul_client.translation import translate
from makul_client.transparency.verifier import LedgerVerifier, ReceiptState

MAX_DIFFERENCES: Final = 1000
"""The maximum number of differences of one kind that are returned, as many as one act contests."""
MAX_UNUSABLE: Final = 100
"""The maximum number of unusable files that are returned."""
DECISIONS: Final = frozenset(
    {"VerifyPerson", "GetPersonData", "ExplainDecision", "RegisterConsent", "RevokeConsent"}
)
"""The operations whose decisions are lines of a statement. Acts are not."""
SAMPLE: Final = 20
"""The number of receipts whose proof in the log is verified, unless the caller names another."""


class StatementSource(Protocol):
    """The service, as far as a check reads from it."""

    def page(self, month: str, number: int) -> bytes:
        """Return the bytes of a page, not verified."""

    def inclusion(self, of_request: UUID) -> tuple[Receipt, Inclusion | None]:
        """Return the verified receipt of a request, and its proof in the log, not verified."""


class MonthChecker:
    """The check of one statement. Use it once."""

    def __init__(
        self,
        issued: IssuedStatement,
        *,
        source: StatementSource,
        receipts: ReceiptVerifier,
        kept: ReceiptDirectory,
        ledger: LedgerVerifier | None,
        at: datetime,
        report: Callable[[int], None],
    ) -> None:
        self._issued = issued
        self._statement = issued.statement
        self._source = source
        self._receipts = receipts
        self._kept = kept
        self._ledger = ledger
        self._at = at
        self._report = report
        self._contested: Collection[UUID] = ()
        self._matched = 0
        self._counts = Counter(dict.fromkeys(DifferenceKind, 0))
        self._differences: list[Difference] = []
        self._unusable: list[tuple[str, str]] = []
        self._unusable_files = 0
        self._refusals: Counter[str] = Counter()
        self._sample: list[Receipt] = []

    def check(
        self, *, sample: int = SAMPLE, contested: Collection[UUID] = frozenset()
    ) -> MonthCheck:
        """Return the comparison. `sample` is how many kept receipts are proved in the log.

        The differences of the decisions in `contested` are returned in any case.
        Raises `StatementError`, `LedgerError`, and the errors of the source.
        """
        self._contested = contested
        checkpoint = self._check_checkpoint()
        counts = LineCounts()
        with DecisionSet() as seen:
            for line in self._lines():
                if not seen.add(line.disclosure_id):
                    raise StatementError(StatementFlaw.REPEATED)
                counts.add(line)
                self._compare(line, sample)
            if not counts.are_those_of(self._statement):
                raise StatementError(StatementFlaw.TOTALS)
            self._find_unlisted(seen)
        proved, unproved = self._prove_sample()
        return MonthCheck(
            issued=self._issued,
            matched=self._matched,
            counts=dict(self._counts),
            differences=tuple(self._differences),
            unusable=tuple(self._unusable),
            unusable_files=self._unusable_files,
            refusals_differ=self._differing_refusals(),
            checkpoint=checkpoint,
            proved=proved,
            unproved=unproved,
        )

    def _check_checkpoint(self) -> CheckpointProof | None:
        if self._ledger is None:
            return None
        return self._ledger.verify_checkpoint(
            self._statement.checkpoint, made_at=self._statement.built_at, at=self._at
        )

    def _lines(self) -> Iterator[StatementLine]:
        """Yield the lines of all pages, each of the month and after the line before it."""
        begins, ends = month_bounds(self._statement.month)
        last: tuple[datetime, bytes] | None = None
        for reference in self._statement.pages:
            content = self._source.page(self._statement.month, reference.number)
            for line in read_page(content, self._statement, reference):
                place = (line.decided_at, line.disclosure_id.bytes)
                if not begins <= line.decided_at < ends or (last is not None and place <= last):
                    page = translate("page {number}", number=reference.number)
                    raise StatementError(StatementFlaw.ORDER, page)
                last = place
                yield line
            self._report(reference.lines)

    def _compare(self, line: StatementLine, sample: int) -> None:
        try:
            documents = self._kept.read(self._statement.month, line.disclosure_id)
        except MakulError as error:
            self._add_unusable(f"{line.disclosure_id}.xml", str(error))
            documents = ()
        read = (self._usable(document, line) for document in documents)
        kept = [receipt for receipt in read if receipt is not None]
        difference = compare_line(line, kept)
        if difference is not None:
            self._add(difference)
            return
        self._matched += 1
        receipt = kept[0]
        if receipt.outcome not in DISCLOSING:
            self._refusals.update({reason.code for reason in receipt.reasons})
        self._choose(receipt, sample)

    def _usable(self, document: bytes, line: StatementLine) -> Receipt | None:
        """Return a kept receipt of a line; None if the file is no receipt of the operator.

        Bytes with the digest of the line are the operator's: the signed head names the page, and
        the page names the digest. The signature of other bytes is verified, because a difference is
        shown only between two statements of the operator.
        """
        try:
            read = read_receipt_unsafe(document)
            if compare_line(line, [read]) is None:
                return read
            return self._verify(document)
        except ReceiptError as error:
            self._add_unusable(f"{line.disclosure_id}.xml", str(error))
            return None

    def _verify(self, document: bytes) -> Receipt:
        """Return a kept receipt. Raises `ReceiptError` unless it is of this recipient."""
        receipt = self._receipts.verify_kept(document, at=self._at)
        if receipt.recipient != self._statement.recipient:
            raise ReceiptError(ReceiptFlaw.REQUEST, translate("its recipient is another"))
        if receipt.operation not in DECISIONS:
            raise ReceiptError(ReceiptFlaw.REQUEST, translate("it is not of a decision"))
        return receipt

    def _find_unlisted(self, seen: DecisionSet) -> None:
        """Find the kept receipts of the month that the statement does not have."""
        for file, receipt_id in self._kept.files_of(self._statement.month):
            if receipt_id is not None and receipt_id in seen:
                continue  # it was compared with its line
            try:
                receipt = self._verify(read_bounded(file, MAX_DOCUMENT))
            except (ReceiptError, UnreadableFileError, FileNotFoundError) as error:
                self._add_unusable(file.name, str(error))
                continue
            if receipt_id != receipt.receipt_id:
                self._add_unusable(file.name, translate("its name is not the id of the receipt"))
            elif month_of(receipt.decided_at) != self._statement.month:
                self._add_unusable(file.name, translate("its month is another"))
            elif seen.add(receipt.receipt_id):
                self._add(not_listed(receipt))

    def _choose(self, receipt: Receipt, sample: int) -> None:
        """Choose receipts to prove in the log, at random, so that the operator cannot foresee them.

        Each receipt is equally probable (reservoir sampling).
        """
        if len(self._sample) < sample:
            self._sample.append(receipt)
        elif sample and (at := secrets.randbelow(self._matched)) < sample:
            self._sample[at] = receipt

    def _prove_sample(self) -> tuple[int, int]:
        """Verify the proofs of the chosen receipts; return how many are proved and how many not."""
        if self._ledger is None:
            return 0, 0
        states: Counter[ReceiptState] = Counter()
        for receipt in self._sample:
            found, inclusion = self._source.inclusion(receipt.request_id)
            if found.receipt_id != receipt.receipt_id:  # a later decision about the same request
                states[ReceiptState.PENDING] += 1
                continue
            states[self._ledger.prove(receipt, inclusion, at=self._at).state] += 1
        return states[ReceiptState.PROVED], states[ReceiptState.PENDING]

    def _differing_refusals(self) -> tuple[str, ...]:
        """Return the codes of refusals whose total is not that of the receipts.

        Only receipts have the reasons. So this is compared only if each line has its receipt.
        """
        stated = self._statement.totals["refusalTotal"]
        if self._matched != self._statement.lines:
            return ()
        codes = sorted({*stated, *self._refusals})
        return tuple(code for code in codes if stated.get(code, 0) != self._refusals[code])

    def _add(self, difference: Difference) -> None:
        self._counts[difference.kind] += 1
        is_wanted = difference.disclosure_id in self._contested
        if is_wanted or self._counts[difference.kind] <= MAX_DIFFERENCES:
            self._differences.append(difference)

    def _add_unusable(self, name: str, cause: str) -> None:
        self._unusable_files += 1
        if self._unusable_files <= MAX_UNUSABLE:
            self._unusable.append((name, cause))

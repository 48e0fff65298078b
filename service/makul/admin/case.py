"""The act of building the evidence file of a case (Procedure, cl. 12)."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from makul.admin.case_verification import trust_of_settings, verify_case
from makul.admin.error_handling import as_operator_error
from makul.admin.errors import MissingStatementError, OperatorError
from makul.admin.log_checkpoint import PublishedCheckpoint, read_published_log
from makul.admin.month_verification import load_signers_from_settings, verify_statement
from makul.app.cases import (
    CaseBuilder,
    CaseCounts,
    CaseRequest,
    UnpublishedRecordError,
    count_case,
)
from makul.app.ports import Clock, OperatorRegistry
from makul.app.ports.cases import RecordedCase
from makul.composition.adapters import ground_proofs, receipt_key, signature_prolongation
from makul.config.settings import Settings
from makul.documents.cases import XmlCaseDocuments
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.cases import Case, CasePeriod, CaseScope
from makul.domain.months import Month
from makul.domain.oversight_cases import PART_BYTES, CaseState, EvidenceFile, OversightCase
from makul.domain.recipients import Recipient
from makul.language.translation import translate, translate_cause
from makul.ledger.tile_proofs import ReadTile, TileTree
from makul.net.files import make_directories, open_regular, sync_directory
from makul.store.reads.evidence_files import evidence_name
from makul.store.reads.statement_files import HEAD_NAME, page_name, statement_directory
from makul.trust.containers.asice_writer import AsiceWriter, blocks_of
from makul.trust.containers.findings import ContainerFailure
from makul.trust.containers.long_term import SignatureLevel
from makul.trust.revocation.archive import Archive

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PROOFS_AT_ONCE = 1000
"""Number of proofs after which the tiles that were read are forgotten: at most some 30 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOptions:
    """What goes into a case, as the operator gave it."""

    recipient: Recipient
    period: CasePeriod
    scope: CaseScope
    reason: str
    months: Path | None = None
    """The directory of monthly statements to be included."""
    case_id: UUID = field(default_factory=uuid4)
    """The id of the case to which the file belongs; a new one for a file of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltCase:
    """An evidence file that was built and verified."""

    case: Case
    file: Path
    size: int
    level: SignatureLevel
    why: str | None
    """Why the level is not B-LT, marked for translation."""


class _Proofs:
    """The tree of the published checkpoint, read from the store's tiles as far as needed."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read_tile = read_tile
        self._tree = TileTree(size, read_tile)
        self._left = _PROOFS_AT_ONCE

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        if not self._left:
            self._tree, self._left = TileTree(self.size, self._read_tile), _PROOFS_AT_ONCE
        self._left -= 1
        return self._tree.inclusion_proof(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePublisher:
    """Builds the evidence files of an installation."""

    settings: Settings
    registry: OperatorRegistry
    read_tile: ReadTile
    clock: Clock

    def count(self, options: CaseOptions, report: Callable[[int], None]) -> CaseCounts:
        """Count what a case would contain. The look is recorded. Raises `OperatorError`."""
        published = read_published_log(self.settings)
        recorded = self._read(options, preview=True)
        request = self._request(options, published, ())
        with as_operator_error():
            proofs = ground_proofs(self.settings)
        return count_case(request, recorded, XmlStatementDocuments(), proofs, report)

    def total(self, options: CaseOptions) -> int:
        """Return about how many decisions are to be read, for the progress bar."""
        month, total = _month_of(options.period), 0
        while month.begins < options.period.ends:
            for each in self.registry.statistics(month):
                total += each.decisions if each.recipient == options.recipient.code else 0
            month = month.following
        return total

    def build(self, options: CaseOptions, out: Path, report: Callable[[int], None]) -> BuiltCase:
        """Build one evidence file, and verify it before it gets its name.

        A file that exists is never replaced. Raises `OperatorError`.
        """
        published = read_published_log(self.settings)
        statements = tuple(self._statements(options))
        with _new_file(out) as (file, part):
            case, level, why = self._write(options, published, statements, file, report)
            verify_case(part, trust_of_settings(self.settings), at=self.clock())
            size = file.seek(0, os.SEEK_END)
        return BuiltCase(case=case, file=out, size=size, level=level, why=why)

    def find_open(self, case_id: UUID) -> OversightCase:
        """Return an open case. Raises `OperatorError` for another one."""
        case = self.registry.case(case_id)
        if case is None or case.state is not CaseState.OPEN:
            raise OperatorError(translate("this case is not open; see: makul case list"))
        return case

    def attach(self, options: CaseOptions, report: Callable[[int], None]) -> BuiltCase:
        """Build the evidence file of an open case, and attach it. Raises `OperatorError`."""
        base = self.settings.cases.directory
        if base is None:
            raise OperatorError(
                translate("name the directory of evidence files in the settings first: [cases]")
            )
        case = self.find_open(options.case_id)
        with as_operator_error():
            make_directories(base, mode=0o750)
        built = self.build(options, base / f"{case.case_id}-{secrets.token_hex(8)}.new", report)
        with as_operator_error():
            evidence = digest_evidence(built.file)
            file = built.file.rename(base / evidence_name(evidence.digest))
            # The process of the oversight port reads it, by the group of the directory.
            file.chmod(0o640)
            sync_directory(base)
        self.registry.attach_evidence(
            case.case_id, evidence, reason=options.reason, at=self.clock()
        )
        return replace(built, file=file)

    def _write(
        self,
        options: CaseOptions,
        published: PublishedCheckpoint,
        statements: tuple[tuple[str, Path], ...],
        file: BinaryIO,
        report: Callable[[int], None],
    ) -> tuple[Case, SignatureLevel, str | None]:
        at = self.clock().replace(microsecond=0)
        archive = self.settings.trust.archive
        with as_operator_error():
            signer, certificate = receipt_key(self.settings.receipts)
            container = AsiceWriter(file, signer, certificate, at=at)
            prolong = signature_prolongation(self.settings, certificate, self.clock)
            builder = CaseBuilder(
                request=self._request(options, published, statements),
                documents=XmlCaseDocuments(),
                statements=XmlStatementDocuments(),
                proofs=ground_proofs(self.settings),
                container=container,
                tree=_Proofs(published.checkpoint.size, self.read_tile),
                archive=Archive(archive) if archive is not None else None,
            )
            try:
                case = builder.build(self._read(options, preview=False), report=report, at=at)
            except UnpublishedRecordError:
                raise OperatorError(
                    translate(
                        "{recipient}: a decision or act of the case is not in the published log"
                        " yet; run: makul ledger run",
                        recipient=options.recipient.code,
                    )
                ) from None
            except ContainerFailure as failure:
                raise OperatorError(
                    translate(
                        "{recipient}: the case does not fit one file: {finding}; choose a shorter"
                        " period",
                        recipient=options.recipient.code,
                        finding=failure,
                    )
                ) from None
            container.finish(prolong)
        return case, prolong.level, prolong.why

    def _read(self, options: CaseOptions, *, preview: bool) -> RecordedCase:
        return self.registry.read_case(
            options.period,
            options.recipient.code,
            reason=options.reason,
            preview=preview,
            at=self.clock(),
        )

    def _request(
        self,
        options: CaseOptions,
        published: PublishedCheckpoint,
        statements: tuple[tuple[str, Path], ...],
    ) -> CaseRequest:
        return CaseRequest(
            case_id=options.case_id,
            operator=self.settings.operator_code,
            recipient=options.recipient,
            period=options.period,
            scope=options.scope,
            reason=options.reason,
            agreements=self.registry.agreements(options.recipient.code),
            checkpoint=published.note,
            log_key=published.log_key,
            months=((name, _content(path)) for name, path in statements),
        )

    def _statements(self, options: CaseOptions) -> Iterator[tuple[str, Path]]:
        """Yield the verified statements of the period's months: name in the case, and file.

        A month without a statement, for example the present one, is left out.
        """
        if options.months is None:
            return
        with as_operator_error():
            signers = frozenset(load_signers_from_settings(self.settings))
        month, found = _month_of(options.period), False
        while month.begins < options.period.ends:
            directory = statement_directory(
                options.months, month, options.recipient.code, draft=False
            )
            month_name, month = str(month), month.following
            if not os.path.lexists(directory):
                continue
            found = True
            statement = verify_statement(directory / HEAD_NAME, signers)
            names = [HEAD_NAME, *(page_name(page.number) for page in statement.pages)]
            yield from ((f"{month_name}/{name}", directory / name) for name in names)
        if not found:
            raise MissingStatementError(
                translate(
                    "{recipient}: there is no statement of the period in {directory}",
                    recipient=options.recipient.code,
                    directory=options.months,
                )
            )


def digest_evidence(path: Path) -> EvidenceFile:
    """Return the digests of a file and of its parts."""
    whole, parts, size = sha256(), [], 0
    with open_regular(path) as file:
        while part := file.read(PART_BYTES):
            whole.update(part)
            parts.append(sha256(part).digest())
            size += len(part)
    return EvidenceFile(digest=whole.digest(), size=size, part_digests=tuple(parts))


def _month_of(period: CasePeriod) -> Month:
    return Month(period.first.year, period.first.month)


def _content(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        yield from blocks_of(file)


@contextmanager
def _new_file(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a new file that only its owner can read; it appears under its name when complete.

    Raises `OperatorError` if the name is taken, or the file cannot be written.
    """
    if os.path.lexists(path):
        raise OperatorError(translate("{path} exists; name a new file", path=path))
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        with os.fdopen(os.open(part, _NEW_FILE, 0o600), "w+b") as file:
            yield file, part
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise OperatorError(
            translate(
                "cannot write {path}: {cause}", path=path, cause=translate_cause(error.strerror)
            )
        ) from None
    finally:
        part.unlink(missing_ok=True)

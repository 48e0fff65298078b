"""Second verification of a decision's documents: it must produce the stored report.

It uses the bytes in the record, the time of the decision, and the archived certificates, CRLs and
OCSP responses that the stored report names. If the report names none, because no chain to an anchor
was found, the present trust directories are used.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from makul.admin.errors import OperatorUnavailableError
from makul.app.ports import DecisionEvidence, EvidenceDocument
from makul.composition.adapters import trust_directories, tsa_directories
from makul.config.settings import Settings
from makul.documents.media_types import media_type
from makul.language.translation import translate
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul.trust.revocation.archive import Archive, restore
from makul.trust.validation.documents import ON_REQUEST, XadesVerifier
from makul.trust.validation.report import ExistenceSource
from makul.trust.validation.report_json import render

_WORDS: Final = frozenset({"why", "version"})
"""The fields that a later release may word differently."""
_NO_TSA: Final = "no time-stamping authority is trusted here"

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevalidationResult:
    """A document of an earlier decision that was judged again by its stored evidence."""

    kind: str
    digest: str
    kept: str | None
    """Indication and reason of the stored report."""
    again: str | None
    """Indication and reason of the new report; None if the document could not be judged."""
    where: tuple[str, ...]
    """The fields in which the two reports differ; empty if they agree."""


def revalidate(case: DecisionEvidence, settings: Settings) -> Iterator[RevalidationResult]:
    """Yield the old and new verdict of each document. Raises `OperatorUnavailableError`."""
    for piece in case.pieces:
        if piece.kind is None:
            raise OperatorUnavailableError(
                translate(
                    "the record does not hold the document {digest}: restore it from a backup of"
                    " the"
                    " database",
                    digest=piece.digest.hex(),
                )
            )
        yield _revalidate(piece, piece.kind, case.decided_at, settings)


def _revalidate(
    piece: EvidenceDocument, kind: str, decided_at: datetime, settings: Settings
) -> RevalidationResult:
    kept: Report = json.loads(piece.report)
    again: Report = {}
    document = piece.document
    if document is None or sha256(document).digest() != piece.digest:
        where: Sequence[str] = (
            translate("the document: its bytes are not those that were judged"),
        )
    else:
        attachment = "mediaType" in kept
        again = (
            {"mediaType": media_type(document)}
            if attachment
            else _validate(document, kept, decided_at, settings)
        )
        where = tuple(_differences(kept, again))
    return RevalidationResult(
        kind=kind,
        digest=piece.digest.hex(),
        kept=_describe_verdict(kept),
        again=_describe_verdict(again),
        where=tuple(where),
    )


def _describe_verdict(report: Report) -> str | None:
    """Return the indication and the reason of a report."""
    words = (report.get("indication") or report.get("mediaType"), report.get("reason"))
    return " ".join(word for word in words if word) or None


def _validate(document: bytes, kept: Report, at: datetime, settings: Settings) -> Report:
    with tempfile.TemporaryDirectory(prefix="makul-") as directory:
        restored = _RestoredTrustDir(settings, Path(directory))
        evidence = kept["evidence"]
        store = TrustStore(
            restored.write_directories("documents", [evidence])
            or _without_archive(trust_directories(settings))
        )
        verifier = XadesVerifier(store, tsa=_tsa_store(evidence["timestamps"], restored, settings))
        report = verifier.validate(
            document, ON_REQUEST, at=at, existed_at=_proof_of_existence(kept)
        ).report
    judged: Report = json.loads(render(report))
    return judged


def _proof_of_existence(kept: Report) -> datetime | None:
    """Return since when the operator held these bytes, if that was the proof of existence."""
    proof = kept["times"]["proofOfExistence"]
    if proof is None or proof["source"] != ExistenceSource.HELD.value:
        return None
    return datetime.fromisoformat(proof["time"])


def _tsa_store(
    stamps: Sequence[Report], restored: "_RestoredTrustDir", settings: Settings
) -> TrustStore | None:
    """Return the authorities of the timestamps, or None if none was trusted."""
    if not stamps or any(each["why"] == _NO_TSA for each in stamps):
        return None
    directories = restored.write_directories("stamps", stamps)
    if directories is None:
        today = tsa_directories(settings)
        directories = _without_archive(today) if today is not None else None
    return TrustStore(directories) if directories is not None else None


def _without_archive(directories: TrustDirectories) -> TrustDirectories:
    """Return the present directories without the archive, so that nothing is added to it."""
    return replace(directories, archive=None)


@dataclass(frozen=True, slots=True)
class _RestoredTrustDir:
    """Archived material in the layout of trust directories."""

    settings: Settings
    directory: Path

    def write_directories(self, name: str, findings: Iterable[Report]) -> TrustDirectories | None:
        """Write the material that these findings name; None if they name no path."""
        known = [each for each in findings if each["certificates"]]
        anchors = {bytes.fromhex(each["certificates"][-1]) for each in known}
        if not anchors:
            return None
        digests = {bytes.fromhex(named) for each in known for named in each["certificates"][1:-1]}
        digests |= {
            bytes.fromhex(answer["digest"])
            for each in known
            for answer in each["revocation"]
            if answer["digest"]
        }
        into = self.directory / name
        self._restore(anchors, digests, into)
        return TrustDirectories(
            anchors=into / "anchors",
            intermediates=into / "intermediates",
            crls=into / "crls",
            ocsp=into / "ocsp",
        )

    def _restore(self, anchors: set[bytes], digests: set[bytes], into: Path) -> None:
        kept = self.settings.trust.archive
        if kept is None:
            raise OperatorUnavailableError(
                translate("trust.archive is not set: nothing that the verdict rested on was kept")
            )
        try:
            restore(Archive(kept), anchors=anchors, digests=digests, into=into)
        except (LookupError, ValueError, OSError) as error:
            raise OperatorUnavailableError(
                translate(
                    "{path}: {problem}; restore it from a backup of the archive",
                    path=kept,
                    problem=error,
                )
            ) from None


def _differences(kept: Any, again: Any, at: str = "") -> Iterator[str]:
    """Yield the fields in which the new report differs, except those that only it contains."""
    if isinstance(kept, Mapping) and isinstance(again, Mapping):
        for name, value in kept.items():
            if name not in _WORDS:
                yield from _differences(value, again.get(name), f"{at}.{name}" if at else name)
    elif isinstance(kept, list) and isinstance(again, list) and len(kept) == len(again):
        for number, (one, other) in enumerate(zip(kept, again, strict=True)):
            name = one.get("check", number) if isinstance(one, Mapping) else number
            yield from _differences(one, other, f"{at}.{name}")
    elif kept != again:
        yield at

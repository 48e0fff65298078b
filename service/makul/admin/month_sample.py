"""The sample of a month, drawn from its statement by the published rule (Procedure, cl. 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from makul.admin.errors import OperatorError
from makul.admin.month_verification import load_signer_fingerprints, verify_head, verify_pages
from makul.domain.month_sample import SampleDraw, sample_seed
from makul.domain.monthly_statements import MonthlyStatement, StatementLine
from makul.language.translation import translate
from makul.ledger.signed_note import NoteError, parse_note


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSample:
    """A sample, and the statement that it was drawn from."""

    statement: MonthlyStatement
    seed: bytes
    disclosures: tuple[UUID, ...]


def draw_sample(
    config: Path, file: Path, certificates: Sequence[Path], *, size: int
) -> MonthSample:
    """Verify a statement with its pages and draw its sample; one page is in memory at a time.

    Raises `OperatorError` and `FileError`.
    """
    statement = verify_head(file, load_signer_fingerprints(config, certificates))
    if statement.draft:
        raise OperatorError(
            translate("{file}: a draft has no sample; build the month when it has ended", file=file)
        )
    try:
        body = parse_note(statement.checkpoint).text
    except NoteError:
        raise OperatorError(
            translate("{file}: the checkpoint of the statement cannot be read", file=file)
        ) from None
    draw = SampleDraw(sample_seed(statement.recipient, statement.month, body), size)

    def read_line(line: StatementLine) -> None:
        draw.add(line.decision.disclosure_id, line.decision.outcome)

    verify_pages(file, statement, read_line)
    return MonthSample(statement=statement, seed=draw.seed, disclosures=draw.drawn())

"""Find the data that a recipient must erase, and has not attested (Procedure, cl. 15)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from makul.app.ports.secrecy import DeletionsPage, ReleasedData
from makul.domain.deletions import DeletionDue, erase_by
from makul.domain.identifiers import MemberCode

READ_AT_ONCE = 200
"""Decisions that one request reads: each consent is decrypted and parsed, 1 ms or less."""

REMINDED_BEFORE = timedelta(days=30)
"""How long before its term ends data are listed, so that a recipient can plan."""


class ReleasedDataSource(Protocol):
    """The released data of recipients that were not attested as erased."""

    def released_data(
        self, recipient: MemberCode, after: UUID | None, limit: int
    ) -> Sequence[ReleasedData] | None:
        """Return decisions that released data, the earliest first; None for an unknown `after`."""


class RetentionReader(Protocol):
    """Reads the term of a stored consent."""

    def stored_retention(self, document: bytes) -> str | None:
        """Return how long the recipient may keep the data; None for another document."""


def find_deletions_due(
    source: ReleasedDataSource,
    documents: RetentionReader,
    recipient: MemberCode,
    *,
    after: UUID | None,
    at: datetime,
) -> DeletionsPage | None:
    """Return what is due among the next decisions; None if `after` is no decision of the caller.

    A decision without a readable term is left out, because nobody can say when it ends.
    """
    read = source.released_data(recipient, after, READ_AT_ONCE)
    if read is None:
        return None
    due = []
    for each in read:
        ends = _find_end(documents, each)
        if ends is not None and ends <= at + REMINDED_BEFORE:
            due.append(
                DeletionDue(
                    disclosure_id=each.disclosure_id, decided_at=each.decided_at, erase_by=ends
                )
            )
    is_full = len(read) == READ_AT_ONCE
    return DeletionsPage(due=due, following=read[-1].disclosure_id if is_full else None)


def _find_end(documents: RetentionReader, released: ReleasedData) -> datetime | None:
    """Return when the term of data ends: that of the consent, or of the basis statement."""
    if released.consent is None:
        return released.basis_ends
    term = documents.stored_retention(released.consent)
    with suppress(ValueError):
        return erase_by(released.decided_at, term) if term is not None else None
    return None

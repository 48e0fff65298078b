"""The data that recipients must erase, for the operator's reminder (Procedure, cl. 15)."""

from collections.abc import Iterator
from datetime import datetime

from makul.admin.error_handling import as_operator_error
from makul.admin.installation import Installation
from makul.app.deletions_due import find_deletions_due
from makul.documents.adapter import XmlDocuments
from makul.domain.deletions import DeletionDue
from makul.domain.identifiers import MemberCode


def list_deletions_due(
    installation: Installation, recipient: MemberCode, *, at: datetime
) -> Iterator[DeletionDue]:
    """Yield what a recipient must erase and has not attested, the earliest decision first."""
    documents, after = XmlDocuments(installation.facts.operator), None
    while True:
        with as_operator_error():
            page = find_deletions_due(
                installation.store.oversight, documents, recipient, after=after, at=at
            )
        if page is None:
            return
        yield from page.due
        after = page.following
        if after is None:
            return

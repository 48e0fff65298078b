"""The snapshot of a request: recipient, agreement, usage and request id, read in one statement."""

from typing import NamedTuple

from sqlalchemy import bindparam, literal_column, select

from makul.language.translation import translate
from makul.store.db.base import Database, Values
from makul.store.db.codecs import CodecError
from makul.store.db.rows import build_row_reader
from makul.store.reads.corrections import HAS_PENDING
from makul.store.records.service_usage import USED
from makul.store.schema.record_tables import CLOSED_BY, disclosure
from makul.store.schema.registry_tables import agreement, recipient
from makul.store.schema.usage_tables import request_key

_here = select(literal_column("1").label("here")).subquery("here")
_STANDING = select(
    recipient.c.kind,
    recipient.c.name,
    recipient.c.state,
    agreement.c.number,
    agreement.c.recipient.label("agreement_recipient"),
    agreement.c.state.label("agreement_state"),
    agreement.c.valid_from,
    agreement.c.valid_to,
    agreement.c.terms,
    request_key.c.disclosure_id,
    disclosure.c.sealed,
    HAS_PENDING.label("pending_corrections"),
    *(used.label(name) for used, name in zip(USED, ("requests_used", "bytes_used"), strict=True)),
).select_from(
    _here.outerjoin(recipient, recipient.c.code == bindparam("code"))
    .outerjoin(agreement, agreement.c.number == bindparam("number"))
    .outerjoin(
        request_key,
        (request_key.c.recipient == bindparam("code"))
        & (request_key.c.space == bindparam("space"))
        & (request_key.c.request_id == bindparam("request_id")),
    )
    .outerjoin(disclosure, CLOSED_BY)
)


class SnapshotRow(NamedTuple):
    """A recipient, an agreement, the usage and a request id, as columns of the database."""

    kind: str | None
    """None, like the two columns after it, if the recipient is not registered."""
    name: str
    state: str
    number: str | None
    """None, like the five columns after it, if the agreement does not exist."""
    agreement_recipient: str
    agreement_state: str
    valid_from: int
    valid_to: int
    terms: str
    disclosure_id: bytes | None
    """None if the request id is open."""
    sealed: bytes | None
    pending_corrections: int
    """How many corrections the recipient must acknowledge."""
    requests_used: int
    bytes_used: int


_read_row = build_row_reader(_STANDING, SnapshotRow)


def read_request_snapshot(database: Database, values: Values) -> SnapshotRow:
    """Return the row of a request, with None in the columns of what is missing.

    Raises `CodecError`.
    """
    row = database.fetch_one(_STANDING, values)
    if row is None:
        raise CodecError(translate("the record store gave no row where there is always one"))
    return _read_row(row)

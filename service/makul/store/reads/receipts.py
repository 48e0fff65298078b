"""The receipt of an earlier request, found by the space of its request id."""

from itertools import product
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports import KeptReceipt, Space
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.store.db.base import Database
from makul.store.encryption.fields import FieldCipher
from makul.store.records.closed_request import THIS_REQUEST
from makul.store.records.private_fields import open_private
from makul.store.schema.record_tables import CLOSED_BY, disclosure
from makul.store.schema.usage_tables import request_key

_COLUMNS = (
    disclosure.c.disclosure_id,
    disclosure.c.sealed,
    disclosure.c.agreement_number,
)
_CLOSING = (
    select(*_COLUMNS).select_from(request_key.join(disclosure, CLOSED_BY)).where(*THIS_REQUEST)
)
_LATEST = (
    select(*_COLUMNS)
    .where(
        disclosure.c.recipient == bindparam("recipient"),
        disclosure.c.space == bindparam("space"),
        disclosure.c.request_id == bindparam("request_id"),
    )
    .order_by(disclosure.c.decided_at.desc(), disclosure.c.disclosure_id.desc())
    .limit(1)
)


def find_receipt(
    database: Database, cipher: FieldCipher, recipient: MemberCode, request_id: UUID
) -> KeptReceipt | None:
    """Return the receipt of the decision that closed a request id; None if there is none.

    One request id may be used in several spaces. They are searched in two rounds, each in the
    order of `Space`, disclosures first, so that a dry run does not hide a disclosure.

    1. The decision that closed the id. Later refusals under a closed id (REQ-04) are ignored.
    2. The latest decision of an id that is open in every space, such as a refusal that may be
       repeated (REQ-06). It must not hide a registration or a revocation in another space.
    """
    values = {"recipient": recipient, "request_id": request_id.bytes}
    for statement, space in product((_CLOSING, _LATEST), Space):
        row = database.fetch_one(statement, {**values, "space": space.value})
        if row is None:
            continue
        disclosure_id, sealed, number = row
        return KeptReceipt(
            disclosure_id=UUID(bytes=disclosure_id),
            document=open_private(cipher, disclosure_id, sealed).receipt,
            space=space,
            agreement_number=AgreementNumber(number) if number is not None else None,
        )
    return None

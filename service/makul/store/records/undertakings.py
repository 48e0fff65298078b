"""Whether an employee has an undertaking of secrecy in force (Procedure, cl. 16; RCP-05)."""

from datetime import datetime

from sqlalchemy import bindparam, exists, or_, select

from makul.domain.identifiers import MemberCode
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.records.usage_limits import employee_index
from makul.store.schema.secrecy_tables import undertaking, undertaking_end

IN_FORCE = (
    undertaking.c.recipient == bindparam("recipient"),
    undertaking.c.employee_index == bindparam("employee_index"),
    undertaking.c.valid_from <= bindparam("at"),
    or_(undertaking.c.valid_to.is_(None), undertaking.c.valid_to > bindparam("at")),
    ~exists().where(
        undertaking_end.c.recipient == undertaking.c.recipient,
        undertaking_end.c.undertaking_id == undertaking.c.undertaking_id,
    ),
)
"""The conditions that select an employee's undertakings in force."""

_ANY = select(undertaking.c.undertaking_id).where(*IN_FORCE).limit(1)


def has_undertaking(
    source: Database | Transaction,
    cipher: FieldCipher,
    recipient: MemberCode,
    employee: str | None,
    *,
    at: datetime,
) -> bool:
    """Return whether an employee has an undertaking in force; False if no employee is named."""
    if not employee:
        return False
    values = {
        "recipient": recipient,
        "employee_index": employee_index(cipher, recipient, employee),
        "at": micros(at),
    }
    return source.fetch_one(_ANY, values) is not None

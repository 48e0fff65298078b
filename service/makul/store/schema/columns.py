"""The naming convention of all tables, and columns that are equal in every table."""

from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, MetaData, String

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

UUID = LargeBinary(16)
DIGEST = LargeBinary(32)
MEMBER = String(31)
AGREEMENT = String(64)
PURPOSE = String(64)
WORD = String(32)


def to_lock() -> Column[int]:
    """Return the column that permits row locks. Its value is always NULL.

    PostgreSQL lets a role lock a row only if the role may change a column of it. The serving role
    locks the rows that a decision depends on and may change none of their facts. So it has the
    right to change only this column (docs/decisions/0024-a-role-for-each-duty.md).
    """
    return Column("to_lock_by", Integer, CheckConstraint("to_lock_by IS NULL", name="only_locked"))

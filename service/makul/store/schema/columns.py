"""What every table of the store is made of: its naming, and columns that lie alike everywhere."""

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
    """By what a row may be locked, and which is never anything but NULL.

    PostgreSQL lets those lock a row who may change one of its columns. Who serves locks what a
    decision rests on and may change none of it, so it is given the right to change this one.
    """
    return Column("to_lock_by", Integer, CheckConstraint("to_lock_by IS NULL", name="only_locked"))

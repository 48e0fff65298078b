"""What every table of the store is made of: its naming, and columns that lie alike everywhere."""

from sqlalchemy import LargeBinary, MetaData, String

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

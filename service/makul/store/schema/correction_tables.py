"""The tables of corrections: reports of wrong data, and who was given them (Procedure, cl. 14)."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table

from makul.store.schema.columns import DIGEST, MEMBER, UUID, WORD, metadata

correction = Table(
    "correction",
    metadata,
    Column("correction_id", UUID, primary_key=True),
    Column("subject_index", DIGEST, nullable=False),
    Column("attribute", WORD, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("origin", WORD, nullable=False),
    Column("reporter", MEMBER, nullable=False),
    Column("state", WORD, nullable=False),
    Column("reported_at", BigInteger, nullable=False),
    Column("examine_by", BigInteger, nullable=False),
    Column("resolve_by", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("entered_at", BigInteger),
    Column("wrong_since", BigInteger),
    Column("acknowledge_by", BigInteger),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "subject_index"),
    Index(None, "reporter"),
    Index(None, "changed_at"),
    sqlite_with_rowid=False,
)
"""A report of a wrong value (`domain.corrections`), by the blind index of its person.

`sealed` is encrypted: the PIN, the justification, the proposed value, and who entered a new one.
While a row of a person is DISPUTED, the attribute is withheld (REL-02): matching reads the row in
the statement that reads the person.
"""

correction_recall = Table(
    "correction_recall",
    metadata,
    Column("correction_id", UUID, primary_key=True),
    Column("recipient", MEMBER, primary_key=True),
    Column("acknowledged_at", BigInteger),
    Index(None, "recipient"),
    sqlite_with_rowid=False,
)
"""A recipient that was given the wrong value. It is informed when the correction is CORRECTED."""

"""The tables of secrecy: undertakings, incidents and attested deletions (cl. 15 and 16).

Only acts add rows, and no row ever changes.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table

from makul.store.schema.columns import DIGEST, MEMBER, UUID, WORD, metadata

undertaking = Table(
    "undertaking",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("undertaking_id", UUID, primary_key=True),
    Column("employee_index", DIGEST, nullable=False),
    Column("person_index", DIGEST, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger),
    Column("document", DIGEST, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "recipient", "employee_index"),
    sqlite_with_rowid=False,
)
"""An undertaking of secrecy. `valid_from` is not before `recorded_at`.

`document` is the digest of the signed document, in `evidence`. `sealed` is encrypted: the employee,
the person's name and the reference of the text.
"""

undertaking_end = Table(
    "undertaking_end",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("undertaking_id", UUID, primary_key=True),
    Column("ended_on", WORD, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The end of an employee's work with the data: from `ended_at` the undertaking covers no request.

`ended_on` is the day that the recipient states. The obligations last.
"""

incident = Table(
    "incident",
    metadata,
    Column("incident_id", UUID, primary_key=True),
    Column("recipient", MEMBER, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("reported_at", BigInteger, nullable=False),
    Index(None, "recipient", "reported_at"),
    sqlite_with_rowid=False,
)
"""An incident that a recipient reported, and the case that it proposed.

`sealed` is encrypted: its times, the decisions concerned, what happened and the measures.
"""

deletion_attestation = Table(
    "deletion_attestation",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("recipient", MEMBER, nullable=False),
    Column("erased_on", WORD, nullable=False),
    Column("attested_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A recipient's statement that it erased the data of a decision, on which day."""

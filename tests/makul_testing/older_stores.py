"""Stores in the form of earlier versions of the program."""

from makul.store.db.location import DatabaseLocation
from makul_testing.raw_sql import raw, without_guards

_SINCE_0017_UNDONE = (
    "DROP TABLE reinstatement_proposal",
    "DROP TABLE deletion_attestation",
    "DROP TABLE incident",
    "DROP TABLE undertaking_end",
    "DROP TABLE undertaking",
    "DROP TABLE correction_recall",
    "DROP TABLE correction",
)
"""Undoes the migrations after 0017, the newest first."""

_LATER_MIGRATIONS_UNDONE = (
    *_SINCE_0017_UNDONE,
    "DROP TABLE subject_answer",
    "DROP TABLE month_question",
    "DROP TABLE notification_link",
    "DROP TABLE notification",
    "DROP TABLE oversight_case_step",
    "DROP TABLE oversight_case",
    "DROP TABLE matching_lock",
    "DROP INDEX ix_consent_giver_giver_index",
    "DROP INDEX ix_disclosure_subject_index_decided_at",
    "DROP TABLE request_message",
    "DROP TABLE month_document",
    "DROP TABLE contested_answer",
    "DROP TABLE contested_line",
    "DROP TABLE monthly_statement",
    "DROP TABLE act_answer",
    "DROP TABLE termination_proposal",
    "DROP TABLE officer",
    "DROP TABLE recipient_use",
    "DROP TABLE dictionary",
    "DROP TABLE person_sample",
    "DROP INDEX ix_person_to_upgrade",
    "ALTER TABLE person DROP COLUMN format",
    "DROP TABLE act",
    "ALTER TABLE store_identity DROP COLUMN baseline_at",
    "DROP TABLE repetition",
    "UPDATE alembic_version SET version_num = '0007'",
)


def downgrade_to_0017(place: DatabaseLocation) -> None:
    """Remove from a new store everything that migrations after 0017 made."""
    with raw(place) as connection:
        for statement in _SINCE_0017_UNDONE:
            connection.execute(statement)
        connection.execute("UPDATE alembic_version SET version_num = '0017'")


def downgrade_to_0007(place: DatabaseLocation) -> None:
    """Remove from a store everything that migrations after 0007 made, and the leaves of
    its acts.
    """
    for table in ("ledger_queue", "ledger_leaf"):
        with without_guards(place, table) as connection:
            connection.execute(
                f"DELETE FROM {table} WHERE disclosure_id IN (SELECT act_id FROM act)"  # noqa: S608
            )
    with raw(place) as connection:
        for sql in _LATER_MIGRATIONS_UNDONE:
            connection.execute(sql)

"""Triggers that make tables append-only: rows may be added, and never changed or deleted.

On SQLite the protection is weak. It stops errors of this program and careless SQL. A person with
write access to the file can drop a trigger or edit a page.

On PostgreSQL no duty's role has the right to change these tables (`store.schema.role_privileges`).
The triggers stop errors of the owner.

Neither stops a superuser. The ledger, whose checkpoints others hold, proves that the record was not
altered.

The text of a released trigger changes only together with a migration.
"""

from collections.abc import Iterable, Mapping

SINCE_0001: Mapping[str, tuple[str, ...]] = {
    "desk_log": ("entry_id",),
    "disclosure": ("disclosure_id",),
    "evidence": ("recipient", "digest"),
    "ledger_leaf": ("disclosure_id",),
}
SINCE_0002: Mapping[str, tuple[str, ...]] = {
    "agreement_draft": ("number", "terms_digest"),
    "agreement_signature": ("number", "terms_digest", "role", "signer"),
    "consent_giver": ("recipient", "consent_id"),
    "desk_document": ("digest",),
    "notice_approval": ("ref",),
    "notice_text": ("ref", "language"),
    "official_withdrawal": ("recipient", "fingerprint"),
    "revocation": ("recipient", "consent_id", "subject_index"),
}
SINCE_0004: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("size",),
    "cosignature": ("size", "witness"),
    "ledger_lost": ("position",),
    "ledger_position": ("disclosure_id",),
}
SINCE_0008: Mapping[str, tuple[str, ...]] = {
    "repetition": ("repetition_id",),
}
SINCE_0011: Mapping[str, tuple[str, ...]] = {
    "dictionary": ("dictionary_id",),
}
SINCE_0009: Mapping[str, tuple[str, ...]] = {"act": ("act_id",)}
SINCE_0012: Mapping[str, tuple[str, ...]] = {
    "act_answer": ("act_id",),
    "termination_proposal": ("number", "agreement_changed_at", "officer"),
}
SINCE_0013: Mapping[str, tuple[str, ...]] = {
    "contested_answer": ("recipient", "month", "disclosure_id"),
    "contested_line": ("recipient", "month", "disclosure_id"),
    "month_document": ("digest",),
}
SINCE_0015: Mapping[str, tuple[str, ...]] = {
    "month_question": ("disclosure_id",),
    "subject_answer": ("disclosure_id", "origin"),
}
SINCE_0016: Mapping[str, tuple[str, ...]] = {"oversight_case_step": ("case_id", "number")}
SINCE_0017: Mapping[str, tuple[str, ...]] = {"request_message": ("disclosure_id",)}
SINCE_0019: Mapping[str, tuple[str, ...]] = {
    "deletion_attestation": ("disclosure_id",),
    "incident": ("incident_id",),
    "undertaking": ("recipient", "undertaking_id"),
    "undertaking_end": ("recipient", "undertaking_id"),
}
SINCE_0020: Mapping[str, tuple[str, ...]] = {
    "reinstatement_proposal": ("recipient", "recipient_changed_at", "officer"),
}
APPEND_ONLY: Mapping[str, tuple[str, ...]] = {
    **SINCE_0001,
    **SINCE_0002,
    **SINCE_0004,
    **SINCE_0008,
    **SINCE_0011,
    **SINCE_0009,
    **SINCE_0012,
    **SINCE_0013,
    **SINCE_0015,
    **SINCE_0016,
    **SINCE_0017,
    **SINCE_0019,
    **SINCE_0020,
}
"""Append-only tables and the columns of their primary keys."""

ALSO_UNIQUE: Mapping[str, tuple[str, ...]] = {
    "act": ("number",),
    "act_answer": ("member", "request_id"),
    "ledger_position": ("position",),
}
"""Further unique columns of a table, by which `INSERT OR REPLACE` could also replace a row."""


def sqlite_triggers(table: str, key: tuple[str, ...]) -> Mapping[str, str]:
    """Return the SQL of the triggers on one table, by trigger name.

    The third trigger stops `INSERT OR REPLACE`, which deletes the old row without firing its
    trigger.
    """
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    if table in ALSO_UNIQUE:
        also = " AND ".join(f"{column} = NEW.{column}" for column in ALSO_UNIQUE[table])
        same = f"{same} OR {also}"
    exists = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608 -- names are constants above
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    conditions = {"update": "", "delete": "", "insert": exists}
    return {
        f"{table}_no_{event}": (
            f"CREATE TRIGGER {table}_no_{event} BEFORE {event.upper()} ON {table} {when}{refuse}"
        )
        for event, when in conditions.items()
    }


def all_sqlite_triggers(
    tables: Mapping[str, tuple[str, ...]] = APPEND_ONLY,
) -> Mapping[str, str]:
    """Return the SQL of every required trigger, by name; or of the triggers on some tables."""
    return {
        name: sql
        for table, key in tables.items()
        for name, sql in sqlite_triggers(table, key).items()
    }


POSTGRES_FUNCTION = "makul_append_only"
POSTGRES_FUNCTIONS: Mapping[str, str] = {
    POSTGRES_FUNCTION: (
        " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME"
        " USING ERRCODE = 'integrity_constraint_violation'; END "
    )
}
"""Trigger functions in PL/pgSQL, by name."""


def create_postgres_function(name: str) -> str:
    """Return the statement that creates a trigger function."""
    body = POSTGRES_FUNCTIONS[name]
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $makul${body}$makul$"


def all_postgres_triggers(
    tables: Mapping[str, tuple[str, ...]] = APPEND_ONLY,
) -> Mapping[str, str]:
    """Return the SQL of every required trigger, by name, in the form that the server stores.

    Row triggers on a partitioned table apply to each partition. A TRUNCATE trigger applies only to
    the whole table. A partition belongs to the owner, like the table.
    """
    events = {"change": ("DELETE OR UPDATE", "ROW"), "truncate": ("TRUNCATE", "STATEMENT")}
    return {
        f"{table}_no_{name}": (
            f"CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table}"
            f" FOR EACH {level} EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
        )
        for table in tables
        for name, (event, level) in events.items()
    }


def triggers_for(dialect: str, tables: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    """Return the statements that create the triggers of some tables."""
    triggers = all_sqlite_triggers(tables) if dialect == "sqlite" else all_postgres_triggers(tables)
    return triggers.values()

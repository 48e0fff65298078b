"""Triggers that permit one change in append-only tables: a data key that is wrapped again.

Such an update gives the head of `sealed` another key id and another wrapped key. The format, the
ciphertext and every other column stay the same. Any other update is refused, and so is one that
changes nothing.

A trigger cannot check whether the new head decrypts. A role that may update these rows can make
them unreadable, and nothing else. So on PostgreSQL the operator's role has this right only during a
rotation, and the service never has it.

The text of a released trigger changes only together with a migration.
"""

from collections.abc import Mapping

from makul.store.db.field_format import HEAD_BYTES, KEY_ID_BYTES

SINCE_0005: Mapping[str, tuple[str, ...]] = {
    "desk_document": ("digest", "kind", "kept_at"),
    "desk_log": ("entry_id", "at", "who", "action", "target", "subject_index"),
    "disclosure": (
        "disclosure_id",
        "recipient",
        "space",
        "request_id",
        "operation",
        "channel",
        "certificate",
        "agreement_number",
        "purpose",
        "subject_index",
        "outcome",
        "reasons",
        "released",
        "ground_kind",
        "ground_id",
        "ground_digest",
        "decided_at",
        "sealed_to",
    ),
    "evidence": ("recipient", "digest", "kind", "kept_at"),
}
SINCE_0008: Mapping[str, tuple[str, ...]] = {
    "repetition": (
        "repetition_id",
        "recipient",
        "space",
        "request_id",
        "disclosure_id",
        "decided_at",
        "channel",
        "certificate",
        "repeated_at",
    ),
}
SINCE_0009: Mapping[str, tuple[str, ...]] = {
    "act": ("act_id", "number", "at", "who", "kind", "target"),
}
SINCE_0012: Mapping[str, tuple[str, ...]] = {
    "act_answer": (
        "act_id",
        "member",
        "request_id",
        "request_digest",
        "asker",
        "answered_at",
    ),
}
SINCE_0013: Mapping[str, tuple[str, ...]] = {
    "contested_answer": ("recipient", "month", "disclosure_id", "answer", "answered_at"),
    "contested_line": ("recipient", "month", "disclosure_id", "contested_at"),
    "month_document": ("digest", "kept_at"),
}
SINCE_0016: Mapping[str, tuple[str, ...]] = {
    "oversight_case_step": ("case_id", "number", "kind", "party", "evidence", "taken_at"),
}
SINCE_0017: Mapping[str, tuple[str, ...]] = {
    "request_message": ("disclosure_id", "decided_at"),
}
SINCE_0019: Mapping[str, tuple[str, ...]] = {
    "incident": ("incident_id", "recipient", "kind", "case_id", "reported_at"),
    "undertaking": (
        "recipient",
        "undertaking_id",
        "employee_index",
        "person_index",
        "valid_from",
        "valid_to",
        "document",
        "recorded_at",
    ),
}
REWRAPPED: Mapping[str, tuple[str, ...]] = {
    **SINCE_0005,
    **SINCE_0008,
    **SINCE_0009,
    **SINCE_0012,
    **SINCE_0013,
    **SINCE_0016,
    **SINCE_0017,
    **SINCE_0019,
}
"""Append-only tables with a column `sealed`, and all their other columns."""

_OLD_KEY, _NEW_KEY = (f"substr({row}.sealed, 2, {KEY_ID_BYTES})" for row in ("OLD", "NEW"))
_SAME_PARTS = (
    "substr({row}.sealed, 1, 1)",
    f"substr({{row}}.sealed, {HEAD_BYTES + 1})",
)


def sqlite_triggers(tables: Mapping[str, tuple[str, ...]] = REWRAPPED) -> Mapping[str, str]:
    """Return the update triggers of these tables, by name.

    They replace the triggers of `store.schema.append_only_triggers`. The result of `IS` is never
    NULL, so no comparison has an unknown result that would let an update pass.
    """
    return {f"{table}_no_update": _sqlite_trigger(table, rest) for table, rest in tables.items()}


def _sqlite_trigger(table: str, rest: tuple[str, ...]) -> str:
    same = [f"NEW.{column} IS OLD.{column}" for column in rest]
    same += [f"{part.format(row='NEW')} IS {part.format(row='OLD')}" for part in _SAME_PARTS]
    conditions = " AND ".join(
        [
            *same,
            f"length(NEW.sealed) > {HEAD_BYTES}",
            f"{_NEW_KEY} IS NOT {_OLD_KEY}",
        ]
    )
    return (
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({conditions})"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


POSTGRES_FUNCTION = "makul_rewrapped_only"
POSTGRES_FUNCTIONS: Mapping[str, str] = {
    POSTGRES_FUNCTION: (
        " DECLARE as_it_was record;"
        " BEGIN"
        " IF TG_OP = 'UPDATE' THEN"
        " as_it_was := NEW; as_it_was.sealed := OLD.sealed;"
        " IF as_it_was *= OLD AND "
        + " AND ".join(f"{p.format(row='NEW')} = {p.format(row='OLD')}" for p in _SAME_PARTS)
        + f" AND length(NEW.sealed) > {HEAD_BYTES} AND {_NEW_KEY} <> {_OLD_KEY}"
        " THEN RETURN NEW; END IF;"
        " END IF;"
        " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME"
        " USING ERRCODE = 'integrity_constraint_violation';"
        " END "
    )
}
"""Trigger functions in PL/pgSQL, by name. `*=` compares two rows byte by byte."""


def create_postgres_function(name: str = POSTGRES_FUNCTION) -> str:
    """Return the statement that creates the trigger function."""
    body = POSTGRES_FUNCTIONS[name]
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $makul${body}$makul$"


def postgres_triggers(tables: Mapping[str, tuple[str, ...]] = REWRAPPED) -> Mapping[str, str]:
    """Return the SQL of the PostgreSQL triggers, by name, in the form that the server stores."""
    return {
        f"{table}_no_change": (
            f"CREATE TRIGGER {table}_no_change BEFORE DELETE OR UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
        )
        for table in tables
    }

"""Append-only tables let one change through: a data key wrapped anew.

Such an update gives the head of `sealed` another key id and another wrapped key. Its format, its
ciphertext and every other column stay as they are; whatever else an update would change is refused,
and so is one that changes nothing. A trigger cannot tell whether the new head opens: whoever may
update these rows can make them unreadable, and nothing else. So on PostgreSQL the right to do so is
the operator's, for as long as a rotation takes, and never the service's.

The text of a trigger, once released, changes only together with a migration.
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
REWRAPPED: Mapping[str, tuple[str, ...]] = {**SINCE_0005, **SINCE_0008, **SINCE_0009}
"""Append-only tables with a column `sealed`, and every other column they have."""

_OLD_KEY, _NEW_KEY = (f"substr({row}.sealed, 2, {KEY_ID_BYTES})" for row in ("OLD", "NEW"))
_SAME_PARTS = (
    "substr({row}.sealed, 1, 1)",
    f"substr({{row}}.sealed, {HEAD_BYTES + 1})",
)


def sqlite_triggers(tables: Mapping[str, tuple[str, ...]] = REWRAPPED) -> Mapping[str, str]:
    """The triggers on updates of these tables, by name, in place of those of `append_only`.

    `IS` is never NULL, so nothing slips through an unknown comparison.
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
    """The statement that makes the trigger function."""
    body = POSTGRES_FUNCTIONS[name]
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $makul${body}$makul$"


def postgres_triggers(tables: Mapping[str, tuple[str, ...]] = REWRAPPED) -> Mapping[str, str]:
    """The same on PostgreSQL, as the server itself writes them down."""
    return {
        f"{table}_no_change": (
            f"CREATE TRIGGER {table}_no_change BEFORE DELETE OR UPDATE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
        )
        for table in tables
    }

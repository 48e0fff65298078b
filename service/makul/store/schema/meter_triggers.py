"""Triggers that let usage counters (per consent, day and official) only increase.

The serving role must be able to change a counter. So its rights cannot stop an attacker who
controls a worker from resetting the uses of a consent, and a trigger stops this. The limit of a
counter is the condition of its statement (`store.records.usage_limits`). For a ground, a CHECK of
the table enforces it too.

The text of a released trigger changes only together with a migration.
"""

from collections.abc import Mapping

SINCE_0007: Mapping[str, str] = {
    "daily_use": "used",
    "evidence_use": "bytes",
    "ground_use": "used",
    "paper_use": "used",
}
"""The column that counts, by table."""


def sqlite_triggers(meters: Mapping[str, str] = SINCE_0007) -> Mapping[str, str]:
    """Return the SQL of the trigger on each usage counter, by trigger name."""
    return {
        f"{table}_counts_up": (
            f"CREATE TRIGGER {table}_counts_up BEFORE UPDATE ON {table}"
            f" WHEN NEW.{column} < OLD.{column}"
            f" BEGIN SELECT RAISE(ABORT, '{table} counts up'); END"
        )
        for table, column in meters.items()
    }


POSTGRES_FUNCTION = "makul_counts_up"
POSTGRES_FUNCTIONS: Mapping[str, str] = {
    POSTGRES_FUNCTION: (
        " BEGIN RAISE EXCEPTION '% counts up', TG_TABLE_NAME"
        " USING ERRCODE = 'integrity_constraint_violation'; END "
    )
}
"""Trigger functions in PL/pgSQL, by name."""


def postgres_triggers(meters: Mapping[str, str] = SINCE_0007) -> Mapping[str, str]:
    """Return the SQL of the PostgreSQL triggers, by name, in the form that the server stores.

    The condition belongs to the trigger itself, so an increase calls no function.
    """
    return {
        f"{table}_counts_up": (
            f"CREATE TRIGGER {table}_counts_up BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN (new.{column} < old.{column}) EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
        )
        for table, column in meters.items()
    }


def statements(dialect: str) -> list[str]:
    """Return the statements that create the triggers."""
    if dialect == "sqlite":
        return [*sqlite_triggers().values()]
    functions = [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $makul${body}$makul$"
        for name, body in POSTGRES_FUNCTIONS.items()
    ]
    return [*functions, *postgres_triggers().values()]

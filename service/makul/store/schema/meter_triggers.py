"""Meters count up alone: what a consent, a day or an official has used does not come back.

Whoever serves must be able to change a meter. So the right to do that could not keep a worker that
somebody took over from giving a consent its uses back, and a trigger does. Where a meter ends
stands in its statement's condition (`limits`), of a ground in the table's CHECK too.

The text of a trigger, once released, changes only together with a migration.
"""

from collections.abc import Mapping

SINCE_0007: Mapping[str, str] = {
    "daily_use": "used",
    "evidence_use": "bytes",
    "ground_use": "used",
    "paper_use": "used",
}
"""Meters, and the column that counts."""


def sqlite_triggers(meters: Mapping[str, str] = SINCE_0007) -> Mapping[str, str]:
    """Name and SQL of the trigger on each meter."""
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
    """The same on PostgreSQL, as the server itself writes them down.

    The condition is the trigger's own, so that counting up calls no function.
    """
    return {
        f"{table}_counts_up": (
            f"CREATE TRIGGER {table}_counts_up BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN (new.{column} < old.{column}) EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
        )
        for table, column in meters.items()
    }


def statements(dialect: str) -> list[str]:
    """The statements that make the triggers."""
    if dialect == "sqlite":
        return [*sqlite_triggers().values()]
    functions = [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $makul${body}$makul$"
        for name, body in POSTGRES_FUNCTIONS.items()
    ]
    return [*functions, *postgres_triggers().values()]

"""Who may do what in a PostgreSQL store: the service's role adds to records and changes none.

The tables' owner migrates and makes partitions; the role that serves has no right to change or
delete what is append-only. Whoever takes over a worker can therefore add to the record, and no
more; what a superuser can do, the ledger shows.
"""

import re
from collections.abc import Sequence

from makul.store.administering import administered
from makul.store.append_only import APPEND_ONLY
from makul.store.places import Place, PostgresPlace
from makul.store.postgres import SESSION
from makul.store.tables import attempt, gate, ledger_queue, metadata, seen_message

_FORGETTABLE = frozenset({attempt.name, gate.name, ledger_queue.name, seen_message.name})
_READ_ONLY = frozenset({"store_identity"})
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_WEAK = """
SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user
"""
_MAY_CHANGE = """
SELECT name FROM unnest(%s::text[]) AS name
WHERE has_table_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE')
   OR has_table_privilege(name, 'TRUNCATE') OR pg_has_role(
      (SELECT relowner FROM pg_class WHERE oid = name::regclass), 'USAGE')
ORDER BY name
"""


def is_role_name(text: str) -> bool:
    """A name that needs no quoting: it is written into statements."""
    return _ROLE.fullmatch(text) is not None


def grants(role: str) -> Sequence[str]:
    """The statements that give a role what serving needs; raises ValueError for another name."""
    if not is_role_name(role):
        raise ValueError("a role's name has small letters, digits and _ alone")
    statements = [f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"]
    statements += [
        f"GRANT {', '.join(_rights(table))} ON {table} TO {role}"
        for table in sorted(metadata.tables)
    ]
    statements.append(f"GRANT SELECT ON alembic_version TO {role}")
    statements += [f"ALTER ROLE {role} SET {name} = '{value}'" for name, value in SESSION.items()]
    return statements


def grant(place: PostgresPlace, role: str) -> None:
    """Give a role exactly what serving needs, as the tables' owner; what it had more is taken."""
    with administered(place) as server, server.transaction():
        for statement in grants(role):
            server.execute(statement.encode())


def weaknesses(place: Place) -> Sequence[str]:
    """Why a service should not run like this in production; nothing on SQLite."""
    if not isinstance(place, PostgresPlace):
        return []
    found = []
    with administered(place) as server:
        if server.execute("SHOW fsync").fetchone() != ("on",):
            found.append("the server does not write to disk (fsync)")
        if server.execute(_WEAK).fetchone() != (False, False):
            found.append("the role is a superuser: serve by one of its own")
        changeable = [name for (name,) in server.execute(_MAY_CHANGE, (sorted(APPEND_ONLY),))]
    if changeable:
        found.append(f"the role may change {', '.join(changeable)}: makul store grant")
    return found


def _rights(table: str) -> Sequence[str]:
    if table in _READ_ONLY:
        return ["SELECT"]
    if table in APPEND_ONLY:
        return ["SELECT", "INSERT"]
    return ["SELECT", "INSERT", "UPDATE", *(["DELETE"] if table in _FORGETTABLE else [])]

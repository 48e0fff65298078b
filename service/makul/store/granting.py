"""Who may do what in a PostgreSQL store: the service's role adds to records and changes none.

The tables' owner migrates and makes partitions; the role that serves has no right to change or
delete what is append-only, and of other tables may change the columns alone that this program
does. Whoever takes over a worker can still release a recipient, restore a consent's uses or break
the log: the role serves the desk and the sequencer as well. What was decided before stays as it is;
what a superuser can do to it, the ledger shows.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from psycopg import errors

from makul.app.ports import StoreUnavailableError
from makul.store.administering import administered
from makul.store.append_only import APPEND_ONLY
from makul.store.columns import metadata
from makul.store.ledger_tables import ledger_queue
from makul.store.places import Place, PostgresPlace
from makul.store.postgres import SESSION
from makul.store.tables import attempt, gate, seen_message

_FORGETTABLE = frozenset({attempt.name, gate.name, ledger_queue.name, seen_message.name})
_READ_ONLY = frozenset({"store_identity"})
_CHANGED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "agreement": ("state", "valid_from", "valid_to", "terms", "changed_at"),
        "certificate": ("withdrawn_at",),
        "daily_use": ("used",),
        "evidence_use": ("bytes",),
        "gate": ("kind",),
        "ground_use": ("used", "registered_at", "revoked_at"),
        "ledger_head": ("size", "root", "holder", "held_until"),
        "ledger_tile": ("hashes",),
        "paper_use": ("used",),
        "recipient": ("state", "changed_at"),
        "request_key": ("answer", "answer_until"),
        "sealing_certificate": ("withdrawn_at",),
        "signatory": ("withdrawn_at",),
    }
)
"""Columns that are changed where they stand. A row may be locked by whoever may change one of its
columns, so a gate has one. A table or column that is not named here is added to alone.
"""
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_WEAK = """
SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user
"""
_MAY_CHANGE = """
SELECT name FROM unnest(%s::text[]) AS name
WHERE has_any_column_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE')
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
    """Give a role exactly what serving needs, as the tables' owner; what it had more is taken.

    All or nothing. Its time limits are the role's own settings, which PostgreSQL lets only those
    alter who may create roles, and from version 16 on only who made this one.
    """
    with administered(place) as server:
        try:
            with server.transaction():
                for statement in grants(role):
                    server.execute(statement.encode())
        except errors.UndefinedObject:
            raise StoreUnavailableError(f"the server has no role {role}: create it") from None
        except errors.InsufficientPrivilege:
            raise StoreUnavailableError(
                f"not allowed: grant as the tables' owner, who has CREATEROLE and made {role}"
            ) from None


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
    rights = ["SELECT", "INSERT"]
    if table in _CHANGED:
        rights.append(f"UPDATE ({', '.join(_CHANGED[table])})")
    if table in _FORGETTABLE:
        rights.append("DELETE")
    return rights

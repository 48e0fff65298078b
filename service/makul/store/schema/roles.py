"""Rights in a PostgreSQL store: a role for each duty, told from the tables' owner.

The owner migrates, makes partitions and grants. Each duty's role (`duties`) may do what its work
takes: nobody may change or delete what is append-only; only the desk's may change who is given
what, and only the sequencer's may write the log. So whoever takes over a worker can add to the
record, and can neither release a recipient nor break the log. What a superuser does to what was
decided, the ledger shows.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

import psycopg
from psycopg import errors

from makul.app.ports import Duty, StoreUnavailableError
from makul.store.db.admin_connection import administered
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.db.postgres import SESSION
from makul.store.schema.columns import metadata
from makul.store.schema.role_privileges import RIGHTS, VERSION_TABLE, Right

MOST_NAMED = 6
"""So many rights are named in a line; of a role of another duty there are dozens."""

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_ACTING = """
SELECT rolname, rolname = current_user, rolsuper OR rolbypassrls, rolcreaterole,
    rolname = ANY('{pg_execute_server_program,pg_read_server_files,pg_write_server_files}'),
    has_schema_privilege(oid, 'public', 'CREATE'),
    EXISTS (SELECT 1 FROM pg_class WHERE relname = ANY(%s) AND relowner = pg_roles.oid
            AND relnamespace = 'public'::regnamespace)
FROM pg_roles WHERE pg_has_role(oid, 'MEMBER') ORDER BY rolname <> current_user, rolname
"""
"""The role, and those that it may act as: whose rights it has, or may take on by SET ROLE."""

_HELD = """
WITH acting AS (SELECT oid, rolname FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')),
ours AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)
    UNION
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE i.inhparent = to_regclass('public.disclosure')
)
SELECT acting.rolname, ours.relname, verb, ''
FROM acting, ours, unnest('{SELECT,INSERT,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS verb
WHERE has_table_privilege(acting.oid, ours.oid, verb)
   OR (verb IN ('SELECT', 'INSERT', 'REFERENCES')
       AND has_any_column_privilege(acting.oid, ours.oid, verb))
UNION ALL
SELECT acting.rolname, ours.relname, 'UPDATE', a.attname
FROM acting, ours JOIN pg_attribute a
  ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE has_column_privilege(acting.oid, ours.oid, a.attnum, 'UPDATE')
"""
"""Who holds which right: on our tables, and on a month's partition past the whole."""


def is_role_name(text: str) -> bool:
    """A name that needs no quoting: it is written into statements."""
    return _ROLE.fullmatch(text) is not None


def grants(role: str, duty: Duty) -> Sequence[str]:
    """The statements that give a role what its duty takes; raises ValueError for another name."""
    if not is_role_name(role):
        raise ValueError("a role's name has small letters, digits and _ alone")
    statements = [f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"]
    statements += [f"GRANT {what} TO {role}" for what in _by_table(sorted(RIGHTS[duty]))]
    statements += [f"ALTER ROLE {role} SET {name} = '{value}'" for name, value in SESSION.items()]
    return statements


def grant(place: PostgresLocation, role: str, duty: Duty) -> None:
    """Give a role exactly what its duty takes, as the tables' owner; what it had more is taken.

    All or nothing. Its time limits are the role's own settings, which PostgreSQL lets only those
    alter who may create roles, and from version 16 on only who made this one.
    """
    with administered(place) as server:
        try:
            with server.transaction():
                for statement in grants(role, duty):
                    server.execute(statement.encode())
        except errors.UndefinedObject:
            raise StoreUnavailableError(f"the server has no role {role}: create it") from None
        except errors.InsufficientPrivilege:
            raise StoreUnavailableError(
                f"not allowed: grant as the tables' owner, who has CREATEROLE and made {role}"
            ) from None


def weaknesses(place: DatabaseLocation, duty: Duty) -> Sequence[str]:
    """Why nobody should do this duty by this role in production; nothing on SQLite.

    Nothing where the role holds the rights of its duty, all of them and no others, by itself or
    by what it may act as.
    """
    if not isinstance(place, PostgresLocation):
        return []
    with administered(place) as server:
        found = []
        if server.execute("SHOW fsync").fetchone() != ("on",):
            found.append("the server does not write to disk (fsync)")
        return [*found, *(list(_powers(server)) or _misfits(server, duty))]


def _powers(server: "psycopg.Connection[tuple[object, ...]]") -> Iterator[str]:
    """What no grant of ours gives and none takes away."""
    rows = server.execute(_ACTING, (_tables(),)).fetchall()
    for name, itself, is_super, makes_roles, reaches_out, makes_tables, owns in rows:
        who = "the role" if itself else f"the role may act as {name}, which"
        if is_super or owns:
            what = "is a superuser, or passes by row security" if is_super else "owns tables"
            yield f"{who} {what}: use a role made for this alone"
            return
        if reaches_out:
            yield f"{who} reaches the server's files or programs: REVOKE {name}"
        if makes_roles:
            yield f"{who} may make roles: ALTER ROLE {name} NOCREATEROLE"
        if makes_tables:
            yield f"{who} may make tables: REVOKE CREATE ON SCHEMA public FROM {name}, PUBLIC"


def _misfits(server: "psycopg.Connection[tuple[object, ...]]", duty: Duty) -> Iterator[str]:
    """Rights beyond the duty's, and those of it that are missing."""
    (role,) = server.execute("SELECT current_user").fetchone() or ("",)
    held: dict[object, set[Right]] = {role: set()}
    for holder, table, verb, column in server.execute(_HELD, (_tables(),)):
        held.setdefault(holder, set()).add(Right(str(table), str(verb), str(column)))
    mended = f"mend it as the owner: makul store grant {role} --for {duty.value} --apply"
    missing = RIGHTS[duty] - held[role]
    for holder, rights in held.items():
        beyond = rights - RIGHTS[duty]
        if beyond and holder != role:
            yield f"the role may act as {holder} ({_named(beyond)}): REVOKE {holder} FROM {role}"
        elif beyond:
            yield f"the role may do more than {duty.value} takes ({_named(beyond)}): {mended}"
    if missing:
        yield f"the role may not do what {duty.value} takes ({_named(missing)}): {mended}"


def _by_table(rights: Sequence[Right]) -> Iterator[str]:
    """Rights as a GRANT has them: `SELECT, UPDATE (used) ON daily_use`."""
    for table, of_table in groupby(rights, lambda right: right.table):
        said = []
        for verb, same in groupby(of_table, lambda right: right.verb):
            columns = ", ".join(right.column for right in same if right.column)
            said.append(f"{verb} ({columns})" if columns else verb)
        yield f"{', '.join(said)} ON {table}"


def _named(rights: Collection[Right]) -> str:
    """Some of them, what changes something first."""
    inorder = sorted(rights, key=lambda right: (right.verb == "SELECT", right))
    more = f" and {len(inorder) - MOST_NAMED} more" if len(inorder) > MOST_NAMED else ""
    return ", ".join(map(str, inorder[:MOST_NAMED])) + more


def _tables() -> list[str]:
    return [*metadata.tables, VERSION_TABLE]

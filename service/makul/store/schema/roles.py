"""Privileges in a PostgreSQL store: one role for each duty, separate from the owner of the tables.

The owner migrates, creates partitions and grants. The role of each duty may do what its work needs
(`store.schema.role_privileges`). No role may change or delete append-only rows. Only the operator's
role may change rights. Only the sequencer's role may write the log.

So an attacker who controls a worker can add to the record. The attacker can neither release a
recipient nor break the log. The ledger shows what a superuser does to recorded decisions.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

import psycopg
from psycopg import errors

from makul.app.ports import Duty, StoreUnavailableError
from makul.language.translation import mark, translate
from makul.store.db.admin_connection import admin_connection
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.db.postgres import SESSION
from makul.store.schema.role_privileges import RIGHTS, VERSION_TABLE, Right
from makul.store.schema.tables import metadata

MOST_NAMED = 6
"""Maximum number of privileges named in one line. The role of another duty has dozens."""

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_ACTING = """
SELECT rolname, rolname = current_user, rolsuper OR rolbypassrls, rolcreaterole,
    rolname = ANY('{pg_execute_server_program,pg_read_server_files,pg_write_server_files}'),
    has_schema_privilege(oid, 'public', 'CREATE'),
    EXISTS (SELECT 1 FROM pg_class WHERE relname = ANY(%s) AND relowner = pg_roles.oid
            AND relnamespace = 'public'::regnamespace)
FROM pg_roles WHERE pg_has_role(oid, 'MEMBER') ORDER BY rolname <> current_user, rolname
"""
"""Reads the role and the roles whose privileges it has or may take by SET ROLE."""

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
"""Reads the privileges of each role on the store's tables and directly on monthly partitions."""


def is_role_name(text: str) -> bool:
    """Return whether a name needs no quoting. Role names are written into statements unquoted."""
    return _ROLE.fullmatch(text) is not None


def grants(role: str, duty: Duty) -> Sequence[str]:
    """Return the statements that grant a role the privileges of its duty.

    Raises ValueError if the name is not a role name.
    """
    if not is_role_name(role):
        raise ValueError(translate("a role's name has small letters, digits and _ alone"))
    statements = [f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"]
    statements += [f"GRANT {what} TO {role}" for what in _grants_by_table(sorted(RIGHTS[duty]))]
    statements += [f"ALTER ROLE {role} SET {name} = '{value}'" for name, value in SESSION.items()]
    return statements


def grant(location: PostgresLocation, role: str, duty: Duty) -> None:
    """Grant a role exactly the privileges of its duty, and revoke all others, as the tables' owner.

    The change is complete or not made at all. The time limits are settings of the role. PostgreSQL
    lets only roles with CREATEROLE alter them. From version 16 on, only the role that created this
    one may alter them. Raises `StoreUnavailableError` if the role is missing or the owner lacks the
    right.
    """
    with admin_connection(location) as server:
        try:
            with server.transaction():
                for statement in grants(role, duty):
                    server.execute(statement.encode())
        except errors.UndefinedObject:
            raise StoreUnavailableError(
                translate("the server has no role {role}: create it", role=role)
            ) from None
        except errors.InsufficientPrivilege:
            raise StoreUnavailableError(
                translate(
                    "not allowed: grant as the tables' owner, who has CREATEROLE and made {role}",
                    role=role,
                )
            ) from None


def weaknesses(location: DatabaseLocation, duty: Duty) -> Sequence[str]:
    """Return the reasons against this role for this duty in production; none on SQLite.

    There is no reason if the role has exactly the privileges of its duty. Privileges of roles that
    it may act as count too.
    """
    if not isinstance(location, PostgresLocation):
        return []
    with admin_connection(location) as server:
        weak = []
        if server.execute("SHOW fsync").fetchone() != ("on",):
            weak.append(translate("the server does not write to disk (fsync)"))
        return [*weak, *(list(_powers(server)) or _misfits(server, duty))]


_IS_SUPERUSER = (
    mark("the role is a superuser, or passes by row security: use a role made for this alone"),
    mark(
        "the role may act as {name}, which is a superuser, or passes by row security: use a role"
        " made for this alone"
    ),
)
"""The texts of one power: of the role itself, and of a role that it may act as."""
_OWNS_TABLES = (
    mark("the role owns tables: use a role made for this alone"),
    mark("the role may act as {name}, which owns tables: use a role made for this alone"),
)
_REACHES_OUT = (
    mark("the role reaches the server's files or programs: REVOKE {name}"),
    mark("the role may act as {name}, which reaches the server's files or programs: REVOKE {name}"),
)
_MAKES_ROLES = (
    mark("the role may make roles: ALTER ROLE {name} NOCREATEROLE"),
    mark("the role may act as {name}, which may make roles: ALTER ROLE {name} NOCREATEROLE"),
)
_MAKES_TABLES = (
    mark("the role may make tables: REVOKE CREATE ON SCHEMA public FROM {name}, PUBLIC"),
    mark(
        "the role may act as {name}, which may make tables: REVOKE CREATE ON SCHEMA public FROM"
        " {name}, PUBLIC"
    ),
)


def _powers(server: "psycopg.Connection[tuple[object, ...]]") -> Iterator[str]:
    """Yield the powers of a role that our grants neither give nor revoke."""
    rows = server.execute(_ACTING, (_tables(),)).fetchall()
    for name, itself, is_super, makes_roles, reaches_out, makes_tables, owns in rows:
        powers = (
            (is_super, _IS_SUPERUSER),
            (owns and not is_super, _OWNS_TABLES),
            (reaches_out, _REACHES_OUT),
            (makes_roles, _MAKES_ROLES),
            (makes_tables, _MAKES_TABLES),
        )
        for has_power, texts in powers:
            if has_power:
                yield translate(texts[0] if itself else texts[1], name=name)
                if is_super or owns:
                    return  # no grant helps such a role, so its other powers are not named


def _misfits(server: "psycopg.Connection[tuple[object, ...]]", duty: Duty) -> Iterator[str]:
    """Yield the privileges beyond the duty's, and the privileges of the duty that are missing."""
    (role,) = server.execute("SELECT current_user").fetchone() or ("",)
    held: dict[object, set[Right]] = {role: set()}
    for holder, table, verb, column in server.execute(_HELD, (_tables(),)):
        held.setdefault(holder, set()).add(Right(str(table), str(verb), str(column)))
    missing = RIGHTS[duty] - held[role]
    for holder, rights in held.items():
        beyond = rights - RIGHTS[duty]
        if beyond and holder != role:
            yield translate(
                "the role may act as {holder} ({rights}): REVOKE {holder} FROM {role}",
                holder=holder,
                rights=_name_some(beyond),
                role=role,
            )
        elif beyond:
            yield translate(
                "the role may do more than {duty} takes ({rights}): mend it as the owner: makul"
                " store grant {role} --for {duty} --apply",
                rights=_name_some(beyond),
                duty=duty.value,
                role=role,
            )
    if missing:
        yield translate(
            "the role may not do what {duty} takes ({rights}): mend it as the owner: makul store"
            " grant {role} --for {duty} --apply",
            rights=_name_some(missing),
            duty=duty.value,
            role=role,
        )


def _grants_by_table(rights: Sequence[Right]) -> Iterator[str]:
    """Yield privileges in the form of a GRANT: `SELECT, UPDATE (used) ON daily_use`."""
    for table, of_table in groupby(rights, lambda right: right.table):
        grants = []
        for verb, same in groupby(of_table, lambda right: right.verb):
            columns = ", ".join(right.column for right in same if right.column)
            grants.append(f"{verb} ({columns})" if columns else verb)
        yield f"{', '.join(grants)} ON {table}"


def _name_some(rights: Collection[Right]) -> str:
    """Return a text that names some of the privileges, those that permit changes first."""
    inorder = sorted(rights, key=lambda right: (right.verb == "SELECT", right))
    named = ", ".join(map(str, inorder[:MOST_NAMED]))
    if len(inorder) <= MOST_NAMED:
        return named
    return translate("{rights} and {number} more", rights=named, number=len(inorder) - MOST_NAMED)


def _tables() -> list[str]:
    return [*metadata.tables, VERSION_TABLE]

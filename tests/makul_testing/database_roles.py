"""A role for each duty on a PostgreSQL server, and the privileges that a duty's work uses."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Table
from sqlalchemy.sql import visitors

from makul.app.ports import Duty
from makul.store.db.base import CompiledStatements
from makul.store.db.location import PostgresLocation
from makul.store.schema.role_privileges import VERSION_TABLE, Right
from makul.store.schema.roles import grant

SUPERUSER = "user=postgres"
"""A URL in the form of `Cluster.url`."""

_SET = re.compile(r"(?:SET |, )(\w+)=")
_UPSERTED = re.compile(r"(?:^|, )(\w+) = ")


def create_duty_roles(owner: PostgresLocation) -> Mapping[Duty, PostgresLocation]:
    """Return how the role of each duty connects to a store; the server's roles are made once."""
    places = {}
    with psycopg.connect(owner.url, autocommit=True) as server:
        known = {name for (name,) in server.execute("SELECT rolname FROM pg_roles")}
        for duty in Duty:
            role = f"makul_{duty.value}"
            if role not in known:
                server.execute(f"CREATE ROLE {role} LOGIN".encode())
            grant(owner, role, duty)
            places[duty] = as_role(owner, role)
    return places


def as_role(owner: PostgresLocation, role: str) -> PostgresLocation:
    """Return the same database by another role."""
    assert SUPERUSER in owner.url
    return PostgresLocation(url=owner.url.replace(SUPERUSER, f"user={role}"))


@dataclass(slots=True)
class UsedPrivileges:
    """The privileges that statements used."""

    rights: set[Right] = field(default_factory=lambda: {Right(VERSION_TABLE, "SELECT")})
    """The version of a store is queried in plain SQL."""
    locked: set[str] = field(default_factory=set)
    """Tables in which rows were locked, which needs a column that may be changed."""

    def note(self, statement: Any, sql: str) -> None:
        """Note the privileges that a statement needs."""
        if statement.is_select:
            self._reads(*_tables_in(statement))
            if " FOR UPDATE" in sql or " FOR SHARE" in sql:
                self.locked |= {table.name for table in statement.get_final_froms()}
            return
        table = statement.table.name
        if statement.is_insert:
            self.rights.add(Right(table, "INSERT"))
            if statement.select is not None:
                self._reads(*_tables_in(statement.select))
            _, is_upsert, assigned = sql.partition(" DO UPDATE SET ")
            if is_upsert:
                self._reads(table)
                self.rights |= {
                    Right(table, "UPDATE", name) for name in _UPSERTED.findall(assigned)
                }
            return
        self._reads(table, *_tables_in(statement))
        if statement.is_delete:
            self.rights.add(Right(table, "DELETE"))
            return
        assigned = sql.partition(" WHERE ")[0]
        self.rights |= {Right(table, "UPDATE", name) for name in _SET.findall(assigned)}

    def _reads(self, *tables: str) -> None:
        self.rights |= {Right(table, "SELECT") for table in tables}

    def needed(self, granted: frozenset[Right]) -> set[Right]:
        """Return the granted privileges that are needed: of a table that is only locked, one
        column.
        """
        changed = {right.table for right in self.rights if right.verb == "UPDATE"}
        by_table: dict[str, Right] = {}
        for right in sorted(granted):
            if right.verb == "UPDATE" and right.table in self.locked - changed:
                by_table.setdefault(right.table, right)
        return self.rights | set(by_table.values())


@contextmanager
def privileges_noted(noted: UsedPrivileges) -> Iterator[None]:
    """Note every statement that runs in the block, for any store."""
    prepare = CompiledStatements.prepare

    def note_and_prepare(self: CompiledStatements, statement: Any) -> Any:
        prepared = prepare(self, statement)
        noted.note(statement, prepared.sql)
        return prepared

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CompiledStatements, "prepare", note_and_prepare)
        yield


def _tables_in(statement: Any) -> set[str]:
    """Return every table in any part of a statement."""
    elements = list(visitors.iterate(statement))
    tables = [*elements, *(each.table for each in elements if isinstance(each, Column))]
    return {each.name for each in tables if isinstance(each, Table)}

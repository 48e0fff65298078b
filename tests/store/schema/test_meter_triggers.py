"""A usage counter only increases, for any statement and any role."""

from typing import Any

import psycopg
import pytest
from pysqlite3 import dbapi2

from makul.app.ports import Duty, StoreUnavailableError
from makul.store import StoreKeys, open_store
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.schema.meter_triggers import SINCE_0007
from makul.store.schema.tables import metadata
from makul_testing.database_roles import create_duty_roles
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import parameters, raw

REFUSED: Any = (dbapi2.IntegrityError, psycopg.errors.IntegrityConstraintViolation)
_A_VALUE = {bytes: b"\1" * 32, str: "X", int: 2}


@pytest.fixture
def metered(place: DatabaseLocation) -> DatabaseLocation:
    return fill_usage_tables(place)


def fill_usage_tables(place: DatabaseLocation) -> DatabaseLocation:
    """Write one row into each usage table, with the count two."""
    with raw(place) as connection:
        for name in SINCE_0007:
            columns = metadata.tables[name].columns
            row = tuple(_A_VALUE[column.type.python_type] for column in columns)
            values = ", ".join("?" * len(row))
            connection.execute(parameters(place, f"INSERT INTO {name} VALUES ({values})"), row)  # noqa: S608
    return place


def set_to(place: DatabaseLocation, table: str, value: int) -> None:
    with raw(place) as connection:
        connection.execute(f"UPDATE {table} SET {SINCE_0007[table]} = {value}")  # noqa: S608


def reading(place: DatabaseLocation, table: str) -> int:
    with raw(place) as connection:
        (value,) = connection.execute(f"SELECT {SINCE_0007[table]} FROM {table}").fetchone()  # noqa: S608
        return int(value)


@pytest.mark.parametrize("table", sorted(SINCE_0007))
def test_a_counter_is_not_reduced(metered: DatabaseLocation, table: str) -> None:
    """It is not set to zero or reduced by one; the same value or more is accepted."""
    for less in (0, 1):
        with pytest.raises(REFUSED, match=f"{table} counts up"):
            set_to(metered, table, less)
        assert reading(metered, table) == 2

    set_to(metered, table, 2)
    if table != "ground_use":  # the count has its maximum
        set_to(metered, table, 3)
        assert reading(metered, table) == 3


def test_the_serving_role_gives_no_use_back(server: Cluster, server_template: str) -> None:
    """The serving role may count, so it may change the column; the trigger stops a decrease."""
    name = server.create(template=server_template)
    fill_usage_tables(server.place(name))
    serving = create_duty_roles(server.place(name))[Duty.SERVING]

    for table in SINCE_0007:
        with pytest.raises(REFUSED, match="counts up"):
            set_to(serving, table, 1)
        assert reading(serving, table) == 2
    server.drop(name)


def test_every_counter_has_a_trigger() -> None:
    """The test fails for a new counter without a trigger.

    `recipient_use` limits what a recipient costs. It takes and gives no right.
    """
    counting = {
        name: column.name
        for name, table in metadata.tables.items()
        for column in table.columns
        if column.name in {"used", "bytes"} and name != "recipient_use"
    }

    assert counting == dict(SINCE_0007)


@pytest.mark.parametrize("table", sorted(SINCE_0007))
def test_a_store_without_one_of_the_triggers_is_not_opened(
    metered: DatabaseLocation, keys: StoreKeys, table: str
) -> None:
    name = f"{table}_counts_up"
    with raw(metered) as connection:
        on = f" ON {table}" if isinstance(metered, PostgresLocation) else ""
        connection.execute(f"DROP TRIGGER {name}{on}")

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(metered, keys, who="operator")


def test_a_trigger_without_effect_is_found(
    server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """The function that the trigger calls is checked as well."""
    name = server.create(template=server_template)
    server.execute(
        "CREATE OR REPLACE FUNCTION makul_counts_up() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        database=name,
    )

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(server.place(name), keys, who="operator")
    server.drop(name)

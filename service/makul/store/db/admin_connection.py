"""A plain connection to a PostgreSQL store for operators: partitions, privileges and inspection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from makul.app.ports import StoreUnavailableError
from makul.language.translation import translate
from makul.store.db.error_texts import describe_failure
from makul.store.db.location import PostgresLocation


@contextmanager
def admin_connection(location: PostgresLocation) -> Iterator["psycopg.Connection[Any]"]:
    """Yield a separate connection on which each statement is its own transaction.

    Raises `StoreUnavailableError` for every error of the driver.
    """
    try:
        with psycopg.connect(location.url, autocommit=True) as server:
            yield server
    except psycopg.Error as error:
        raise StoreUnavailableError(
            translate("the record store failed: {problem}", problem=describe_failure(error))
        ) from None

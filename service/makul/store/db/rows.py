"""Rows with named columns: a new column in a statement does not move any other."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select

from makul.store.db.base import Row

RowT = TypeVar("RowT", bound=NamedTuple)


def build_row_reader(statement: Select[Any], kind: type[RowT]) -> Callable[[Row], RowT]:
    """Return the function that reads a row of a statement as a named tuple.

    It must be called once, at the definition of the statement. It then compares the fields with the
    columns at import and not in a request. Raises `TypeError` if they differ in name, number or
    order.
    """
    columns = tuple(column.key for column in statement.selected_columns)
    if columns != kind._fields:
        raise TypeError(f"{kind.__name__} does not name the columns of its statement: {columns}")
    return kind._make

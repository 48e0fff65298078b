"""Arguments of `makul month` commands."""

from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.domain.months import MalformedMonthError, Month, month_before, parse_month
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

InMonth = Annotated[
    str | None,
    typer.Argument(
        metavar="YYYY-MM",
        help="A month of the calendar of the Kyrgyz Republic; by default the last that ended.",
        show_default=False,
    ),
]


def read_month_option(text: str | None, installation: "Installation") -> Month:
    """Return the month of an argument; by default the last that ended. Raises `OperatorError`."""
    if text is None:
        return month_before(installation.clock())
    try:
        return parse_month(text)
    except MalformedMonthError as error:
        raise OperatorError(translate(str(error))) from None

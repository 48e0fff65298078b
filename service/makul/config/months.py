"""`[months]` of the settings: the issued monthly statements (Procedure, cl. 11)."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from makul.config.base import Section


class MonthSettings(Section):
    """The files of statements, and the term for recipients."""

    directory: Path | None = None
    """The directory of issued statements, as `makul month build --output` writes it.

    Without it the service can give a statement's head and no page.
    """
    confirm_days: Annotated[int, Field(ge=1, le=90)] = 10
    """Days after the issue in which a recipient confirms or contests."""

    @property
    def term(self) -> timedelta:
        """The term for recipients."""
        return timedelta(days=self.confirm_days)

"""`[corrections]` of the settings: the deadlines of corrections (Procedure, cl. 14)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from makul.config.base import Section
from makul.domain.corrections import CorrectionTerms


class CorrectionSettings(Section):
    """The deadlines. The Procedure sets none; the parties agree on them."""

    examine_days: Annotated[int, Field(ge=1, le=90)] = 3
    """Days from a report to the beginning of its examination."""
    resolve_days: Annotated[int, Field(ge=1, le=365)] = 14
    """Days from a report to its result."""
    acknowledge_days: Annotated[int, Field(ge=1, le=90)] = 7
    """Days from a correction to the acknowledgement of a recipient that holds the wrong value."""

    @property
    def terms(self) -> CorrectionTerms:
        """The deadlines as durations."""
        return CorrectionTerms(
            examine_within=timedelta(days=self.examine_days),
            resolve_within=timedelta(days=self.resolve_days),
            acknowledge_within=timedelta(days=self.acknowledge_days),
        )

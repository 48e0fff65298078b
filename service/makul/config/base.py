"""What every section of the settings is."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A table of the settings file: an unknown key is refused, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _names_files_that_can_be(self) -> Self:
        """No file's name has a NUL (path_resolution(7)); a look at such a name is a ValueError."""
        for name, value in self:
            if isinstance(value, Path) and "\0" in str(value):
                raise ValueError(f"{name}: no file can have such a name")
        return self

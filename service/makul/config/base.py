"""The base of every section of the settings."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from makul.language.translation import translate


class Section(BaseModel):
    """A table of the settings file. It refuses unknown keys and is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _names_files_that_can_be(self) -> Self:
        """Refuse NUL in a file name (path_resolution(7)), which would raise ValueError on use."""
        for name, value in self:
            if isinstance(value, Path) and "\0" in str(value):
                raise ValueError(translate("{name}: no file can have such a name", name=name))
        return self

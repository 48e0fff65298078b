"""What every section of the settings is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the settings file: an unknown key is refused, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

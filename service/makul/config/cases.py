"""`[cases]` of the settings: the evidence files of cases (Procedure, cl. 12)."""

from pathlib import Path

from makul.config.base import Section


class CaseSettings(Section):
    """The evidence files that `makul case build --case` attaches and the service gives."""

    directory: Path | None = None
    """The directory of evidence files. Without it none can be attached or given."""

"""The duties that a database's roles are parted by, where the database knows roles."""

from enum import StrEnum


class Duty(StrEnum):
    """What somebody does with the record. Each has a role of its own, and the rights for that."""

    SERVING = "serving"
    """Answers requests: `makul serve`, its workers and its exporter."""
    DESK = "desk"
    """Registers, changes, looks and checks: the operator's commands."""
    SEQUENCING = "sequencing"
    """Builds and signs the log: `makul ledger run` and `makul ledger recover`."""

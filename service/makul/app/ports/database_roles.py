"""Duties that have separate database roles, if the database supports roles."""

from enum import StrEnum


class Duty(StrEnum):
    """A task performed on the record.

    Each duty has its own database role with exactly the privileges of that duty.
    """

    SERVING = "serving"
    """Answers requests: `makul serve`, its workers and its metrics exporter."""
    OVERSIGHT = "oversight"
    """Answers the supervising bodies: `makul serve` with listeners of the port `oversight`."""
    SUBJECT = "subject"
    """Answers portals on behalf of citizens: `makul serve` with listeners of the port `subject`."""
    DESK = "desk"
    """Registers, changes, reads and checks: the operator's commands."""
    SEQUENCING = "sequencing"
    """Builds and signs the log: `makul ledger run` and `makul ledger recover`."""
    NOTIFYING = "notifying"
    """Sends notifications to subjects: `makul notification send`."""

"""The exit codes of `makul`, and the one for each error that an operator can correct."""

from enum import IntEnum

from makul.admin.errors import OperatorError, OperatorUnavailableError


class ExitCode(IntEnum):
    """The exit codes of `makul`."""

    DONE = 0
    REFUSED = 1
    """The command was refused or failed. The line on stderr says why and what to do."""
    USAGE = 2
    """The command was not understood."""
    UNAVAILABLE = 3
    """Store, keys, settings or network are unavailable. The same command may succeed later."""


class DocumentExit(IntEnum):
    """The exit codes of `makul document verify`, which begin with the indication of the report."""

    PASSED = 0
    FAILED = 1
    INDETERMINATE = 2
    UNAVAILABLE = 3
    USAGE = 64
    """`EX_USAGE` of sysexits.h. Other commands use 2, which means INDETERMINATE here."""


class DocumentUsageError(OperatorError):
    """A command of `makul document` that was not understood."""


def exit_code_for(error: OperatorError) -> IntEnum:
    """Return the exit code of an error that an operator can correct."""
    match error:
        case DocumentUsageError():
            return DocumentExit.USAGE
        case OperatorUnavailableError():
            return ExitCode.UNAVAILABLE
    return ExitCode.REFUSED

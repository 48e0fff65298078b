"""Errors that an operator can correct. The command line turns them into exit codes."""


class OperatorError(Exception):
    """An error that an operator can correct. Its one-line message says what to do.

    The message names no person.
    """


class MissingStatementError(OperatorError):
    """The month was stated, but not for this recipient, who may have been registered later."""


class OperatorUnavailableError(OperatorError):
    """Settings, keys or store cannot be opened. The same command may succeed later."""

"""Errors of copies, for an operator to correct."""


class BackupError(Exception):
    """A copy that cannot be used. Its one-line message says why and names no person."""


class BackupToolError(Exception):
    """A program or place that a copy or restore needs is missing. The message says what to do."""

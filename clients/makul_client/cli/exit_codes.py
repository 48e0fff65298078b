"""The exit codes of the commands, and the mapping of errors and outcomes to them."""

from enum import IntEnum
from typing import Final

from makul_client.errors import (
    EncryptionError,
    EvidenceError,
    FaultError,
    LedgerError,
    MakulError,
    ReceiptError,
    RefusedError,
    StatementError,
    TransportError,
    UndeterminedError,
    UnfinishedError,
)
from makul_client.models.reasons import Retry


class ExitCode(IntEnum):
    """The exit codes, by which a script may branch."""

    OK = 0
    NO = 1
    USAGE = 2
    LATER = 3
    RECEIPT = 4
    REJECTED = 5


EXIT_CODES: Final = """\b
Exit codes:
  0  done: released, matched, accepted
  1  the answer is no: refused, or not matched
  2  wrong use: an option, the profile, a document, an output file;
     nothing was sent
  3  not now: unreachable, unavailable, undetermined, broken off, or the
     answer could not be written; repeat the same command with --request-id
  4  the operator's receipt must not be trusted, and the answer was withheld;
     or its proof in the log is not valid or is overdue
  5  the message was not accepted: its form, its signature, or who sent it
"""


OFFICER_EXIT_CODES: Final = EXIT_CODES.replace(
    "done: released, matched, accepted", "done, or shown"
).replace("refused, or not matched", "the act was refused")
"""The same codes in the words of the officers' program."""


def exit_code(error: MakulError) -> ExitCode:
    """Return the exit code of an error; see `EXIT_CODES`."""
    match error:
        case (
            ReceiptError() | EncryptionError() | LedgerError() | StatementError() | EvidenceError()
        ):
            return ExitCode.RECEIPT
        case UndeterminedError() | TransportError() | UnfinishedError():
            return ExitCode.LATER
        case RefusedError() | FaultError() if error.retry is Retry.LATER:
            return ExitCode.LATER
        case RefusedError():
            return ExitCode.NO
        case FaultError():
            return ExitCode.REJECTED
    return ExitCode.USAGE


def outcome_code(outcome: str) -> ExitCode:
    """Return the exit code of a decision that was returned rather than raised."""
    if outcome in {"REFUSED", "NOT_MATCHED"}:
        return ExitCode.NO
    return ExitCode.LATER if outcome == "UNDETERMINED" else ExitCode.OK

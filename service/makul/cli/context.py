"""What every command starts from: the runtime, and which installation is meant."""

import signal
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from makul.admin.models import House, OperatorError, Runtime
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, parse_member_code
from makul.domain.recipients import Recipient

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Apply = Annotated[
    bool, typer.Option("--apply", help="Do it. Without this, only say what would be.")
]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Member code, such as COM/60000001.")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation of `makul`; it travels as the context's object."""

    runtime: Runtime
    config: Path

    def house(self) -> AbstractContextManager[House]:
        """Open the installation."""
        return self.runtime.open(self.config)


def session(ctx: typer.Context) -> Session:
    """The session of this invocation."""
    found = ctx.find_object(Session)
    if found is None:
        raise RuntimeError("the command line was built without its root")
    return found


def member_code(text: str) -> MemberCode:
    """A member code that was typed."""
    try:
        return parse_member_code(text)
    except MalformedIdentifierError as error:
        raise OperatorError(f"{error}") from None


def said(reason: str) -> str:
    """A reason that was typed."""
    if not reason.strip():
        raise OperatorError("--reason is empty; say why, for it is recorded")
    return reason


def person_id(text: str) -> str:
    """How somebody who signs is told apart, as it was typed."""
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise OperatorError("--id is 1 to 64 printable characters")
    return text


def registered(house: House, code: str) -> Recipient:
    """The recipient of this code, who must be registered."""
    wanted = member_code(code)
    for recipient in house.desk.recipients():
        if recipient.code == wanted:
            return recipient
    raise OperatorError(f"{wanted} is not registered; add it first: makul recipient add {wanted}")


def stopped_by_signal() -> threading.Event:
    """Set by SIGTERM and SIGINT: for commands that run until they are stopped."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    return stopped


def examples(*lines: str) -> str:
    """An epilogue of commands that work as they stand."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)

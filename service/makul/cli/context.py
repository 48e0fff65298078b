"""The common parts of all commands: the runtime, the settings path, and common arguments."""

import signal
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, parse_member_code
from makul.domain.recipients import Recipient
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation
    from makul.admin.runtime import Runtime

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Member code, such as COM/60000001.")]
Reason = Annotated[str, typer.Option(help="The reason; it is recorded.")]


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation of `makul`, stored as the object of typer's context."""

    runtime: "Runtime"
    config: Path


def session(ctx: typer.Context) -> Session:
    """Return the session of this invocation."""
    current = ctx.find_object(Session)
    if current is None:
        raise RuntimeError("the command line was built without its root")
    return current


def open_installation(ctx: typer.Context) -> "AbstractContextManager[Installation]":
    """Open the installation that the settings of this invocation name."""
    current = session(ctx)
    return current.runtime.open(current.config)


def member_code(text: str) -> MemberCode:
    """Return a typed member code. Raises `OperatorError` if it is malformed."""
    try:
        return parse_member_code(text)
    except MalformedIdentifierError as error:
        raise OperatorError(translate(str(error))) from None


def require_reason(reason: str) -> str:
    """Return a typed reason. Raises `OperatorError` if it is empty."""
    if not reason.strip():
        raise OperatorError(translate("--reason is empty; say why, for it is recorded"))
    return reason


def person_id(text: str) -> str:
    """Return the typed identifier of a person who signs.

    Raises `OperatorError` if it is malformed.
    """
    if not 1 <= len(text) <= 64 or not text.isprintable():
        raise OperatorError(translate("--id is 1 to 64 printable characters"))
    return text


def require_recipient(installation: "Installation", code: str) -> Recipient:
    """Return the recipient with this code. Raises `OperatorError` if it is not registered."""
    member = member_code(code)
    for recipient in installation.registry.recipients():
        if recipient.code == member:
            return recipient
    raise OperatorError(
        translate(
            "{member} is not registered; add it first: makul recipient add {member}", member=member
        )
    )


def stopped_by_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set, for commands that run until they are stopped."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        stopped.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    return stopped


def examples(*lines: str) -> str:
    """Return an epilogue with example commands that can be copied unchanged."""
    return "Examples:\n\n\b\n" + "\n".join(f"  {line}" for line in lines)

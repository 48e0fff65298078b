"""The officer's profile and client for one run, and the confirmation of an act that takes a right.

The preview follows the operator's program: without --apply, nothing is sent until the officer
confirms the act at a terminal.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import typer

from makul_client.cli.confirmation import require_confirmation
from makul_client.cli.late_commands import late
from makul_client.cli.output import print_json, print_note, print_pairs
from makul_client.cli.run import receipt_in
from makul_client.errors import OutputError
from makul_client.models.acts import Act
from makul_client.translation import current_language, translate, translate_cause

if TYPE_CHECKING:
    from makul_client.officer_profile import OfficerProfile
    from makul_client.oversight import OversightClient
else:
    OfficerProfile = late("officer_profile", "OfficerProfile")
    OversightClient = late("oversight", "OversightClient")

PROFILE_OPTIONS: Final = ("--profile", "-p", "--config")
PROFILE_VARIABLE: Final = "MAKUL_OFFICER_PROFILE"


def load_profile(ctx: typer.Context) -> OfficerProfile:
    """Return the officer's profile, with the language in use.

    Raises `typer.BadParameter` if neither the option nor the variable names one.
    """
    file = ctx.find_root().obj
    if not isinstance(file, Path):
        raise typer.BadParameter(
            translate(
                "name your profile before the command: --profile FILE, or the variable {variable}",
                variable=PROFILE_VARIABLE,
            )
        )
    return replace(OfficerProfile.load(file), language=current_language())


def open_oversight_client(ctx: typer.Context) -> OversightClient:
    """Return a client of the officer, whose reasons are in the language in use."""
    return OversightClient(load_profile(ctx))


@contextmanager
def stored_receipt(
    profile: OfficerProfile, chosen: Path | None, request_id: UUID
) -> Iterator[Callable[[Act], AbstractContextManager[None]]]:
    """Reserve the file of an act's receipt before anything is sent; see `receipt_in`.

    The file is the one that the officer chose, or a new one in the profile's directory of receipts,
    named after the request. Raises `OutputError`.
    """
    if chosen is not None:
        with receipt_in(chosen) as keep:
            yield keep
        return
    file = _file_in_store(profile.officer.receipts, request_id)
    try:
        with receipt_in(file) as keep:
            yield keep
    finally:
        if file is not None and file.exists():
            print_note(translate("The receipt is stored in {file}.", file=file))


def _file_in_store(store: Path | None, request_id: UUID) -> Path | None:
    """Return the first free name of a request's receipts. A repeated request has several."""
    if store is None:
        return None
    try:
        store.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(
            translate(
                "{file}: it cannot be written ({cause})",
                file=store,
                cause=translate_cause(error.strerror or ""),
            )
        ) from None
    names = (f"{request_id}{f'-{number}' if number > 1 else ''}.xml" for number in count(1))
    return next(store / name for name in names if not (store / name).exists())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAct:
    """An act that takes a right away, before it is sent."""

    operation: str
    """Its name on the wire."""
    title: str
    """What it does, translated."""
    target: str
    """The code or number that the officer types to confirm it."""
    justification: str

    def require_confirmation(self, profile: OfficerProfile, *, apply: bool, as_json: bool) -> None:
        """Show the act and return if the officer confirms it, or at once with `apply`.

        Otherwise end the run; nothing was sent. Without a terminal the run ends after the preview.
        """

        def show() -> None:
            if as_json:
                facts = {"target": self.target, "justification": self.justification}
                print_json({"act": self.operation, "applied": False, **facts})
            else:
                print_pairs(translate("Would do: {act}", act=self.title), self._rows(profile))

        require_confirmation(self.target, show, apply=apply, as_json=as_json)

    def _rows(self, profile: OfficerProfile) -> Sequence[tuple[str, str]]:
        return [
            (translate("target"), self.target),
            (translate("justification"), self.justification),
            (translate("body"), profile.officer.body),
            (translate("service"), profile.service.url),
        ]

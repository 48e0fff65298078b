"""The command `makul-oversight receipt verify`: verify the stored receipts of acts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul_client.cli.exit_codes import ExitCode, exit_code
from makul_client.cli.late_commands import late
from makul_client.cli.options import AsJson, officer_examples
from makul_client.cli.output import print_result, read_file
from makul_client.cli.oversight.session import load_profile
from makul_client.cli.receipt import worst_code
from makul_client.cli.run import report_errors
from makul_client.errors import MakulError, ProfileError, ReceiptError, ReceiptFlaw
from makul_client.models.response import Receipt
from makul_client.translation import current_language, translate

if TYPE_CHECKING:
    from makul_client._internal.wsse import utc_now
    from makul_client.officer_profile import OfficerProfile
    from makul_client.receipts.verifier import ReceiptVerifier
    from makul_client.transparency.leaf_search import find_inclusion
    from makul_client.transparency.verifier import LedgerVerifier, ReceiptState
else:
    LedgerVerifier = late("transparency.verifier", "LedgerVerifier")
    ReceiptVerifier = late("receipts.verifier", "ReceiptVerifier")
    ReceiptState = late("transparency.verifier", "ReceiptState")
    find_inclusion = late("transparency.leaf_search", "find_inclusion")
    utc_now = late("_internal.wsse", "utc_now")

receipt_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Verify stored receipts of acts."
)


@receipt_app.callback()
def receipt() -> None:
    """Verify stored receipts of acts."""


@receipt_app.command(
    epilog=officer_examples(
        "makul-oversight receipt verify receipts/*.xml",
        "makul-oversight receipt verify --log /media/log receipt.xml --json",
    )
)
def verify(
    ctx: typer.Context,
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Stored receipts.")],
    log: Annotated[
        str | None,
        typer.Option(metavar="URL|DIR", help="The log; default: the profile's, if it has one."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify receipts of acts of your body.

    Checks the operator's signature and certificate, and that the receipt is of your body. If the
    profile has a table [ledger], the act must also be in the log. Nothing is sent to the service.

    The exit code is 4 if one of them has a flaw. It is 3 if none has a flaw and one is not in the
    log yet.
    """
    with report_errors(as_json=as_json):
        checker = _ActReceiptChecker.of(load_profile(ctx), log)
        rows = [_row(file, checker) for file in files]
        print_result([each.fields for each in rows], *(each.line for each in rows), as_json=as_json)
        raise typer.Exit(worst_code([each.code for each in rows]))


@dataclass(frozen=True)
class _ActReceiptRow:
    """The result of one file."""

    code: ExitCode
    line: str
    fields: dict[str, object]


@dataclass(frozen=True)
class _ActReceiptChecker:
    """The verifiers of a body's receipts, and the place of the log if it is asked."""

    body: str
    receipts: ReceiptVerifier
    ledger: LedgerVerifier | None
    log: str | None

    @classmethod
    def of(cls, profile: OfficerProfile, log: str | None) -> _ActReceiptChecker:
        """Return the verifiers of a profile. Raises `ProfileError` for a log without its key."""
        ledger = profile.ledger
        if ledger is None and log is not None:
            raise ProfileError(
                translate("the profile has no table [ledger]: ask the operator for its key")
            )
        place = log or (ledger.log if ledger is not None else None)
        return cls(
            body=profile.officer.body,
            receipts=ReceiptVerifier(profile.operator),
            ledger=LedgerVerifier(ledger, language=current_language())
            if ledger is not None and place is not None
            else None,
            log=place,
        )

    def verify(self, document: bytes) -> tuple[Receipt, int | None, bool]:
        """Return a receipt, its index in the log, and whether the log must still show it."""
        found = self.receipts.verify_kept(document, at=utc_now())
        if found.recipient != self.body:
            raise ReceiptError(ReceiptFlaw.REQUEST, translate("it is of another body"))
        if self.ledger is None or self.log is None:
            return found, None, False
        inclusion = find_inclusion(found.leaf_hash, self.log)
        proof = self.ledger.prove(found, inclusion, at=utc_now())
        return found, proof.index, proof.state is not ReceiptState.PROVED


def _row(file: Path, checker: _ActReceiptChecker) -> _ActReceiptRow:
    try:
        found, index, is_pending = checker.verify(read_file(file))
    except MakulError as error:
        flaw = getattr(error, "flaw", None)
        return _ActReceiptRow(
            exit_code(error),
            f"{file}: {error}",
            {"file": str(file), "valid": False, "flaw": flaw, "message": str(error)},
        )
    act = translate(
        "{file}: {operation}, {outcome}, act {act_id}",
        file=file,
        operation=found.operation,
        outcome=found.outcome,
        act_id=found.receipt_id,
    )
    fields = {"file": str(file), "valid": True, "index": index, "pending": is_pending}
    return _ActReceiptRow(
        ExitCode.LATER if is_pending else ExitCode.OK,
        f"{act}; {_describe_proof(index, checker.log, is_pending=is_pending)}",
        {**fields, "receipt": found},
    )


def _describe_proof(index: int | None, log: str | None, *, is_pending: bool) -> str:
    if is_pending:
        return translate("not proved in the log yet: check it again later")
    if index is None or log is None:
        return translate("the log was not asked, because the profile names none")
    return translate("in the log at index {index}", index=index)

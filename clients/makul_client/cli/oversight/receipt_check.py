"""The command `makul-oversight receipt verify`: verify the stored receipts of acts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul_client.cli.exit_codes import ExitCode, exit_code
from makul_client.cli.late_commands import late
from makul_client.cli.options import AsJson, examples
from makul_client.cli.output import print_result, read_file
from makul_client.cli.oversight.session import load_profile
from makul_client.cli.run import reporting
from makul_client.errors import MakulError, ReceiptError, ReceiptFlaw
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client._internal.wsse import utc_now
    from makul_client.receipts.verifier import ReceiptVerifier
else:
    ReceiptVerifier = late("receipts.verifier", "ReceiptVerifier")
    utc_now = late("_internal.wsse", "utc_now")

receipt_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Verify stored receipts of acts."
)


@receipt_app.callback()
def receipt() -> None:
    """Verify stored receipts of acts."""


@receipt_app.command(
    epilog=examples(
        "makul-oversight receipt verify receipt.xml",
    )
)
def verify(
    ctx: typer.Context,
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files from --receipt.")],
    as_json: AsJson = False,
) -> None:
    """Verify receipts of acts of your body.

    Checks the operator's signature and certificate, and that the receipt is of your body. Nothing
    is sent. The exit code is 4 if one of them has a flaw.
    """
    with reporting(as_json=as_json):
        profile = load_profile(ctx)
        verifier = ReceiptVerifier(profile.operator)
        rows = [_row(file, verifier, profile.officer.body) for file in files]
        print_result(
            [fields for _, _, fields in rows], *(line for _, line, _ in rows), as_json=as_json
        )
        raise typer.Exit(max(code for code, _, _ in rows))


def _row(
    file: Path, verifier: ReceiptVerifier, body: str
) -> tuple[ExitCode, str, dict[str, object]]:
    """Return the exit code of a file, its line for people and its fields for programs."""
    try:
        found = verifier.verify_kept(read_file(file), at=utc_now())
        if found.recipient != body:
            raise ReceiptError(ReceiptFlaw.REQUEST, translate("it is of another body"))
    except MakulError as error:
        flaw = getattr(error, "flaw", None)
        fields: dict[str, object] = {"file": str(file), "flaw": flaw, "message": str(error)}
        return exit_code(error), f"{file}: {error}", fields
    line = translate(
        "{file}: {operation}, {outcome}, act {act_id}",
        file=file,
        operation=found.operation,
        outcome=found.outcome,
        act_id=found.receipt_id,
    )
    return ExitCode.OK, line, {"file": str(file), "flaw": None, "receipt": found}

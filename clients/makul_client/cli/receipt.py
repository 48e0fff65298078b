"""The commands `makul-client receipt`: fetch a receipt with its proof, and verify both offline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from makul_client.cli.exit_codes import ExitCode, exit_code
from makul_client.cli.late_commands import late
from makul_client.cli.options import AsJson, Employee, ProfileFile, examples
from makul_client.cli.output import print_json, print_note, print_receipt, print_result, read_file
from makul_client.cli.output_files import PROOF_BYTES, RECEIPT_BYTES, reserve_file
from makul_client.cli.run import open_client, report_errors
from makul_client.errors import MakulError, ProfileError
from makul_client.models.response import Receipt
from makul_client.translation import current_language, translate

if TYPE_CHECKING:
    from makul_client._internal.request_sender import Context
    from makul_client._internal.wsse import utc_now
    from makul_client.client import Client
    from makul_client.profile import Profile
    from makul_client.receipts.bundle import read_bundle_unsafe, write_bundle
    from makul_client.receipts.verifier import ReceiptVerifier
    from makul_client.transparency.log_source import is_address
    from makul_client.transparency.verifier import LedgerVerifier, Proof, ReceiptState
else:
    read_bundle_unsafe = late("receipts.bundle", "read_bundle_unsafe")
    write_bundle = late("receipts.bundle", "write_bundle")
    Client = late("client", "Client")
    Context = late("_internal.request_sender", "Context")
    LedgerVerifier = late("transparency.verifier", "LedgerVerifier")
    Proof = late("transparency.verifier", "Proof")
    ReceiptState = late("transparency.verifier", "ReceiptState")
    is_address = late("transparency.log_source", "is_address")
    ReceiptVerifier = late("receipts.verifier", "ReceiptVerifier")
    utc_now = late("_internal.wsse", "utc_now")
    Profile = late("profile", "Profile")


class _GetUnlessNamed(TyperGroup):
    """The command group that reads `receipt ID` as `receipt get ID`.

    Earlier versions had only that form, and it must continue to work.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and _is_uuid(args[0]):
            args = ["get", *args]
        return super().resolve_command(ctx, args)


receipt_app = typer.Typer(
    cls=_GetUnlessNamed,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Fetch receipts and verify them in the log.",
)


@receipt_app.command(
    epilog=examples(
        "makul-client receipt get 7d9a3c1e-0000-4000-8000-000000000003 --out receipt.xml",
        "makul-client receipt get 7d9a3c1e-0000-4000-8000-000000000003 --proof receipt.json",
    )
)
def get(
    *,
    profile: ProfileFile,
    of_request: Annotated[UUID, typer.Argument(help="The id of an earlier request of yours.")],
    out: Annotated[Path | None, typer.Option(help="The new file for the receipt.")] = None,
    proof: Annotated[
        Path | None, typer.Option(help="The new file for the receipt together with its proof.")
    ] = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the receipt of an earlier request.

    The receipt is fetched again and verified (cl. 10 and 11). If the profile has a table [ledger],
    its proof in the log is verified too.
    """
    with (
        report_errors(as_json=as_json) as run,
        open_client(profile) as client,
        reserve_file(out, max_bytes=RECEIPT_BYTES) as receipt_file,
        reserve_file(proof, max_bytes=PROOF_BYTES) as proof_file,
    ):
        found = client.receipt_in_log(of_request, context=run.inquire(employee=employee))
        if receipt_file is not None:
            receipt_file.keep(found.receipt.document)
        if proof_file is not None:
            proof_file.keep(write_bundle(found.receipt.document, found.inclusion))
        if as_json:
            print_json(found.receipt)
        else:
            print_receipt(found.receipt)
        if client.profile.ledger is None:
            return
        verifier = LedgerVerifier(client.profile.ledger, language=current_language())
        proved = verifier.prove(found.receipt, found.inclusion, at=utc_now())
        if not as_json:
            print_note(_describe_proof(proved))


@receipt_app.command(
    epilog=examples(
        "makul-client receipt verify --offline receipt.json",
        "makul-client receipt verify --offline --log /media/log receipts/2026-11/*.json --json",
    )
)
def verify(
    *,
    profile: ProfileFile,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files from --proof, or receipts only.")
    ],
    offline: Annotated[
        bool, typer.Option("--offline", help="Send nothing, and do not fetch missing proofs.")
    ] = False,
    log: Annotated[
        str | None,
        typer.Option(metavar="URL|DIR", help="The log; default: the profile's, if it has one."),
    ] = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Verify receipts against the log.

    Checks signature, proof, checkpoint, witnesses and merge delay.

    The exit code is 4 if one of them has a flaw. It is 3 if none has a flaw and one is not proved
    yet.
    """
    with report_errors(as_json=as_json):
        checker = _Checker.of(Profile.load(profile), log, offline=offline)
        context = Context(employee=employee)
        with _open_client_if_online(profile, offline=offline) as client:
            rows = [_row(file, checker, client, context) for file in files]
        fields = [each.fields for each in rows]
        print_result(fields, *(each.line for each in rows), as_json=as_json)
        raise typer.Exit(worst_code([each.code for each in rows]))


@dataclass(frozen=True)
class _Checker:
    """The verifiers of a receipt."""

    receipts: ReceiptVerifier
    ledger: LedgerVerifier

    @classmethod
    def of(cls, profile: Profile, log: str | None, *, offline: bool) -> _Checker:
        """Return the verifiers of a profile. `log` replaces the profile's log.

        Offline, only a directory may be the log. Raises `ProfileError` without a table [ledger],
        and `MakulError` if `log` is an address.
        """
        if profile.ledger is None:
            raise ProfileError(
                translate("the profile has no table [ledger]: ask the operator for its key")
            )
        if offline and log is not None and is_address(log):
            raise MakulError(
                translate("--offline: the log must be a directory, such as an exported copy")
            )
        place = log or profile.ledger.log
        if offline and place is not None and is_address(place):
            place = None
        ledger = replace(profile.ledger, log=place)
        return cls(
            ReceiptVerifier(profile.operator),
            LedgerVerifier(ledger, language=current_language()),
        )


@dataclass(frozen=True)
class _Row:
    """The result of one file."""

    code: ExitCode
    line: str
    fields: dict[str, object]


def _row(file: Path, checker: _Checker, client: Client | None, context: Context) -> _Row:
    try:
        bundle = read_bundle_unsafe(read_file(file))
        receipt = checker.receipts.verify_kept(bundle.receipt, at=utc_now())
        inclusion = bundle.inclusion
        if inclusion is None and client is not None:
            inclusion = client.receipt_in_log(receipt.request_id, context=context).inclusion
        proved = checker.ledger.prove(receipt, inclusion, at=utc_now())
    except MakulError as error:
        flaw = getattr(error, "flaw", None)
        fields = {"file": str(file), "standing": "FLAWED", "flaw": flaw, "message": str(error)}
        return _Row(exit_code(error), f"{file}: {error}", fields)
    code = ExitCode.OK if proved.state is ReceiptState.PROVED else ExitCode.LATER
    return _Row(code, f"{file}: {_describe_proof(proved)}", _facts(file, receipt, proved))


def _facts(file: Path, receipt: Receipt, proved: Proof) -> dict[str, object]:
    return {
        "file": str(file),
        "standing": proved.state,
        "request_id": receipt.request_id,
        "receipt_id": receipt.receipt_id,
        "outcome": receipt.outcome,
        "decided_at": receipt.decided_at,
        "index": proved.index,
        "size": proved.size,
        "cosigned_by": proved.cosigned_by,
        "link": proved.link,
    }


def _describe_proof(proved: Proof) -> str:
    if proved.state is ReceiptState.PENDING:
        return translate("not proved in the log yet: fetch it again later")
    witnesses = ", ".join(proved.cosigned_by) or "–"
    return translate(
        "in the log at index {index}; witnesses: {witnesses}",
        index=proved.index,
        witnesses=witnesses,
    )


def worst_code(codes: list[ExitCode]) -> ExitCode:
    """Return the worst exit code.

    A flaw comes first, then an unreadable file, then a proof that is pending.
    """
    for code in (ExitCode.RECEIPT, ExitCode.USAGE, ExitCode.LATER):
        if code in codes:
            return code
    return max(codes)


@contextmanager
def _open_client_if_online(profile: Path, *, offline: bool) -> Iterator[Client | None]:
    if offline:
        yield None
        return
    with open_client(profile) as client:
        yield client


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

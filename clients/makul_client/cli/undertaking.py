"""The commands `makul-client undertaking`: employees bound to secrecy (Procedure, cl. 16)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul_client.cli.confirmation import require_confirmation
from makul_client.cli.late_commands import late
from makul_client.cli.month_options import Sending
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import (
    AsJson,
    OnDay,
    ProfileFile,
    as_typed,
    day,
    examples,
    instant,
)
from makul_client.cli.output import print_note, print_result, read_file
from makul_client.cli.output_files import write_new
from makul_client.cli.prompts import ask_pin
from makul_client.cli.run import open_client, receipt_in, report_errors
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client._internal.crypto.credentials import load_credential
    from makul_client.profile import Profile
    from makul_client.secrecy import documents
    from makul_client.secrecy.documents import UndertakingContent
else:
    documents = late("secrecy.documents")
    load_credential = late("_internal.crypto.credentials", "load_credential")
    Profile = late("profile", "Profile")
    UndertakingContent = late("secrecy.documents", "UndertakingContent")

undertaking_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Draft, record and end undertakings of secrecy of your employees.",
)


@undertaking_app.command(
    epilog=examples(
        "makul-client undertaking draft --for teller-42 --name 'Test Teller' \\\\",
        "--text 'SECRECY/2026, version 1' -o draft.xml",
    )
)
def draft(
    *,
    profile: ProfileFile,
    employee: Annotated[
        str, typer.Option("--for", help="The identifier of the employee in your requests.")
    ],
    name: Annotated[str, typer.Option(help="The full name of the employee.")],
    text: Annotated[str, typer.Option(help="The reference and version of the text.")],
    pin: Annotated[
        str | None, typer.Option(help="The PIN; prefer MAKUL_PIN or the prompt.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="The start, as --until; default: now.")] = None,
    until: Annotated[
        str | None, typer.Option(help="The end, if it is known: a date or an instant.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The new file for the result.")],
    as_json: AsJson = False,
) -> None:
    """Draft an undertaking for the employee to sign."""
    with report_errors(as_json=as_json):
        now = datetime.now(UTC).replace(microsecond=0)
        content = UndertakingContent(
            pin=pin or ask_pin(translate("PIN")),
            name=as_typed(name) or "",
            employee=as_typed(employee) or "",
            text=as_typed(text) or "",
            valid_from=now if since is None else instant(since, "--since"),
            valid_to=None if until is None else instant(until, "--until"),
        )
        write_new(out, documents.draft(Profile.load(profile), content, signed_at=now))
        print_note(
            translate(
                "{file}: have it signed by the employee, then: makul-client undertaking record",
                file=out,
            )
        )


@undertaking_app.command(
    epilog=examples(
        "makul-client undertaking record signed.xml",
        "makul-client undertaking record draft.xml --key card.key.pem --certificate card.crt.pem",
    )
)
@with_groups
def record(
    *,
    profile: ProfileFile,
    file: Annotated[Path, typer.Argument(help="The file of the undertaking.")],
    key: Annotated[Path | None, typer.Option(help="The key of the employee, PEM.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate of the employee, PEM.")
    ] = None,
    sending: Sending,
) -> None:
    """Record an undertaking that the employee signed. It covers requests from then on.

    With --key and --certificate the draft is signed first, by the employee's key in a file.
    """
    if (key is None) is not (certificate is None):
        raise typer.BadParameter(translate("--key: goes together with --certificate"))
    with report_errors(as_json=sending.as_json) as run:
        document = read_file(file)
        if key is not None and certificate is not None:
            document = documents.sign(document, load_credential(key, certificate))
        else:
            document = documents.require_signed(document)
        with open_client(profile) as client, receipt_in(sending.receipt) as keep:
            _confirm(file.name, translate("{file}: to be recorded", file=file), sending)
            done = client.secrecy.record(document, context=sending.begin(run))
            with keep(done.act):
                line = translate("undertaking {id}: recorded", id=done.undertaking_id)
                print_result(done, line, as_json=sending.as_json)


@undertaking_app.command(
    epilog=examples(
        "makul-client undertaking end 7d9a3c1e-0000-4000-8000-0000000000f1 --on 2026-11-30"
    )
)
@with_groups
def end(
    *,
    profile: ProfileFile,
    undertaking_id: Annotated[UUID, typer.Argument(help="The id of the undertaking.")],
    on: OnDay,
    sending: Sending,
) -> None:
    """End an undertaking, because the employee stopped working with the data.

    It counts at once and cannot be undone: who returns signs a new one. The obligations last.
    """
    last = day(on, "--on")
    with (
        report_errors(as_json=sending.as_json) as run,
        open_client(profile) as client,
        receipt_in(sending.receipt) as keep,
    ):
        shown = translate("undertaking {id}: to be ended", id=undertaking_id)
        _confirm(str(undertaking_id), shown, sending)
        done = client.secrecy.end(undertaking_id, last, context=sending.begin(run))
        with keep(done.act):
            line = translate("undertaking {id}: ended", id=done.undertaking_id)
            print_result(done, line, as_json=sending.as_json)


def _confirm(target: str, shown: str, sending: Sending) -> None:
    """Return if the person agrees. Otherwise end the run; nothing was sent."""
    require_confirmation(
        target, lambda: print_note(shown), apply=sending.apply, as_json=sending.as_json
    )

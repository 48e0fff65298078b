"""The commands by which the body signs agreements and approves notices (cl. 4 and 7)."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import AsJson, ReceiptOut, RequestId, officer_examples
from makul_client.cli.output import (
    local_time,
    new_table,
    print_json,
    print_line,
    print_pairs,
    print_table,
)
from makul_client.cli.output_files import write_new
from makul_client.cli.oversight.act_sequence import ActOptions, carry_out
from makul_client.cli.oversight.session import (
    PlannedAct,
    open_oversight_client,
    stored_receipt,
)
from makul_client.cli.oversight.signatory_options import SigningWay
from makul_client.cli.run import report_errors
from makul_client.models.signatures import AgreementSigned, DraftList, NoticeList
from makul_client.translation import translate

agreement_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Read and sign agreements."
)
notice_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Read and approve notices."
)

Number = Annotated[str, typer.Argument(help="The number of the agreement.")]
Ref = Annotated[str, typer.Argument(help="The number of the notice.")]
OutFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the exact bytes to a new file.")
]
OutDirectory = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="An existing directory for the texts and the approval."),
]


@agreement_app.command("list", epilog=officer_examples("makul-oversight agreement list"))
def list_drafts(
    ctx: typer.Context,
    *,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """List the drafts of agreements that wait for signatures."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.drafts(request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            else:
                _print_drafts(found)


@agreement_app.command(
    epilog=officer_examples(
        "makul-oversight agreement show 2026/015",
        "makul-oversight agreement show 2026/015 --out draft.xml",
    )
)
def show(
    ctx: typer.Context,
    *,
    number: Number,
    out: OutFile = None,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Show the draft of an agreement: who has signed it, and its exact text."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.draft(number, request_id=run.begin_request(new_id))
        with keep(found.act):
            if out is not None:
                write_new(out, found.document)
            if as_json:
                print_json(found)
                return
            print_pairs(
                translate("Draft of the agreement {number}", number=number),
                [
                    (translate("recipient"), found.draft.recipient),
                    (translate("signed by"), ", ".join(found.draft.signed_by)),
                    (translate("digest"), found.draft.draft_digest.hex()),
                ],
            )
            if out is None:
                _print_text(found.document)


@agreement_app.command(
    epilog=officer_examples(
        "makul-oversight agreement sign 2026/015 --write-bytes to-sign.xml",
        "makul-oversight agreement sign 2026/015 --signed signed.xml",
        "makul-oversight agreement sign 2026/015 --key head.key --certificate head.pem",
    )
)
@with_groups
def sign(
    ctx: typer.Context,
    *,
    number: Number,
    way: SigningWay,
    options: ActOptions,
) -> None:
    """Sign the newest draft of an agreement for your body.

    The agreement is in force once all three parties have signed the same draft (cl. 7). Sign by a
    key in a file. Or write the bytes with --write-bytes, let another program sign them (XAdES,
    enveloped), and give its document by --signed: it is compared with the draft.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        sign_content = way.load()
        draft = client.draft(number)
        document = sign_content(draft.document)
        if document is None:
            return
        planned = PlannedAct(
            operation="SignAgreement",
            title=translate("sign the agreement with {recipient}", recipient=draft.draft.recipient),
            target=number,
            justification="",
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.sign_agreement(draft, document, request_id=new_id),
            describe=lambda done: (
                _describe_signed(done),
                [(translate("state"), done.agreement_state)],
            ),
        )


@notice_app.command("list", epilog=officer_examples("makul-oversight notice list"))
def list_notices(
    ctx: typer.Context,
    *,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """List the notices. One that is not approved waits for your body."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.notices(request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            else:
                _print_notices(found)


@notice_app.command(
    "show",
    epilog=officer_examples(
        "makul-oversight notice show BANK-2026/1",
        "makul-oversight notice show BANK-2026/1 --out notice",
    ),
)
def show_notice(
    ctx: typer.Context,
    *,
    ref: Ref,
    out: OutDirectory = None,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Show the three texts of a notice, as subjects read them."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.notice(ref, request_id=run.begin_request(new_id))
        with keep(found.act):
            if out is not None:
                for language, text in found.texts.items():
                    write_new(out / f"{language}.txt", text)
                write_new(out / "approval.xml", found.approval)
            if as_json:
                print_json(found)
                return
            for language, text in found.texts.items():
                print_line(f"[{language}]")
                _print_text(text)


@notice_app.command(
    epilog=officer_examples(
        "makul-oversight notice approve BANK-2026/1 --write-bytes to-sign.xml",
        "makul-oversight notice approve BANK-2026/1 --signed signed.xml",
        "makul-oversight notice approve BANK-2026/1 --key head.key --certificate head.pem",
    )
)
@with_groups
def approve(
    ctx: typer.Context,
    *,
    ref: Ref,
    way: SigningWay,
    options: ActOptions,
) -> None:
    """Approve a notice for your body: from then on consents may cite it (cl. 4).

    The ways to sign are those of `agreement sign`. The texts never change.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        sign_content = way.load()
        notice = client.notice(ref)
        document = sign_content(notice.approval)
        if document is None:
            return
        planned = PlannedAct(
            operation="ApproveNotice",
            title=translate("approve a notice permanently"),
            target=ref,
            justification="",
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.approve_notice(notice, document, request_id=new_id),
            describe=lambda done: (
                translate("The notice {ref} is approved.", ref=done.ref),
                [],
            ),
        )


def _print_text(content: bytes) -> None:
    """Print a text of the operator without characters that a terminal would obey."""
    text = content.decode("utf-8", "replace")
    print_line("".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text))


def _print_drafts(found: DraftList) -> None:
    if not found.drafts:
        print_line(translate("No draft waits for signatures."))
        return
    table = new_table(
        translate("agreement"),
        translate("recipient"),
        translate("signed by"),
        title=translate("Drafts that wait for signatures"),
        title_justify="left",
    )
    for each in found.drafts:
        table.add_row(each.agreement, each.recipient, ", ".join(each.signed_by))
    print_table(table)


def _print_notices(found: NoticeList) -> None:
    if not found.notices:
        print_line(translate("No notice is registered."))
        return
    table = new_table(
        translate("notice"),
        translate("registered"),
        translate("approved"),
        title=translate("Notices"),
        title_justify="left",
    )
    for each in found.notices:
        approved = "" if each.approved_at is None else local_time(each.approved_at)
        table.add_row(each.ref, local_time(each.added_at), approved)
    print_table(table)


def _describe_signed(done: AgreementSigned) -> str:
    if done.agreement_state == "IN_FORCE":
        return translate("The agreement {number} is in force.", number=done.agreement)
    return translate(
        "Your body has signed the agreement {number}. Another party must still sign.",
        number=done.agreement,
    )

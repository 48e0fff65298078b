"""`makul recipient`: recipients (Procedure, cl. 3), their certificates and their officials."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.hashes import SHA256

from makul.admin.errors import OperatorError
from makul.admin.requests import CertificateUse
from makul.app.ports import Official
from makul.cli import recipient_state
from makul.cli.context import (
    AsJson,
    Code,
    Reason,
    examples,
    member_code,
    open_installation,
    person_id,
    require_reason,
    require_recipient,
)
from makul.cli.files.certificates import (
    describe_unsuitability,
    print_warning,
    read_certificate,
    read_encryption_certificate,
    read_fingerprint,
)
from makul.cli.output import instant, show_facts, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.cli.recipient_state import describe_recipient, read_name
from makul.domain.agreements import Agreement
from makul.domain.identifiers import MemberCode
from makul.domain.recipients import Recipient, RecipientKind, RecipientState
from makul.language.translation import mark, translate
from makul.net.certificate_der import load_certificate

app = typer.Typer(
    no_args_is_help=True,
    help="Manage recipients, their certificates and their officials (Procedure, cl. 3).",
)

CertificateFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, help="The certificate, PEM or DER."
    ),
]


@app.command(
    epilog=examples(
        "makul recipient add COM/60000001 --kind BANK --name 'Example Bank'",
        "makul recipient add GOV/70000002 --kind LAW_ENFORCEMENT --name 'Example Police' --apply",
    )
)
@offer_preview
def add(
    ctx: typer.Context,
    *,
    code: Code,
    kind: Annotated[RecipientKind, typer.Option(help="The kind of recipient under cl. 3.")],
    name: Annotated[str, typer.Option(help="The name of the recipient.")],
    change: PreviewedChange,
) -> None:
    """Register a recipient.

    A recipient can request data only when it has a certificate and an agreement in force.
    """
    new = Recipient(
        code=member_code(code), kind=kind, name=read_name(name), state=RecipientState.ACTIVE
    )
    with open_installation(ctx) as installation:
        if any(known.code == new.code for known in installation.registry.recipients()):
            raise OperatorError(
                translate("{code} is already registered; see: makul recipient list", code=new.code)
            )
        change.apply_or_preview(
            mark("register recipient"),
            describe_recipient(new),
            lambda: installation.registry.add_recipient(new, at=installation.clock()),
        )


@app.command("list", epilog=examples("makul recipient list", "makul recipient list --json"))
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List recipients and their states."""
    with open_installation(ctx) as installation:
        rows = [describe_recipient(recipient) for recipient in installation.registry.recipients()]
    show_rows(
        rows,
        columns=("code", "kind", "clause", "name", "state"),
        as_json=as_json,
        empty=translate("No recipient is registered. To add one: makul recipient add --help"),
    )


@app.command(epilog=examples("makul recipient show COM/60000001 --json"))
def show(ctx: typer.Context, *, code: Code, as_json: AsJson = False) -> None:
    """Show a recipient with its agreements and its certificates in use, and when they end."""
    with open_installation(ctx) as installation:
        recipient, registry = require_recipient(installation, code), installation.registry
        agreements = registry.agreements(recipient.code)
        signing = registry.certificates()
        encrypting = registry.encryption_certificates()
    show_facts(
        {
            **describe_recipient(recipient),
            "agreements": [_describe_agreement(each) for each in agreements],
            "certificates": _describe_certificates(signing, recipient),
            "encryption_certificates": _describe_certificates(encrypting, recipient),
        },
        as_json=as_json,
    )


def _describe_agreement(agreement: Agreement) -> str:
    return f"{agreement.number} {agreement.state.value} {instant(agreement.valid_to)}"


def _describe_certificates(
    registered: Sequence[tuple[MemberCode, bytes]], recipient: Recipient
) -> list[str]:
    """Return the fingerprint and the end of each certificate of a recipient."""
    return [
        f"{certificate.fingerprint(SHA256()).hex()} {instant(certificate.not_valid_after_utc)}"
        for owner, der in registered
        if owner == recipient.code
        for certificate in (load_certificate(der),)
    ]


@app.command(
    epilog=examples(
        "makul recipient certificate COM/60000001 bank.pem",
        "makul recipient certificate COM/60000001 bank.pem --apply",
    )
)
@offer_preview
def certificate(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    change: PreviewedChange,
) -> None:
    """Register the certificate with which a recipient signs its messages."""
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        read = read_certificate(file, at=installation.clock())
        warning = describe_unsuitability(installation, file, read, CertificateUse.MESSAGES)
        change.apply_or_preview(
            mark("register certificate"),
            {"recipient": recipient.code, **read.facts, **warning},
            lambda: installation.registry.add_certificate(
                recipient.code, read.fingerprint, read.der, at=installation.clock()
            ),
        )
        print_warning(warning)


@app.command(epilog=examples("makul recipient withdraw COM/60000001 bank.pem --reason 'key lost'"))
@offer_preview
def withdraw(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Withdraw a recipient's message certificate. Takes effect immediately and cannot be undone."""
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        read = read_certificate(file, at=installation.clock())
        change.apply_or_preview(
            mark("withdraw certificate"),
            {"recipient": recipient.code, **read.facts},
            lambda: installation.registry.withdraw_certificate(
                recipient.code, read.fingerprint, reason=why, at=installation.clock()
            ),
        )


@app.command(
    "sealing-certificate",
    epilog=examples("makul recipient sealing-certificate COM/60000005 encryption.cert.pem --apply"),
)
@offer_preview
def encryption_certificate(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    change: PreviewedChange,
) -> None:
    """Register the certificate to which a recipient's data are encrypted. The newest is used."""
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        read = read_encryption_certificate(file, at=installation.clock())
        warning = describe_unsuitability(installation, file, read, CertificateUse.ENCRYPTION)
        change.apply_or_preview(
            mark("register encryption certificate"),
            {"recipient": recipient.code, **read.facts, **warning},
            lambda: installation.registry.add_encryption_certificate(
                recipient.code, read.fingerprint, read.der, at=installation.clock()
            ),
        )
        print_warning(warning)


@app.command(
    "withdraw-sealing",
    epilog=examples(
        "makul recipient withdraw-sealing COM/60000005 encryption.cert.pem --reason 'key lost'"
    ),
)
@offer_preview
def withdraw_encryption_certificate(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Withdraw a recipient's encryption certificate. Takes effect immediately and cannot be undone.

    No data are encrypted to it, and stored answers encrypted to it are not repeated.
    """
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        fingerprint = read_fingerprint(file)
        change.apply_or_preview(
            mark("withdraw encryption certificate"),
            {"recipient": recipient.code, "certificate": fingerprint.hex()},
            lambda: installation.registry.withdraw_encryption_certificate(
                recipient.code, fingerprint, reason=why, at=installation.clock()
            ),
        )


@app.command(
    epilog=examples(
        "makul recipient official GOV/70000002 head.pem --id P-1001 --name 'A. Example, head'",
    )
)
@offer_preview
def official(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    identifier: Annotated[
        str, typer.Option("--id", help="Identifier of the official, as basis statements cite it.")
    ],
    name: Annotated[str, typer.Option(help="Name and post of the official.")],
    change: PreviewedChange,
) -> None:
    """Register an official who signs basis statements and paper consents (cl. 4 and 5)."""
    person = person_id(identifier)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        read = read_certificate(file, at=installation.clock())
        new = Official(
            recipient=recipient.code,
            identifier=person,
            name=name,
            fingerprint=read.fingerprint,
            not_after=read.not_after,
        )
        warning = describe_unsuitability(installation, file, read, CertificateUse.DOCUMENTS)
        change.apply_or_preview(
            mark("register official"),
            {"recipient": recipient.code, "id": person, "name": name, **read.facts, **warning},
            lambda: installation.registry.add_official(new, at=installation.clock()),
        )
        print_warning(warning)


@app.command(
    epilog=examples(
        "makul recipient withdraw-official GOV/70000002 head.pem --reason 'left the service'",
    )
)
@offer_preview
def withdraw_official(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Withdraw an official. Documents signed from now on do not count (Procedure, cl. 4 and 5)."""
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        read = read_certificate(file, at=installation.clock())
        change.apply_or_preview(
            mark("withdraw official"),
            {"recipient": recipient.code, **read.facts},
            lambda: installation.registry.withdraw_official(
                recipient.code, read.fingerprint, reason=why, at=installation.clock()
            ),
        )


app.registered_commands.extend(recipient_state.app.registered_commands)

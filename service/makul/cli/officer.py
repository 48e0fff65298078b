"""`makul officer`: officers of the supervising bodies (Procedure, cl. 11 and 12)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.admin.requests import CertificateUse
from makul.cli.context import (
    AsJson,
    Code,
    Reason,
    examples,
    member_code,
    open_installation,
    person_id,
    require_reason,
)
from makul.cli.files.certificates import (
    describe_unsuitability,
    print_warning,
    read_certificate,
    read_fingerprint,
)
from makul.cli.output import Facts, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.identifiers import MemberCode
from makul.domain.officers import AUTHORISED_BODY, Officer, OfficerRole
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer(
    no_args_is_help=True, help="Manage the officers of the supervising bodies (cl. 11, 12)."
)

CertificateFile = Annotated[
    Path,
    typer.Argument(
        metavar="CERTIFICATE", exists=True, dir_okay=False, help="The certificate, PEM or DER."
    ),
]


@app.command(
    epilog=examples(
        "makul officer add GOV/70000009 inspector.pem --role BODY_OFFICER --id I-1"
        " --name 'A. Example, inspector'",
    )
)
@offer_preview
def add(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    role: Annotated[OfficerRole, typer.Option(help="The role in which the officer acts.")],
    identifier: Annotated[
        str,
        typer.Option("--id", help="Identifier of the person; over X-Road the value of xrd:userId."),
    ],
    name: Annotated[str, typer.Option(help="Name and post of the officer.")],
    change: PreviewedChange,
) -> None:
    """Register an officer, who may then send requests to the oversight port.

    One person, one key and one certificate belong to one body and one role only.
    """
    person = person_id(identifier)
    with open_installation(ctx) as installation:
        member = _body(installation, code, role)
        read = read_certificate(file, at=installation.clock())
        new = Officer(
            member=member,
            role=role,
            identifier=person,
            name=name,
            fingerprint=read.fingerprint,
            key_digest=read.key_digest,
            not_after=read.not_after,
        )
        warning = describe_unsuitability(installation, file, read, CertificateUse.MESSAGES)
        change.apply_or_preview(
            mark("register officer"),
            {**_row(new), **read.facts, **warning},
            lambda: installation.registry.add_officer(new, at=installation.clock()),
        )
        print_warning(warning)


@app.command("list", epilog=examples("makul officer list --json"))
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List officers, withdrawn ones included."""
    with open_installation(ctx) as installation:
        rows = [_row(known) for known in installation.registry.officers()]
    show_rows(
        rows,
        columns=("member", "role", "id", "name", "certificate", "withdrawn"),
        as_json=as_json,
        empty=translate("No officer is registered. To begin: makul officer add --help"),
    )


@app.command(epilog=examples("makul officer withdraw inspector.pem --reason 'left the service'"))
@offer_preview
def withdraw(
    ctx: typer.Context, *, file: CertificateFile, reason: Reason, change: PreviewedChange
) -> None:
    """Withdraw an officer, who can do nothing from then on. Past acts remain."""
    why = require_reason(reason)
    fingerprint = read_fingerprint(file)
    with open_installation(ctx) as installation:
        known = [one for one in installation.registry.officers() if one.fingerprint == fingerprint]
        if not known or known[0].withdrawn:
            raise OperatorError(translate("no such officer to withdraw; see: makul officer list"))
        change.apply_or_preview(
            mark("withdraw officer"),
            _row(known[0]),
            lambda: installation.registry.withdraw_officer(
                fingerprint, reason=why, at=installation.clock()
            ),
        )


def _body(installation: "Installation", code: str, role: OfficerRole) -> MemberCode:
    """Return the body for which an officer of this role acts. Nobody acts for two parties.

    Raises `OperatorError` if the member code is another party's.
    """
    member, body = member_code(code), installation.facts.authorised_body
    if role in AUTHORISED_BODY:
        if body is None:
            raise OperatorError(
                translate("name the authorised body in the settings first: [authorised_body]")
            )
        if member != body:
            raise OperatorError(
                translate("the authorised body is {member}, by the settings", member=body)
            )
    elif member in (body, installation.facts.operator):
        raise OperatorError(
            translate("{member} is another party; it cannot supervise itself", member=member)
        )
    return member


def _row(known: Officer) -> Facts:
    return {
        "member": known.member,
        "role": known.role.value,
        "id": known.identifier,
        "name": known.name,
        "certificate": known.fingerprint.hex(),
        "withdrawn": known.withdrawn,
    }

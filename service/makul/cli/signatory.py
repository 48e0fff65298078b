"""`makul signatory`: signatories of agreements and approvals (Procedure, cl. 4 and 7)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.admin.requests import CertificateUse
from makul.app.ports import Signatory
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
from makul.cli.files.certificates import describe_unsuitability, print_warning, read_certificate
from makul.cli.output import Facts, instant, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.agreements import AgreementRole
from makul.domain.identifiers import MemberCode
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer(
    no_args_is_help=True, help="Manage the signatories of agreements and approvals (cl. 4, 7)."
)

CertificateFile = Annotated[
    Path,
    typer.Argument(
        metavar="CERTIFICATE", exists=True, dir_okay=False, help="The certificate, PEM or DER."
    ),
]


@app.command(
    epilog=examples(
        "makul signatory add COM/60000001 director.pem --role RECIPIENT --id D-1"
        " --name 'A. Example, director'",
    )
)
@offer_preview
def add(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    role: Annotated[AgreementRole, typer.Option(help="The party for which the signatory signs.")],
    identifier: Annotated[
        str, typer.Option("--id", help="Identifier of the person; always the same for one person.")
    ],
    name: Annotated[str, typer.Option(help="Name and post of the signatory.")],
    change: PreviewedChange,
) -> None:
    """Register a signatory of one party in one role.

    One person, one key and one certificate belong to one party and one role only.
    """
    person = person_id(identifier)
    with open_installation(ctx) as installation:
        member = _party(installation, code, role)
        read = read_certificate(file, at=installation.clock())
        new = Signatory(
            member=member,
            role=role,
            identifier=person,
            name=name,
            fingerprint=read.fingerprint,
            key_digest=read.key_digest,
            not_after=read.not_after,
        )
        warning = describe_unsuitability(installation, file, read, CertificateUse.DOCUMENTS)
        change.apply_or_preview(
            mark("register signatory"),
            {**_row(new), **read.facts, **warning},
            lambda: installation.registry.add_signatory(new, at=installation.clock()),
        )
        print_warning(warning)


@app.command("list", epilog=examples("makul signatory list --json"))
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List signatories, withdrawn ones included."""
    with open_installation(ctx) as installation:
        rows = [_row(known) for known in installation.registry.signatories()]
    show_rows(
        rows,
        columns=("member", "role", "id", "name", "certificate", "withdrawn_at"),
        as_json=as_json,
        empty=translate("No signatory is registered. To begin: makul signatory add --help"),
    )


@app.command(
    epilog=examples("makul signatory withdraw COM/60000001 director.pem --reason 'left the bank'")
)
@offer_preview
def withdraw(
    ctx: typer.Context,
    *,
    code: Code,
    file: CertificateFile,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Withdraw a signatory. Agreements in force remain so; drafts lose the signature."""
    why, member = require_reason(reason), member_code(code)
    with open_installation(ctx) as installation:
        # The term of the certificate is not checked, so that an expired one can be withdrawn.
        fingerprint = read_certificate(file, at=None).fingerprint
        known = [
            one for one in installation.registry.signatories() if one.fingerprint == fingerprint
        ]
        if not known or known[0].member != member or known[0].withdrawn_at is not None:
            raise OperatorError(
                translate("no such signatory to withdraw; see: makul signatory list")
            )
        change.apply_or_preview(
            mark("withdraw signatory"),
            _row(known[0]),
            lambda: installation.registry.withdraw_signatory(
                member, fingerprint, reason=why, at=installation.clock()
            ),
        )


def _party(installation: "Installation", code: str, role: AgreementRole) -> MemberCode:
    """Return the member for which a signatory of this role signs.

    Raises `OperatorError` if the member code does not have this role.
    """
    member = member_code(code)
    match role:
        case AgreementRole.RECIPIENT:
            return require_recipient(installation, code).code
        case AgreementRole.OPERATOR if member != installation.facts.operator:
            raise OperatorError(
                translate(
                    "the operator is {member}, by the settings", member=installation.facts.operator
                )
            )
        case AgreementRole.AUTHORISED_BODY if installation.facts.authorised_body is None:
            raise OperatorError(
                translate("name the authorised body in the settings first: [authorised_body]")
            )
        case AgreementRole.AUTHORISED_BODY if member != installation.facts.authorised_body:
            raise OperatorError(
                translate(
                    "the authorised body is {member}, by the settings",
                    member=installation.facts.authorised_body,
                )
            )
    return member


def _row(known: Signatory) -> Facts:
    return {
        "member": known.member,
        "role": known.role.value,
        "id": known.identifier,
        "name": known.name,
        "certificate": known.fingerprint.hex(),
        "withdrawn_at": instant(known.withdrawn_at),
    }

"""`makul agreement`: the terms under which a recipient receives data (Procedure, cl. 7)."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.app.agreements import NotSigned
from makul.app.ports import AgreementSignature, RecordedSignature
from makul.cli.context import (
    AsJson,
    Reason,
    examples,
    member_code,
    open_installation,
    require_reason,
    require_recipient,
    session,
)
from makul.cli.files.agreement import EXAMPLE, read_agreement
from makul.cli.files.signed_document import (
    ChainFile,
    KeyFile,
    SignedFile,
    not_good,
    print_document,
    read_document,
)
from makul.cli.output import (
    Facts,
    TwoForms,
    complain,
    instant,
    local_time,
    show_facts,
    show_rows,
)
from makul.cli.preview import PreviewedChange, offer_preview
from makul.cli.suggestion import suggest_name
from makul.domain.agreements import Agreement, AgreementRole, AgreementState
from makul.domain.recipients import Recipient
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer(
    no_args_is_help=True, help="Manage agreements: the terms for each recipient (Procedure, cl. 7)."
)

Number = Annotated[str, typer.Argument(metavar="NUMBER")]


@app.command(
    epilog=examples("makul agreement example > bank.toml", "makul agreement add bank.toml --apply")
)
@offer_preview
def add(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.toml", exists=True, dir_okay=False, help="The terms of the agreement."
        ),
    ],
    change: PreviewedChange,
) -> None:
    """Register the draft of an agreement. It is in force once all three parties have signed it.

    New terms under the number of an agreement in force end that agreement at once. No data are
    released until all three parties have signed the new terms.
    """
    agreement = read_agreement(file)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, agreement.recipient)
        _check_entitled(agreement, recipient)
        known = _find(installation, agreement.number)
        _check_replaceable(agreement, known)
        for doubt in _doubtful_purposes(installation, agreement):
            complain(doubt)
        at = installation.clock()
        document = installation.agreements.draw_up(agreement, at=at)
        change.apply_or_preview(
            _change(known),
            _facts(agreement),
            lambda: installation.agreements.register_draft(agreement, document, at=at),
        )


@app.command(epilog=examples("makul agreement example > bank.toml"))
def example() -> None:
    """Print an example of an agreement's terms to start from."""
    typer.echo(EXAMPLE, nl=False)


@app.command(epilog=examples("makul agreement export 2026/014 > agreement.xml"))
def export(ctx: typer.Context, *, number: Number) -> None:
    """Print the exact document that each of the three parties signs."""
    with open_installation(ctx) as installation:
        document = installation.registry.draft_document(
            _require_known_agreement(installation, number).number
        )
    if document is None:
        raise OperatorError(
            translate("this agreement was never drawn up for signing; add it again")
        )
    print_document(document)


@app.command(
    epilog=examples(
        "makul agreement sign agreement.xml --key director.key.pem --certificate director.pem"
        " > signed.xml"
    )
)
def sign(ctx: typer.Context, *, file: SignedFile, key: KeyFile, certificate: ChainFile) -> None:
    """Sign an exported agreement for a party that has no signing software. Runs on any machine."""
    document = read_document(file)
    print_document(session(ctx).runtime.sign(document, key=key, certificate=certificate))


@app.command(
    epilog=examples(
        "makul agreement submit signed.xml", "makul agreement submit signed.xml --apply"
    )
)
@offer_preview
def submit(ctx: typer.Context, *, file: SignedFile, change: PreviewedChange) -> None:
    """Record the signature of one party. The third signature brings the agreement into force."""
    document = read_document(file)
    with open_installation(ctx) as installation:
        at = installation.clock()
        judged = installation.agreements.judge(document, at=at)
        if isinstance(judged, NotSigned):
            raise not_good(file, judged)
        missing = installation.agreements.missing(judged.number) - {judged.role}
        change.apply_or_preview(
            mark("record signature"),
            {
                "number": judged.number,
                "role": judged.role.value,
                "member": judged.member,
                "certificate": judged.signer.hex(),
                "terms": judged.terms_digest.hex(),
                "still_missing": _roles(missing),
                "in_force_with_it": not missing,
            },
            lambda: _record(installation, judged, at=at),
        )


@app.command(epilog=examples("makul agreement terminate 2026/014 --reason 'letter 118' --apply"))
@offer_preview
def terminate(
    ctx: typer.Context,
    *,
    number: Number,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Terminate an agreement. Takes effect immediately and cannot be undone.

    The number of the agreement is never used again.
    """
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        known = _require_known_agreement(installation, number)
        change.apply_or_preview(
            mark("terminate agreement"),
            {**_facts(known), "state": AgreementState.TERMINATED.value, "was": known.state.value},
            lambda: installation.registry.terminate_agreement(
                known.number, reason=why, at=installation.clock()
            ),
        )


@app.command("list", epilog=examples("makul agreement list --recipient COM/60000001"))
def list_all(
    ctx: typer.Context,
    *,
    recipient: Annotated[
        str | None, typer.Option(help="List only the agreements of this member code.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List agreements with their state and term."""
    recipient_code = member_code(recipient) if recipient is not None else None
    with open_installation(ctx) as installation:
        rows = [_facts(agreement) for agreement in installation.registry.agreements(recipient_code)]
    show_rows(
        rows,
        columns=("number", "recipient", "state", "valid_from", "valid_to", "purposes", "channels"),
        as_json=as_json,
        empty=translate("No agreement is registered. To begin one: makul agreement example"),
    )


@app.command(
    epilog=examples("makul agreement show 2026/014", "makul agreement show 2026/014 --json")
)
def show(ctx: typer.Context, *, number: Number, as_json: AsJson = False) -> None:
    """Show all terms of an agreement, and which parties have signed it."""
    with open_installation(ctx) as installation:
        agreement = _require_known_agreement(installation, number)
        signatures = installation.registry.agreement_signatures(agreement.number)
        missing = installation.agreements.missing(agreement.number)
    signature_lines = [_signature(signature) for signature in signatures]
    show_facts(
        {**_facts(agreement), "signed": signature_lines, "still_missing": _roles(missing)},
        as_json=as_json,
    )


def _require_known_agreement(installation: "Installation", number: str) -> Agreement:
    agreement = _find(installation, number)
    if agreement is None:
        raise OperatorError(translate("no agreement of this number; see: makul agreement list"))
    return agreement


def _find(installation: "Installation", number: str) -> Agreement | None:
    return next(
        (
            agreement
            for agreement in installation.registry.agreements()
            if agreement.number == number
        ),
        None,
    )


def _check_entitled(agreement: Agreement, recipient: Recipient) -> None:
    """Raise `OperatorError` for a provision that this kind of recipient can never use (cl. 5)."""
    barred = sorted(name.value for name in agreement.provisions if not name.open_to(recipient.kind))
    if barred:
        raise OperatorError(
            translate(
                "provisions: {provisions} is never open to {kind} (cl. 5)",
                provisions=", ".join(barred),
                kind=recipient.kind.value,
            )
        )


def _doubtful_purposes(installation: "Installation", agreement: Agreement) -> list[str]:
    """Return a warning for each purpose that resembles a purpose of another agreement.

    An agreement may name a new purpose, so this is not an error.
    """
    others = [one for one in installation.registry.agreements() if one.number != agreement.number]
    known = sorted(frozenset[str]().union(*(one.purposes for one in others)))
    hints = {name: suggest_name(name, known) for name in sorted(agreement.purposes - set(known))}
    return [
        translate(
            "warning: purposes: no other agreement has {name}{suggestion}",
            name=name,
            suggestion=hint,
        )
        for name, hint in hints.items()
        if hint
    ]


def _check_replaceable(agreement: Agreement, known: Agreement | None) -> None:
    if known is None:
        return
    if known.recipient != agreement.recipient:
        raise OperatorError(
            translate(
                "number: {number} is another recipient's; choose another", number=agreement.number
            )
        )
    if known.state is AgreementState.TERMINATED:
        raise OperatorError(
            translate(
                "number: {number} was terminated; a new agreement needs a new number",
                number=agreement.number,
            )
        )


def _change(known: Agreement | None) -> str:
    if known is None:
        return mark("draw up agreement")
    if known.state is AgreementState.IN_FORCE:
        return mark("replace an agreement in force: it gives nothing until all three sign again")
    return mark("draw up agreement again")


def _record(installation: "Installation", judged: AgreementSignature, *, at: datetime) -> None:
    installation.agreements.record(judged, at=at)


def _roles(roles: frozenset[AgreementRole]) -> list[str]:
    return [role.value for role in AgreementRole if role in roles]


def _signature(signature: RecordedSignature) -> str:
    who = f"{signature.role.value} {signature.member}"
    at = signature.recorded_at
    return TwoForms(f"{who} {instant(at)}", f"{who} {local_time(at)}")


def _facts(agreement: Agreement) -> Facts:
    return {
        "number": agreement.number,
        "recipient": agreement.recipient,
        "state": agreement.state.value,
        "valid_from": instant(agreement.valid_from),
        "valid_to": instant(agreement.valid_to),
        "purposes": sorted(agreement.purposes),
        "attributes": sorted(agreement.attributes),
        "methods": sorted(agreement.methods),
        "channels": sorted(agreement.channels),
        "provisions": sorted(agreement.provisions),
        "powers": [
            f"{purpose}: {' '.join(sorted(covered))}"
            for purpose, covered in sorted(agreement.powers.items())
        ],
        "competence": [
            f"{purpose}: {citation}" for purpose, citation in sorted(agreement.competences.items())
        ],
        "daily_quota": agreement.daily_quota,
        "requests_per_minute": agreement.requests_a_minute,
        "bytes_per_day": agreement.bytes_a_day,
        "delivery": agreement.delivery.value,
        "scores_out": agreement.scores_out,
        "undertakings_required": agreement.undertakings_required,
    }

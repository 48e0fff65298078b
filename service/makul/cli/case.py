"""`makul case`: the evidence files of cases (Procedure, cl. 12)."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul.admin.case import CaseOptions
from makul.admin.case_verification import CaseQuestion, VerifiedCase
from makul.admin.errors import OperatorError
from makul.cli import oversight_case
from makul.cli.context import (
    AsJson,
    Reason,
    examples,
    open_installation,
    require_reason,
    require_recipient,
    session,
)
from makul.cli.output import Facts, instant, progress_bar, show_facts
from makul.domain.cases import Case, CasePeriod, CaseScope
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.case import BuiltCase, CasePublisher
    from makul.admin.installation import Installation

app = typer.Typer(
    no_args_is_help=True, help="Build and verify the evidence files of cases (cl. 12)."
)

MAX_REASON_CHARACTERS = 500
"""Maximum length of a reason (case.xsd)."""

_DAY = ["%Y-%m-%d"]
_VERIFY_CODES = "Exit codes: 0 the file is whole · 1 it is refused · 3 a file cannot be read"


Member = Annotated[
    str | None, typer.Argument(metavar="[CODE]", help="Member code, such as COM/60000001.")
]
FirstDay = Annotated[
    datetime | None,
    typer.Option("--from", formats=_DAY, help="The first day, in the Kyrgyz Republic."),
]
EndDay = Annotated[
    datetime | None, typer.Option("--to", formats=_DAY, help="The day after the last day.")
]
CaseId = Annotated[
    UUID | None,
    typer.Option(
        "--case",
        metavar="ID",
        help="An open case, in place of CODE, --from, --to and --out: its file is attached.",
    ),
]
NewFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="A new file, *.asice, that only you can read."),
]
MonthsDirectory = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Include the statements of the period from this directory of `month build`.",
    ),
]
Everything = Annotated[
    bool,
    typer.Option("--all", help="Include every decision, not only those with an exception."),
]
Preview = Annotated[bool, typer.Option("--preview", help="Only count what the file would contain.")]


@app.command(
    epilog=examples(
        "makul case build COM/60000001 --from 2026-10-01 --to 2026-11-01 --reason 'case 7'"
        " --out case-7.asice",
        "makul case build COM/60000001 --from 2026-10-01 --to 2026-11-01 --reason 'case 7'"
        " --preview --json",
        "makul case build --case 7d9a3c1e-0000-4000-8000-000000000001 --reason 'letter 12'",
    )
)
def build(
    ctx: typer.Context,
    *,
    member: Member = None,
    begins: FirstDay = None,
    ends: EndDay = None,
    reason: Reason,
    case: CaseId = None,
    out: NewFile = None,
    months: MonthsDirectory = None,
    everything: Everything = False,
    preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Build the evidence file of a recipient and a period, signed with the key of receipts.

    It contains decisions with receipts, proofs, documents and reports, agreements, and acts. By
    default only decisions with an exception by the rules of monthly statements are included. No
    personal data are added to those in the requests, consents and other documents. Signed requests
    are not kept: the file has their digests. Building is recorded with its reason, also a preview.

    With --case the file is of a case that the authorised body opened. It is written into the
    directory of evidence files of the settings and attached, so that both bodies get it.
    """
    if case is None:
        build_options = _new_case(member, begins, ends, everything=everything)
        if out is None and not preview:
            raise OperatorError(translate("name the new file with --out, or give --preview"))
    elif (member, begins, ends, out, everything) != (None, None, None, None, False):
        raise typer.BadParameter(
            translate("--case names recipient, period and file; give none of these")
        )
    else:
        build_options = partial(_registered_case, case_id=case)
    action = _Action.PREVIEW if preview else _Action.ATTACH if case else _Action.BUILD
    with open_installation(ctx) as installation:
        options = build_options(installation, reason=_reason(reason), months=months)
        facts = _run(installation.cases, options, action, out)
    show_facts(facts, as_json=as_json)


def _new_case(
    member: str | None, begins: datetime | None, ends: datetime | None, *, everything: bool
) -> Callable[..., CaseOptions]:
    """Return the function that reads the options of a file that belongs to no case."""
    if member is None or begins is None or ends is None:
        raise typer.BadParameter(translate("name CODE, --from and --to, or a case with --case"))
    period = _period(begins, ends)

    def read(installation: "Installation", *, reason: str, months: Path | None) -> CaseOptions:
        return CaseOptions(
            recipient=require_recipient(installation, member),
            period=period,
            scope=CaseScope.ALL if everything else CaseScope.EXCEPTIONS,
            reason=reason,
            months=months,
        )

    return read


def _registered_case(
    installation: "Installation", *, case_id: UUID, reason: str, months: Path | None
) -> CaseOptions:
    """Return the options of a registered case."""
    case = installation.cases.find_open(case_id)
    return CaseOptions(
        recipient=require_recipient(installation, case.recipient),
        period=case.period,
        scope=case.scope,
        reason=reason,
        months=months,
        case_id=case_id,
    )


class _Action(Enum):
    PREVIEW = "count"
    BUILD = "build"
    ATTACH = "attach"


def _run(cases: "CasePublisher", options: CaseOptions, action: _Action, out: Path | None) -> Facts:
    with progress_bar() as progress:
        total = 0 if progress.disable else cases.total(options)
        task = progress.add_task(translate("decisions"), total=total)

        def report(count: int) -> None:
            progress.advance(task, count)

        if action is _Action.ATTACH:
            return _built(cases.attach(options, report))
        if action is _Action.BUILD and out is not None:
            return _built(cases.build(options, out, report))
        counts = cases.count(options, report)
    return {
        "recipient": options.recipient.code,
        "scope": options.scope.value,
        "decisions": counts.decisions,
        "included": counts.included,
        "exceptions": [f"{kind} {count:,}" for kind, count in counts.exceptions],
    }


def _period(begins: datetime, ends: datetime) -> CasePeriod:
    try:
        return CasePeriod(begins.date(), ends.date())
    except ValueError:
        raise OperatorError(translate("--to must be a later day than --from")) from None


def _reason(reason: str) -> str:
    text = " ".join(require_reason(reason).split())
    if len(text) > MAX_REASON_CHARACTERS or not text.isprintable() or set(text) & set("<>"):
        raise OperatorError(
            translate("--reason is at most 500 printable characters, without < and >")
        )
    return text


def _built(built: "BuiltCase") -> Facts:
    return {
        **_facts(built.case),
        "level": built.level.value,
        "why": None if built.why is None else translate(built.why),
        "bytes": built.size,
        "file": str(built.file),
    }


def _facts(case: Case) -> Facts:
    return {
        "case_id": str(case.case_id),
        "recipient": case.recipient,
        "from": instant(case.begins),
        "to": instant(case.ends),
        "scope": case.scope.value,
        "decisions": case.decisions,
        "included": case.included,
        "exceptions": [f"{kind} {count:,}" for kind, count in case.exceptions],
        "contents": [f"{each.kind} {each.files:,}" for each in case.contents],
        "missing_documents": case.missing_documents,
        "missing_trust": case.missing_trust,
        "tree_size": case.tree_size,
    }


@app.command(
    epilog=examples(
        "makul case verify case-7.asice --certificate operator.pem --log-key log.vkey",
        "makul case verify case-7.asice --anchors anchors --tsa-anchors tsa --json",
    )
    + f"\n\n{_VERIFY_CODES}"
)
def verify(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The evidence file.", show_default=False)
    ],
    *,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(
            help="A certificate of the operator, PEM; may be repeated. By default those of the"
            " settings."
        ),
    ] = None,
    anchors: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="CA certificates: judge the signer by them, as of the timestamp."
        ),
    ] = None,
    tsa_anchors: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="CA certificates of time-stamping authorities."),
    ] = None,
    log_key: Annotated[
        Path | None,
        typer.Option(help="The file with the log's verifier key; by default the case states it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify an evidence file offline: no database, no settings and no network are needed.

    Verified are the container, the signature, every file, every receipt, and for each decision and
    act the proof that it is in the checkpoint. Name the log's key that you got from elsewhere, so
    that nobody can show you another ledger. `makul document verify` judges the signatures under
    consents and agreements again. Only the operator's record shows that no decision is missing.
    """
    current = session(ctx)
    question = CaseQuestion(
        file=file,
        certificates=certificate or [],
        anchors=anchors,
        tsa_anchors=tsa_anchors,
        log_key=log_key,
    )
    with progress_bar() as progress:
        task = progress.add_task(translate("files"), total=None)
        found = current.runtime.verify_case(
            current.config, question, lambda count: progress.advance(task, count)
        )
    show_facts(_verified(found), as_json=as_json)


app.registered_commands.extend(oversight_case.app.registered_commands)


def _verified(found: VerifiedCase) -> Facts:
    return {
        "result": "PASSED",
        **_facts(found.case),
        "files": found.files,
        "signer": found.signer.hex(),
        "signing_time": instant(found.signing_time),
        "proven_time": instant(found.proven_time),
        "log_key": "OWN" if found.has_own_log_key else "OF_THE_CASE",
    }

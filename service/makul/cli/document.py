"""`makul document`: verification of a signed document, now and years later."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError  # typer exports no public name
from typer.core import TyperGroup

from makul.admin.errors import OperatorUnavailableError
from makul.admin.requests import DocumentVerificationRequest
from makul.cli.context import AsJson, examples, open_installation, session
from makul.cli.exit_codes import DocumentExit, DocumentUsageError
from makul.cli.output import Facts, local_time, show_facts, show_json, show_rows, translated_word
from makul.cli.usage import refuse_unreadable
from makul.language.report_reasons import translate_reason
from makul.language.translation import CATALOGS, mark, translate, translate_cause
from makul.net.files import FileError, read_bounded
from makul_language.help_pages import translate_usage_error

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""The maximum size of a file that is read. The report refuses a document above 256 KiB."""

_EXIT_BY_INDICATION: Final = {
    "TOTAL-PASSED": DocumentExit.PASSED,
    "TOTAL-FAILED": DocumentExit.FAILED,
    "INDETERMINATE": DocumentExit.INDETERMINATE,
}
_REJUDGE_EXIT_CODES: Final = (
    "Ends with 0 the same · 1 differs · 3 the decision, or what it rested on, is not there"
    " · 64 not understood"
)
_VERIFY_EXIT_CODES: Final = (
    "Ends with 0 passed · 1 failed · 2 indeterminate · 3 file, directories or settings cannot be"
    " used · 64 not understood"
)


class DocumentProfile(StrEnum):
    """The kind of document that is expected."""

    CONSENT = "consent"
    BASIS = "basis"
    RECEIPT = "receipt"
    AGREEMENT = "agreement"
    NOTICE = "notice"
    GENERIC = "generic"


_SIGNATURE_FORM: Final = mark(
    "one enveloped XAdES signature of level B or higher, as a child of the root; at most 256 KiB of"
    " XML in UTF-8 without DOCTYPE, comments and processing instructions"
)
_REQUIREMENTS: Final = {
    "consent": mark(
        "a consent by consent.xsd with {signature}; signed by its subject or representative"
    ),
    "basis": mark("a basis statement by basis.xsd with {signature}"),
    "receipt": mark("a receipt by receipt.xsd with {signature}"),
    "agreement": mark("an agreement by agreement.xsd with {signature}"),
    "notice": mark("an approval by notice.xsd with {signature}"),
    "generic": mark(
        "any XML document with {signature}; plain XML Signature will do as well."
        " Not PDF, ASiC, CMS (.p7s), detached or enveloping signatures"
    ),
}
"""The requirements on a document of each profile, shown if a document does not meet them."""


_Profile = Annotated[
    DocumentProfile,
    typer.Option(
        help="The expected kind of document. generic accepts any XML document of at"
        " most 256 KiB with one enveloped signature, XAdES or plain XML"
        " Signature, as a child of its root."
    ),
]

_Anchors = Annotated[
    Path | None, typer.Option(help="Trusted CA certificates; by default those of the settings.")
]
_Intermediates = Annotated[
    Path | None, typer.Option(help="CA certificates that lead to an anchor.")
]
_TsaCrl = Annotated[
    Path | None,
    typer.Option(help="CRLs of time-stamping authorities, if they are stored apart from --crl."),
]


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise errors of usage and of files as errors with the exit codes of these commands."""
    try:
        yield
    except NoArgsIsHelpError:
        raise  # typer prints the help
    except UsageError as error:
        message = translate_usage_error(error, CATALOGS).format_message()
        raise DocumentUsageError(message) from None
    except FileError as error:  # exit code 1 would mean a bad signature
        raise OperatorUnavailableError(str(error)) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise OperatorUnavailableError(
            f"{error.filename}: {translate_cause(error.strerror)}"
        ) from None


class _DocumentGroup(TyperGroup):
    """The command group, in which a usage error ends with 64 (sysexits.h, EX_USAGE).

    Exit code 2 means INDETERMINATE here.
    """

    refuses_unreadable = True
    """The group refuses unreadable arguments itself, so that it can use its own exit code."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        with _translate_errors():
            refuse_unreadable(args)
            return super().make_context(info_name, args, parent=parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _translate_errors():
            return super().invoke(ctx)


app = typer.Typer(cls=_DocumentGroup, no_args_is_help=True, help="Verify signed documents offline.")


@app.callback()
def document() -> None:
    """Verify signed documents offline."""


@app.command(
    epilog=examples(
        "makul document verify consent.xml --profile consent",
        "makul document verify receipt.xml --anchors anchors --crl crls --profile receipt --json",
    )
    + f"\n\n{_VERIFY_EXIT_CODES}"
)
def verify(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="The file with the exact bytes of the document.", show_default=False),
    ],
    *,
    profile: _Profile = DocumentProfile.GENERIC,
    anchors: _Anchors = None,
    intermediates: _Intermediates = None,
    crl: Annotated[Path | None, typer.Option(help="CRLs of certification authorities.")] = None,
    ocsp: Annotated[Path | None, typer.Option(help="OCSP responses.")] = None,
    tsa_anchors: Annotated[
        Path | None, typer.Option(help="CA certificates of time-stamping authorities.")
    ] = None,
    tsa_crl: _TsaCrl = None,
    at: Annotated[
        str | None, typer.Option(help="Judge for this time (ISO 8601 with zone); by default now.")
    ] = None,
    existed_at: Annotated[
        str | None, typer.Option(help="A time at which you can prove that you held this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a signature and print the validation report (ETSI EN 319 102-1)."""
    current = session(ctx)
    answer = current.runtime.verify_document(
        DocumentVerificationRequest(
            config=current.config,
            document=_read(file),
            profile=profile.value,
            anchors=anchors,
            intermediates=intermediates,
            crls=crl,
            ocsp=ocsp,
            tsa_anchors=tsa_anchors,
            tsa_crls=tsa_crl,
            at=_parse_instant("--at", at) or current.runtime.clock(),
            existed_at=_parse_instant("--existed-at", existed_at),
        )
    )
    report = json.loads(answer)
    if as_json:
        show_json(report)
    else:
        _print_report(report)
    raise typer.Exit(_EXIT_BY_INDICATION[report["indication"]])


@app.command(
    epilog=examples("makul document rejudge 01933f2c-7b1e-7c52-9d0a-0c8f3f0e6a11")
    + f"\n\n{_REJUDGE_EXIT_CODES}"
)
def rejudge(
    ctx: typer.Context,
    disclosure_id: Annotated[
        UUID, typer.Argument(metavar="ID", help="An id from `disclosure list`.", show_default=False)
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Judge the documents of a decision again with the evidence stored at the time.

    Each use of this command is recorded.
    """
    with open_installation(ctx) as installation:
        results = installation.revalidate(disclosure_id)
    show_rows(
        [
            {
                "document": each.digest,
                "kind": each.kind,
                "kept": each.kept,
                "again": each.again,
                "verdict": translated_word(mark("differs") if each.where else mark("same")),
                "where": list(each.where),
            }
            for each in results
        ],
        columns=("kind", "kept", "again", "verdict", "where", "document"),
        as_json=as_json,
        empty=translate("No document was judged for this decision."),
    )
    if any(each.where for each in results):
        raise typer.Exit(DocumentExit.FAILED)


def _read(file: Path) -> bytes:
    try:
        return read_bounded(file, MAX_FILE_BYTES)
    except FileError as error:
        raise OperatorUnavailableError(str(error)) from None


def _parse_instant(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise DocumentUsageError(
        translate(
            "{option} needs a time with its zone, such as 2026-11-22T12:00:00Z", option=option
        )
    )


_VERDICTS: Final = frozenset(
    {mark("passed"), mark("failed"), mark("indeterminate"), mark("not run")}
)
_SOURCES: Final = frozenset({mark("timestamp"), mark("held")})
"""The words of a report that people read in their language. Its codes stay as they are."""


def _readable_word(word: str, known: frozenset[str]) -> str:
    """Return a word of the report in the language in use, or unchanged if it is not known."""
    return translate(word) if word in known else word


def _readable_reason(why: str | None) -> str | None:
    return translate_reason(why) if why is not None else None


def _readable_time(text: str | None) -> str | None:
    """Return a time of the report in the operator's time zone, or unchanged if it is no instant."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return text
    return text if at.tzinfo is None else local_time(at)


def _readable_proof(proof: Mapping[str, str]) -> str:
    source = _readable_word(proof["source"], _SOURCES)
    return f"{_readable_time(proof['time'])} ({source})"


def _print_report(report: Mapping[str, Any]) -> None:
    """Print the report for people: first the conclusion, then every check."""
    times, evidence = report["times"], report["evidence"]
    proof = times["proofOfExistence"]
    facts: Facts = {
        "indication": report["indication"],
        "sub-indication": report["subIndication"],
        "reason": report["reason"],
        "why": _readable_reason(report["why"]),
        "field": report["field"],
        "profile": report["profile"],
        "takes": None
        if report["reason"] is None
        else translate(_REQUIREMENTS[report["profile"]], signature=translate(_SIGNATURE_FORM)),
        "judged at": _readable_time(times["judgedAt"]),
        "claimed signing time": _readable_time(times["claimedSigningTime"]),
        "proof of existence": _readable_proof(proof) if proof else None,
        "best signature time": _readable_time(times["bestSignatureTime"]),
        "signing certificate": report["certificate"],
        "signature method": report["signatureMethod"],
        "document": evidence["document"],
        "certificates": evidence["certificates"],
        "revocation data": [each["digest"] for each in evidence["revocation"] if each["digest"]],
        "timestamps": [each["digest"] for each in evidence["timestamps"]],
    }
    show_facts(facts, as_json=False)
    typer.echo()
    show_rows(
        [
            {
                "check": each["check"],
                "clause": each["clause"],
                "verdict": _readable_word(each["verdict"], _VERDICTS),
                "reason": each.get("reason"),
                "why": _readable_reason(each.get("why")),
            }
            for each in report["checks"]
        ],
        columns=("check", "clause", "verdict", "reason", "why"),
        as_json=False,
        empty=translate("No check was run."),
    )

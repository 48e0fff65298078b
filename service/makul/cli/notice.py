"""`makul notice`: the notices that subjects read before they consent (Procedure, cl. 4)."""

from pathlib import Path
from typing import Annotated

import typer

from makul.admin.errors import OperatorError
from makul.app.agreements import NotSigned
from makul.app.ports import Notice
from makul.cli.context import AsJson, examples, open_installation, session
from makul.cli.files.signed_document import (
    ChainFile,
    KeyFile,
    SignedFile,
    not_good,
    print_document,
    read_document,
)
from makul.cli.output import Facts, instant, show_facts, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.language.translation import mark, translate
from makul.net.files import read_bounded

app = typer.Typer(
    no_args_is_help=True, help="Manage the notices that subjects read before they consent (cl. 4)."
)

MAX_BYTES = 256 * 1024
"""The maximum size of one text. Nobody reads more before signing."""

Ref = Annotated[
    str, typer.Argument(metavar="REF", help="The number of the notice, as consents cite it.")
]
TextFile = Annotated[
    Path,
    typer.Option(
        exists=True, dir_okay=False, help="The text of the notice in this language, UTF-8."
    ),
]


@app.command(
    epilog=examples(
        "makul notice add BANK-2026/1 --ky notice.ky.txt --ru notice.ru.txt --en notice.en.txt"
        " --apply",
    )
)
@offer_preview
def add(
    ctx: typer.Context,
    *,
    ref: Ref,
    ky: TextFile,
    ru: TextFile,
    en: TextFile,
    change: PreviewedChange,
) -> None:
    """Register a notice in three languages. A consent cites the SHA-256 of the exact bytes.

    A notice never changes: another text needs another number. Consents may cite it once it is
    approved.
    """
    if not 1 <= len(ref) <= 100 or not ref.isprintable() or set("<>") & set(ref):
        raise OperatorError(translate("REF is 1 to 100 printable characters without < and >"))
    texts = {"ky": _read(ky), "ru": _read(ru), "en": _read(en)}
    with open_installation(ctx) as installation:
        at = installation.clock()
        new = Notice.of(ref, texts, added_at=at)
        change.apply_or_preview(
            mark("register notice"),
            _facts(new),
            lambda: installation.registry.add_notice(ref, texts, at=at),
        )


@app.command("list", epilog=examples("makul notice list"))
def list_all(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List notices with the times of their approval."""
    with open_installation(ctx) as installation:
        rows = [_facts(notice) for notice in installation.registry.notices()]
    show_rows(
        rows,
        columns=("ref", "added_at", "approved_at", "ky", "ru", "en"),
        as_json=as_json,
        empty=translate("No notice is registered. To begin: makul notice add --help"),
    )


@app.command(epilog=examples("makul notice show BANK-2026/1"))
def show(ctx: typer.Context, *, ref: Ref, as_json: AsJson = False) -> None:
    """Show a notice with its texts."""
    with open_installation(ctx) as installation:
        notice = installation.notices.find(ref)
    if notice is None:
        raise OperatorError(translate("no notice of this number; see: makul notice list"))
    texts = {f"text_{language}": text.decode() for language, text in notice.texts.items()}
    show_facts({**_facts(notice), **texts}, as_json=as_json)


@app.command(epilog=examples("makul notice approval BANK-2026/1 > approval.xml"))
def approval(ctx: typer.Context, *, ref: Ref) -> None:
    """Print the exact approval that the authorised body signs."""
    with open_installation(ctx) as installation:
        print_document(installation.notices.approval(ref))


@app.command(
    epilog=examples(
        "makul notice sign approval.xml --key head.key.pem --certificate head.pem > signed.xml"
    )
)
def sign(ctx: typer.Context, *, file: SignedFile, key: KeyFile, certificate: ChainFile) -> None:
    """Sign an approval for a body that has no signing software. Runs on any machine."""
    document = read_document(file)
    print_document(session(ctx).runtime.sign(document, key=key, certificate=certificate))


@app.command(
    epilog=examples("makul notice approve signed.xml", "makul notice approve signed.xml --apply")
)
@offer_preview
def approve(ctx: typer.Context, *, file: SignedFile, change: PreviewedChange) -> None:
    """Record an approval that the authorised body signed. Consents may then cite the notice."""
    document = read_document(file)
    with open_installation(ctx) as installation:
        at = installation.clock()
        judged = installation.notices.judge(document, at=at)
        if isinstance(judged, NotSigned):
            raise not_good(file, judged)
        facts: Facts = {
            "ref": judged.approval.ref,
            "member": judged.approval.authorised_body.code,
            "certificate": judged.signer.hex(),
            **{language: digest.hex() for language, digest in judged.approval.digests.items()},
        }
        change.apply_or_preview(
            mark("approve notice"),
            facts,
            lambda: installation.notices.record(judged, at=at),
        )


def _facts(notice: Notice) -> Facts:
    return {
        "ref": notice.ref,
        "added_at": instant(notice.added_at),
        "approved_at": instant(notice.approved_at),
        **{language: notice.digests[language].hex() for language in ("ky", "ru", "en")},
    }


def _read(file: Path) -> bytes:
    text = read_bounded(file, MAX_BYTES)
    if not text:
        raise OperatorError(
            translate("{file}: empty. Name a file with the notice's text.", file=file)
        )
    try:
        text.decode()
    except UnicodeDecodeError:
        raise OperatorError(
            translate("{file} is not UTF-8; save it as UTF-8 and try again", file=file.name)
        ) from None
    return text

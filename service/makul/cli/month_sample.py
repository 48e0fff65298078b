"""`makul month sample`: the disclosures whose subjects are asked about them (Procedure, cl. 11)."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from makul.admin.errors import OperatorError
from makul.admin.month_sample import MonthSample, draw_sample
from makul.cli.context import AsJson, examples, session
from makul.cli.output import Facts, show_facts
from makul.domain.month_sample import RULE
from makul.language.translation import translate
from makul.net.files import read_bounded

DEFAULT_SIZE = 20
MAX_SAMPLE_FILE = 1024 * 1024
"""Maximum size in bytes of a stored sample: 10,000 ids have some 400 kilobytes."""


def add_to(app: typer.Typer) -> None:
    """Add the command to `makul month`."""
    app.command(
        epilog=examples(
            "makul month sample months/2026-10/COM-60000001/statement.xml --size 20 --json",
            "makul month sample statement.xml --certificate operator.pem --verify sample.json",
        )
    )(sample)


def sample(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The statement.xml of a month. Its pages must be beside it.",
            show_default=False,
        ),
    ],
    size: Annotated[
        int, typer.Option(min=1, max=10_000, help="The number of disclosures to draw.")
    ] = DEFAULT_SIZE,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(
            help="The operator's certificate, PEM; may be repeated. By default those of the"
            " settings, without those of compromised keys."
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Verify instead that this is the sample, as --json printed it."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw the sample of a month: the disclosures whose subjects are asked about them.

    The statement is verified first, with all its pages. The rule is published: anybody with the
    statement draws the same sample, and nobody can choose it. docs/operators.md has the rule.
    """
    current = session(ctx)
    stored = _read_stored(verify) if verify is not None else None
    wanted = size if stored is None else len(stored["disclosures"])
    drawn = draw_sample(current.config, file, certificate or [], size=max(wanted, 1))
    facts = _describe(drawn)
    if stored is not None and {name: stored.get(name) for name in facts} != facts:
        raise OperatorError(
            translate("{file}: it is not the sample of this statement by the rule", file=verify)
        )
    show_facts(facts, as_json=as_json)


def _describe(drawn: MonthSample) -> Facts:
    return {
        "rule": RULE,
        "month": str(drawn.statement.month),
        "recipient": drawn.statement.recipient,
        "seed": drawn.seed.hex(),
        "disclosures": [str(each) for each in drawn.disclosures],
    }


def _read_stored(path: Path) -> dict[str, Any]:
    """Return a stored sample. Raises `OperatorError` and `FileError`."""
    try:
        stored = json.loads(read_bounded(path, MAX_SAMPLE_FILE))
    except (ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict) or not isinstance(stored.get("disclosures"), list):
        raise OperatorError(
            translate(
                "{file}: it is not a sample as `makul month sample --json` prints it", file=path
            )
        )
    return stored

"""A monthly report as one HTML page that needs nothing else: no script, font, picture or network.

The same statements, audience, language and version give the same bytes. So anybody who has the
signed statements verifies a report by making it again. The page names the digests of the statements
for people and, in a `meta` element, for programs.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from html import unescape
from importlib.resources import files
from typing import Any, Final
from unicodedata import category

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from makul.domain.calendar import BISHKEK
from makul.domain.cell_suppression import MIN_CELL
from makul.domain.monthly_reports import Audience, MonthlyReport
from makul.domain.months import Month
from makul.domain.report_tables import (
    WHOLE,
    ListedException,
    Part,
    ReportTable,
    VerifiedStatement,
)
from makul.language.translation import Language, current_language, translate, use_language
from makul.ledger.checkpoint import CheckpointError, parse_checkpoint_unsafe
from makul.ledger.signed_note import NoteError, parse_note
from makul.reports.charts import HIDDEN_SIGN, Column, draw_bar, draw_columns
from makul.reports.labels import MONTHS, explain_kind, label_of, label_of_fact
from makul.reports.texts import HEADINGS, TEXTS

MAX_REPORT_BYTES: Final = 8 * 1024 * 1024
"""Maximum size of a report: 400 exceptions and 1000 statements have some two megabytes."""

MAX_STATEMENTS: Final = 1000
"""Maximum number of statements of a report: each has a block of some 20 lines on the page."""

_COUNTED: Final = (
    *(Part.OPERATIONS, Part.OUTCOMES, Part.GROUNDS, Part.PURPOSES),
    *(Part.ATTRIBUTES, Part.REFUSALS, Part.EXCEPTIONS),
)
_BINDING: Final = re.compile(r'<meta name="makul\.report" content="([^"]{1,400000})">')
_GENERATOR: Final = re.compile(r'<meta name="generator" content="makul ([0-9A-Za-z.+-]{1,40})">')
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBinding:
    """What a page says about its origin: for whom, in which language, and of which statements."""

    audience: Audience
    language: Language
    statements: tuple[str, ...]
    """SHA-256 of each signed statement, in hexadecimal."""
    earlier: tuple[str, ...]
    answers: tuple[str, ...] = ()
    """SHA-256 of each list of answers."""

    @classmethod
    def of(cls, report: MonthlyReport, language: Language) -> "ReportBinding":
        """Return the binding of a report."""
        return cls(
            audience=report.audience,
            language=language,
            statements=_digests(report.statements),
            earlier=_digests(report.earlier),
            answers=tuple(each.digest.hex() for each in report.answers),
        )

    def __str__(self) -> str:
        parts = {"sha256": self.statements, "earlier": self.earlier}
        if self.answers:
            parts["answers"] = self.answers
        digests = "".join(f"; {name}={','.join(each)}" for name, each in parts.items())
        return f"audience={self.audience}; language={self.language}{digests}"


class MalformedReportError(ValueError):
    """The bytes are not a monthly report."""


def _digests(given: Sequence[VerifiedStatement]) -> tuple[str, ...]:
    return tuple(each.digest.hex() for each in given)


def read_binding_unsafe(page: bytes) -> ReportBinding:
    """Return what a page says about its origin, unverified. Raises `MalformedReportError`."""
    text = page[:500_000].decode("utf-8", errors="replace")
    found = _BINDING.search(text)
    if found is None:
        raise MalformedReportError
    facts = dict(each.partition("=")[::2] for each in unescape(found[1]).split("; "))
    try:
        return ReportBinding(
            audience=Audience(facts["audience"]),
            language=Language(facts["language"]),
            statements=tuple(filter(None, facts["sha256"].split(","))),
            earlier=tuple(filter(None, facts["earlier"].split(","))),
            answers=tuple(filter(None, facts.get("answers", "").split(","))),
        )
    except (KeyError, ValueError):
        raise MalformedReportError from None


def read_version_unsafe(page: bytes) -> str:
    """Return the version that a page names, unverified; empty if there is none."""
    found = _GENERATOR.search(page[:4096].decode("utf-8", errors="replace"))
    return "" if found is None else found[1]


def render_html(report: MonthlyReport, language: Language, *, version: str) -> bytes:
    """Return the page of a report."""
    with use_language(language):
        page = _environment().get_template("report.html").render(_values(report, version))
    return page.lstrip().encode()


@cache
def _environment() -> Environment:
    directory = files("makul.reports") / "templates"
    page = (directory / "report.html").read_text(encoding="utf-8")
    environment = Environment(
        loader=DictLoader({"report.html": page}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "bar": draw_bar,
        "checkpoint": _checkpoint_lines,
        "count": _count,
        "explained": explain_kind,
        "fact": label_of_fact,
        "label": label_of,
        "moment": _moment,
        "share": _share,
        "visible": make_visible,
    }
    return environment


@cache
def _style() -> str:
    return (files("makul.reports") / "templates" / "report.css").read_text(encoding="utf-8")


def _policy() -> str:
    """Return the policy of the page: nothing is loaded or run, except this one style."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _values(report: MonthlyReport, version: str) -> dict[str, Any]:
    texts = {name: translate(template) for name, template in TEXTS.items()}
    tables = report.tables
    is_public = report.audience is Audience.PUBLIC
    months = tables.get(Part.MONTHS)
    return {
        "t": texts,
        "headings": {str(part): translate(heading) for part, heading in HEADINGS.items()},
        "language": str(current_language()),
        "version": version,
        "policy": _policy(),
        "style": Markup(_style()),  # noqa: S704 - our own file, whose digest the policy names
        "binding": str(ReportBinding.of(report, current_language())),
        "footer": _footer(report, texts),
        "report": report,
        "audience": _audience(report, texts),
        "is_public": is_public,
        "several": len(report.statements) > 1,
        "month_name": name_month(report.month),
        "figures": _figures(report, texts),
        "tables": {str(part): table for part, table in tables.items()}
        | {"months": months}
        | {"recipients": tables.get(Part.RECIPIENTS), "answers": tables.get(Part.ANSWERS)},
        "answered": sum(len(each.answers) for each in report.answers),
        "counted": [tables[part] for part in _COUNTED],
        "whole": WHOLE,
        "sign": HIDDEN_SIGN,
        "names": {
            each.statement.recipient: each.statement.recipient_name for each in report.statements
        },
        "kinds": _kinds(report),
        "listed_note": _listed_note(report),
        "day_chart": _chart(tables[Part.DAYS], "days", TEXTS["chart_of_days"]),
        "month_chart": None
        if months is None
        else _chart(months, "months", TEXTS["chart_of_months"]),
        "suppression_rule": translate(
            TEXTS["suppression_rule"], k=MIN_CELL, total=2 * MIN_CELL, sign=HIDDEN_SIGN
        ),
    }


def _audience(report: MonthlyReport, texts: dict[str, str]) -> str:
    if report.audience is Audience.PUBLIC:
        return texts["for_public"]
    return texts["for_parties" if len(report.statements) == 1 else "for_authorities"]


def _footer(report: MonthlyReport, texts: dict[str, str]) -> str:
    """Return the line below each printed page: the month, and the digests of the statements."""
    shown = ", ".join(f"{digest[:16]}…" for digest in _digests(report.statements)[:2])
    more = ", …" if len(report.statements) > 2 else ""
    draft = f"{texts['draft']} · " if report.draft else ""
    return f"{draft}{texts['title']} {report.month} · SHA-256 {shown}{more}"


def _figures(report: MonthlyReport, texts: dict[str, str]) -> list[tuple[str, int | None]]:
    figures = report.figures
    several = len(report.statements) > 1
    rows = [
        (texts["lines"], figures.lines),
        (texts["disclosures"], figures.disclosures),
        (texts["subjects_added" if several else "subjects"], figures.subjects),
        (texts["repetitions"], figures.repetitions),
    ]
    if report.audience is Audience.PARTIES:
        rows.append((texts["exceptions"], figures.exceptions))
    return rows


def _kinds(report: MonthlyReport) -> list[tuple[str, list[ListedException]]]:
    """Return each kind of exception in the month, with the lines that are listed."""
    return [
        (row.key, [each for each in report.exceptions if each.found.kind == row.key])
        for row in report.table(Part.EXCEPTIONS).rows
    ]


def _listed_note(report: MonthlyReport) -> str:
    listed, total = len(report.exceptions), report.figures.exceptions or 0
    if listed >= total:
        return ""
    return translate(TEXTS["listed"], listed=_count(listed), total=_count(total))


def _chart(table: ReportTable, identifier: str, description: str) -> Markup:
    is_of_days = table.part is Part.DAYS
    columns = [
        Column(
            label=str(int(row.key[-2:])) if is_of_days else row.key,
            size=row.count,
            text="" if row.count is None else _count(row.count),
        )
        for row in table.rows
    ]
    return draw_columns(
        columns,
        identifier=identifier,
        title=translate(HEADINGS[table.part]),
        description=translate(description),
    )


def name_month(month: Month) -> str:
    """Return a month in words in the language in use."""
    return translate(MONTHS[month.number - 1], year=month.year)


def make_visible(text: str) -> str:
    """Return a text in which characters that nobody sees are written by their number.

    A mark of direction could otherwise reverse the text that follows.
    """
    return "".join(
        f"[U+{ord(each):04X}]" if category(each) in _INVISIBLE else each for each in text
    )


def _count(number: int) -> str:
    """Return a number with its thousands apart, as the language writes it."""
    separator = "," if current_language() is Language.EN else "\N{NO-BREAK SPACE}"
    return f"{number:,}".replace(",", separator)


def _share(count: int, total: int) -> str:
    """Return a share with one decimal. It is computed with integers, so it never varies."""
    thousandths = (2000 * count + total) // (2 * total)
    point = "." if current_language() is Language.EN else ","
    sign = "<" if count and not thousandths else ""
    thousandths = max(thousandths, 1 if count else 0)
    return f"{sign}{thousandths // 10}{point}{thousandths % 10}\N{NO-BREAK SPACE}%"


def _moment(at: datetime) -> str:
    """Return a time of the Kyrgyz Republic."""
    return at.astimezone(BISHKEK).strftime("%Y-%m-%d %H:%M:%S")


def _checkpoint_lines(note: bytes) -> list[str]:
    """Return origin, size and root of a checkpoint that the operator signed with the statement."""
    try:
        checkpoint = parse_checkpoint_unsafe(parse_note(note).text)
    except (NoteError, CheckpointError):
        return [f"SHA-256 {sha256(note).hexdigest()}"]
    size = translate(TEXTS["checkpoint_size"], size=_count(checkpoint.size))
    return [checkpoint.origin, size, b64encode(checkpoint.root).decode()]

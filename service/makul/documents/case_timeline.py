"""Write the timeline of a case: XML for programs, and a page for people without any program.

The page is one HTML file without scripts, so that it can be opened and printed anywhere.
"""

from collections.abc import Iterable, Iterator
from html import escape

from makul.documents.canonical_writer import element, group, instant
from makul.domain.calendar import BISHKEK
from makul.domain.cases import Case, CaseEvent
from makul.language.translation import translate

_STYLE = (
    "body{font:15px/1.4 sans-serif;margin:2em;max-width:75em}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}"
    "td:first-child{white-space:nowrap}td:last-child{overflow-wrap:anywhere}"
)


def render_timeline(namespace: str, events: Iterable[CaseEvent]) -> Iterator[bytes]:
    """Yield the timeline as XML (case.xsd), an event in each block."""
    yield f'<CaseTimeline xmlns="{namespace}">'.encode()
    for each in events:
        yield group(
            "event",
            element("at", instant(each.at)),
            element("kind", each.kind),
            element("what", each.what),
            element("file", each.file),
        ).encode()
    yield b"</CaseTimeline>"


def render_page(case: Case, events: Iterable[CaseEvent]) -> Iterator[bytes]:
    """Yield the timeline as an HTML page in the language in use, a row in each block.

    Times are those of the Kyrgyz Republic.
    """
    title = translate(
        "Evidence file: {recipient}, from {begins} to {ends}",
        recipient=f"{case.recipient_name} ({case.recipient})",
        begins=_local(case.begins.astimezone(BISHKEK).isoformat(sep=" ", timespec="minutes")),
        ends=_local(case.ends.astimezone(BISHKEK).isoformat(sep=" ", timespec="minutes")),
    )
    yield (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>'
        f"{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
    ).encode()
    for line in _head_lines(case):
        yield f"<p>{escape(line)}</p>".encode()
    headings = (translate("Time"), translate("Event"), translate("What"), translate("File"))
    yield f"<table><tr>{''.join(f'<th>{escape(each)}</th>' for each in headings)}</tr>".encode()
    for event in events:
        yield _row(event).encode()
    yield b"</table></body></html>\n"


def _head_lines(case: Case) -> tuple[str, ...]:
    return (
        translate(
            "Case {case_id}, built by {operator}.", case_id=case.case_id, operator=case.operator
        ),
        translate("Reason: {reason}", reason=case.reason),
        translate(
            "{included:,} of {decisions:,} decisions of the period are in this file.",
            included=case.included,
            decisions=case.decisions,
        ),
        translate(
            "It holds no personal data but those in the requests, consents and other documents of"
            " these decisions."
        ),
    )


def _local(text: str) -> str:
    return text.removesuffix("+06:00")


def _row(event: CaseEvent) -> str:
    at = event.at.astimezone(BISHKEK)
    cells = (
        f"<td>{escape(_local(at.isoformat(sep=' ', timespec='seconds')))}</td>",
        f"<td>{escape(event.kind)}</td>",
        f"<td>{escape(event.what)}</td>",
        f'<td><a href="{escape(event.file)}">{escape(event.file)}</a></td>',
    )
    return f"<tr>{''.join(cells)}</tr>"

"""The output of corrections, of both programs."""

from makul_client.cli.output import local_time, print_line, print_note, print_pairs
from makul_client.models.corrections import Correction, Corrections
from makul_client.models.response import Decision
from makul_client.translation import translate


def print_recalls(decision: Decision) -> None:
    """Print on standard error which corrections the answer names, and what to do."""
    if decision.corrections:
        print_note(
            translate(
                "values that you were given earlier were corrected; see, and then acknowledge:"
                " makul-client correction show"
            )
        )


def print_corrections(found: Corrections) -> None:
    """Print each correction with its deadlines."""
    if not found.corrections:
        print_line(translate("There are no corrections."))
    for each in found.corrections:
        print_pairs(f"{each.attribute} {each.state}", _rows(each))


def _rows(each: Correction) -> list[tuple[str, str]]:
    late = translate("yes") if each.overdue else translate("no")
    rows = [
        (translate("correction"), str(each.correction_id)),
        (translate("reported at"), local_time(each.reported_at)),
        (translate("result before"), local_time(each.resolve_by)),
        (translate("overdue"), late),
    ]
    if each.acknowledge_by is not None:
        rows.append((translate("acknowledge before"), local_time(each.acknowledge_by)))
    if each.acknowledged_at is not None:
        rows.append((translate("acknowledged at"), local_time(each.acknowledged_at)))
    if each.reporter is not None:
        rows.append((translate("reporter"), f"{each.origin} {each.reporter}"))
    if each.recalled is not None:
        waiting = f"{each.unacknowledged} / {each.recalled}"
        rows.append((translate("not acknowledged"), waiting))
    rows += [(translate("disclosure"), str(which)) for which in each.disclosures]
    return rows

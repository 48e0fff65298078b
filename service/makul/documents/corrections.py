"""Render corrections (types.xsd, CorrectionStatus) and the results of acts on them (cl. 14)."""

from collections.abc import Iterable
from datetime import datetime

from makul.app.ports.corrections import CorrectionView
from makul.documents.canonical_writer import element, group, instant, optional
from makul.documents.reasons import typed
from makul.domain.corrections import Correction, CorrectionState


def render_corrections(views: Iterable[CorrectionView], *, at: datetime) -> bytes:
    """Render the elements `correction`, each as the party that asks may see it."""
    return "".join(group("correction", *_status(view, at)) for view in views).encode()


def render_correction_result(changed: Correction) -> bytes:
    """Render the elements of an act that recorded or resolved a report."""
    if changed.state is CorrectionState.REPORTED:
        return (
            element("correctionId", str(changed.correction_id))
            + element("correctionState", changed.state)
            + element("resolveBy", instant(changed.resolve_by))
        ).encode()
    due = changed.acknowledge_by
    return (
        element("correctionState", changed.state)
        + optional("acknowledgeBy", instant(due) if due is not None else None)
    ).encode()


def render_acknowledged(*, at: datetime) -> bytes:
    """Render the element of AcknowledgeCorrection."""
    return element("acknowledgedAt", instant(at)).encode()


def _status(view: CorrectionView, at: datetime) -> Iterable[str]:
    found, recall = view.correction, view.own_recall
    late = found.is_overdue(at) or (recall is not None and recall.is_overdue(found, at))
    late = late or any(each.is_overdue(found, at) for each in view.recalls or ())
    yield typed("correctionId", str(found.correction_id))
    yield typed("attribute", found.attribute)
    yield typed("kind", found.kind)
    yield typed("state", found.state)
    yield typed("reportedAt", instant(found.reported_at))
    yield typed("resolveBy", instant(found.resolve_by))
    yield typed("changedAt", instant(found.changed_at))
    yield typed("overdue", _flag(late))
    if found.acknowledge_by is not None and (recall is not None or view.recalls is not None):
        yield typed("acknowledgeBy", instant(found.acknowledge_by))
    if recall is not None and recall.acknowledged_at is not None:
        yield typed("acknowledgedAt", instant(recall.acknowledged_at))
    for each in view.own_disclosures:
        yield typed("disclosureId", str(each))
    if view.recalls is not None:
        waiting = sum(each.acknowledged_at is None for each in view.recalls)
        yield typed("origin", found.origin)
        yield typed("reporter", found.reporter)
        yield typed("valueEntered", _flag(found.entered_at is not None))
        yield typed("recalled", str(len(view.recalls)))
        yield typed("unacknowledged", str(waiting))


def _flag(value: bool) -> str:
    return "true" if value else "false"

"""The registered notices with their texts and approvals (cl. 4)."""

from collections.abc import Sequence

from sqlalchemy import select

from makul.app.ports import Notice
from makul.store.db.base import Database
from makul.store.db.codecs import instant
from makul.store.schema.registry_tables import notice_approval, notice_text

_ALL = (
    select(
        notice_text.c.ref,
        notice_text.c.language,
        notice_text.c.digest,
        notice_text.c.text,
        notice_text.c.added_at,
        notice_approval.c.approved_at,
    )
    .select_from(notice_text.outerjoin(notice_approval, notice_approval.c.ref == notice_text.c.ref))
    .order_by(notice_text.c.ref, notice_text.c.language)
)


def list_notices(database: Database) -> Sequence[Notice]:
    """Return every notice, by number."""
    by_ref: dict[str, list[tuple[str, bytes, str, int, int | None]]] = {}
    for ref, *row in database.fetch_all(_ALL, {}):
        by_ref.setdefault(ref, []).append(tuple(row))
    return [
        Notice(
            ref=ref,
            texts={language: text.encode() for language, _, text, _, _ in rows},
            digests={language: digest for language, digest, _, _, _ in rows},
            added_at=instant(rows[0][3]),
            approved_at=instant(rows[0][4]) if rows[0][4] is not None else None,
        )
        for ref, rows in by_ref.items()
    ]

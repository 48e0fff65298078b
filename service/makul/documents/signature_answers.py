"""Render what the authorised body reads before it signs: drafts and notices (oversight.xsd)."""

from collections.abc import Iterable

from makul.app.ports import Notice, PendingDraft
from makul.documents.canonical_writer import binary, each, element, group, instant, optional


def render_drafts(drafts: Iterable[PendingDraft]) -> bytes:
    """Render the elements `draft` of GetAgreementDraft."""
    return "".join(
        group(
            "draft",
            element("agreementNumber", draft.number),
            element("recipient", draft.recipient),
            element("draftDigest", binary(draft.digest)),
            each("signedBy", draft.signed_by),
            optional("document", None if draft.document is None else binary(draft.document)),
        )
        for draft in drafts
    ).encode()


def render_notices(notices: Iterable[Notice]) -> bytes:
    """Render the elements `notice` of GetNotice in a list: without texts."""
    return "".join(_notice(notice, with_texts=False, approval=None) for notice in notices).encode()


def render_notice(notice: Notice, approval: bytes) -> bytes:
    """Render the element `notice` of GetNotice with its texts and the approval to sign."""
    return _notice(notice, with_texts=True, approval=approval).encode()


def _notice(notice: Notice, *, with_texts: bool, approval: bytes | None) -> str:
    approved_at = notice.approved_at
    texts = (
        group(
            "text",
            element("language", language),
            element("digest", binary(notice.digests[language])),
            optional("content", binary(text) if with_texts else None),
        )
        for language, text in sorted(notice.texts.items())
    )
    return group(
        "notice",
        element("ref", notice.ref),
        element("addedAt", instant(notice.added_at)),
        optional("approvedAt", None if approved_at is None else instant(approved_at)),
        *texts,
        optional("approval", None if approval is None else binary(approval)),
    )

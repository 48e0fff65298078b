"""Read the answers about drafts and notices, which the receipt proved already (oversight.xsd).

What is to be signed is compared with what was asked for, and the texts of a notice with the digests
that its approval names: nobody signs anything else than what was read.
"""

from base64 import b64decode
from hashlib import sha256
from typing import Any, Final

from makul_client._internal.act_exchange import unsuitable_answer
from makul_client._internal.crypto.xml import UnsafeXmlError, parse
from makul_client.models.acts import Act
from makul_client.models.signatures import (
    AgreementSigned,
    DraftList,
    DraftToSign,
    ListedDraft,
    ListedNotice,
    NoticeList,
    NoticeToApprove,
)

_AGREEMENT: Final = "{urn:makul:agreement:1}"
_NOTICE: Final = "{urn:makul:notice:1}"


def read_drafts(answer: Any, act: Act) -> DraftList:
    """Return the drafts of a list."""
    return DraftList(drafts=tuple(map(_draft, answer.draft)), act=act)


def read_draft(answer: Any, act: Act, agreement: str) -> DraftToSign:
    """Return the one draft. Raises `TransportError` if it is that of another agreement."""
    if len(answer.draft) != 1 or answer.draft[0].document is None:
        raise unsuitable_answer()
    draft, document = _draft(answer.draft[0]), bytes(answer.draft[0].document)
    named = _text(document, f"{_AGREEMENT}number")
    if {draft.agreement, named} != {agreement}:
        raise unsuitable_answer()
    if sha256(document).digest() != draft.draft_digest:
        raise unsuitable_answer()
    return DraftToSign(draft=draft, document=document, act=act)


def read_signed(answer: Any, act: Act, agreement: str) -> AgreementSigned:
    """Return the state after a signature. Raises `TransportError` for an unknown one."""
    if answer.agreementState not in {"DRAFT", "IN_FORCE"}:
        raise unsuitable_answer()
    return AgreementSigned(agreement=agreement, agreement_state=answer.agreementState, act=act)


def read_notices(answer: Any, act: Act) -> NoticeList:
    """Return the notices of a list."""
    return NoticeList(notices=tuple(map(_notice, answer.notice)), act=act)


def read_notice(answer: Any, act: Act, ref: str) -> NoticeToApprove:
    """Return the one notice.

    Raises `TransportError` for another one, or if a text is not what the approval names.
    """
    if len(answer.notice) != 1 or answer.notice[0].approval is None:
        raise unsuitable_answer()
    read = answer.notice[0]
    notice, approval = _notice(read), bytes(read.approval)
    texts = {each.language: bytes(each.content or b"") for each in read.text}
    if {notice.ref, _text(approval, f"{_NOTICE}ref")} != {ref}:
        raise unsuitable_answer()
    digests = {language: sha256(text).digest() for language, text in texts.items()}
    if digests != _approved_digests(approval):
        raise unsuitable_answer()
    return NoticeToApprove(notice=notice, texts=texts, approval=approval, act=act)


def _draft(read: Any) -> ListedDraft:
    return ListedDraft(
        agreement=read.agreementNumber,
        recipient=read.recipient,
        draft_digest=bytes(read.draftDigest),
        signed_by=tuple(read.signedBy),
    )


def _notice(read: Any) -> ListedNotice:
    return ListedNotice(ref=read.ref, added_at=read.addedAt, approved_at=read.approvedAt)


def _approved_digests(approval: bytes) -> dict[str | None, bytes]:
    return {
        each.findtext(f"{_NOTICE}language"): b64decode(each.findtext(f"{_NOTICE}digest") or "")
        for each in parse(approval).findall(f"{_NOTICE}text")
    }


def _text(document: bytes, name: str) -> str | None:
    try:
        return parse(document).findtext(name)
    except UnsafeXmlError:
        raise unsuitable_answer() from None

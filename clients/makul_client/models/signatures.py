"""What the authorised body reads and signs: drafts of agreements, and notices (cl. 4 and 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from makul_client.models.acts import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDraft:
    """A draft that waits for signatures."""

    agreement: str
    recipient: str
    draft_digest: bytes
    """SHA-256 of its exact bytes."""
    signed_by: tuple[str, ...]
    """`AUTHORISED_BODY`, `OPERATOR`, `RECIPIENT`: the parties that have signed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftList:
    """All drafts that wait for signatures."""

    drafts: tuple[ListedDraft, ...]
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftToSign:
    """The newest draft of an agreement with its exact bytes."""

    draft: ListedDraft
    document: bytes = field(repr=False)
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSigned:
    """The signature of the authorised body under an agreement (Procedure, cl. 7)."""

    agreement: str
    agreement_state: str
    """`DRAFT` while another party must sign; then `IN_FORCE`."""
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedNotice:
    """A notice, approved or not."""

    ref: str
    added_at: datetime
    approved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeList:
    """All notices."""

    notices: tuple[ListedNotice, ...]
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeToApprove:
    """A notice with its texts, and the exact bytes of the approval."""

    notice: ListedNotice
    texts: Mapping[str, bytes] = field(repr=False)
    """The exact bytes, by language; each has the digest that the approval names."""
    approval: bytes = field(repr=False)
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeApproved:
    """The approval of a notice by the authorised body (Procedure, cl. 4)."""

    ref: str
    act: Act

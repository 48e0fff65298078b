"""What the use cases need of the world, as Protocols and the frozen values that pass through them.

The adapters (`documents`, `trust`, `matching`, `store`) fulfil these without knowing one another;
`bootstrap` joins them. Elements of signed or received XML pass through here unread: only
`documents` and `soap` look inside.
"""

from makul.app.ports.calling import (
    Caller,
    Clock,
    MessageMark,
    MessageVerifier,
    RejectedError,
    VerifiedMessage,
)
from makul.app.ports.desk import Desk, DeskError, DisclosureRow, Official
from makul.app.ports.documents import (
    MAX_SEALED_PERSON,
    Answer,
    ConsentStatus,
    DeliverySealer,
    DocumentError,
    Documents,
    DocumentVerifier,
    PersonDelivery,
    Receipt,
    ReceiptSigner,
    ServiceLimit,
    ServiceStatus,
    UnwritableError,
    VerifiedDocument,
)
from makul.app.ports.matching import Matcher
from makul.app.ports.record import (
    Committed,
    Entry,
    Evidence,
    HeldConsent,
    Leaf,
    Overtaken,
    Recorded,
    Recorder,
    Register,
    RegisteredCertificate,
    Replay,
    RequestKey,
    Space,
    Standing,
    StoreUnavailableError,
)

__all__ = [
    "MAX_SEALED_PERSON",
    "Answer",
    "Caller",
    "Clock",
    "Committed",
    "ConsentStatus",
    "DeliverySealer",
    "Desk",
    "DeskError",
    "DisclosureRow",
    "DocumentError",
    "DocumentVerifier",
    "Documents",
    "Entry",
    "Evidence",
    "HeldConsent",
    "Leaf",
    "Matcher",
    "MessageMark",
    "MessageVerifier",
    "Official",
    "Overtaken",
    "PersonDelivery",
    "Receipt",
    "ReceiptSigner",
    "Recorded",
    "Recorder",
    "Register",
    "RegisteredCertificate",
    "RejectedError",
    "Replay",
    "RequestKey",
    "ServiceLimit",
    "ServiceStatus",
    "Space",
    "Standing",
    "StoreUnavailableError",
    "UnwritableError",
    "VerifiedDocument",
    "VerifiedMessage",
]

"""The reference client of Makul: a small typed library, and two commands.

    from pathlib import Path
    from makul_client import Client, ConsentDocument, Demographic, Probe

    with Client.from_file(Path("bank.toml")) as client:
        data = client.get_person_data(
            Probe(demographic=Demographic(pin=pin, document_number=number)),
            ["surname", "givenName"],
            ground=ConsentDocument(Path("consent.xml").read_bytes()),
        )

`makul-client` is the command of a recipient. `makul-oversight` and `OversightClient` are those of
the officers of the supervising bodies (see `oversight`).

The client shares only the published WSDL and schemas with the service. It logs no personal data.
Importing it also stops its libraries from logging such data.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from makul_client._internal.quiet_loggers import keep_libraries_quiet

if TYPE_CHECKING:
    from makul_client._internal.request_sender import Context
    from makul_client.client import Client
    from makul_client.errors import (
        AnsweredError,
        ConfirmationError,
        ConsentError,
        EncryptionError,
        EncryptionFlaw,
        EvidenceError,
        FaultError,
        InvalidRequestError,
        LedgerError,
        LedgerFlaw,
        MakulError,
        NotMatchedError,
        ProfileError,
        ReceiptError,
        ReceiptFlaw,
        RecipientFaultError,
        RefusedError,
        RequestFaultError,
        ServiceFaultError,
        SignatureFaultError,
        StatementError,
        StatementFlaw,
        TransportError,
        UndeterminedError,
    )
    from makul_client.models.acts import (
        Act,
        CutOff,
        MonthCount,
        Reinstatement,
        Statistics,
        Termination,
    )
    from makul_client.models.months import (
        ContestedItem,
        Difference,
        DifferenceKind,
        IssuedStatement,
        MonthAct,
        MonthCheck,
        MonthlyStatement,
        MonthStatus,
    )
    from makul_client.models.reasons import Language, Reason, Retry
    from makul_client.models.request import (
        BasisDocument,
        ConsentDocument,
        ConsentId,
        Demographic,
        FaceSample,
        FingerSample,
        Ground,
        Probe,
    )
    from makul_client.months.confirmation import content_to_sign, sign_statement
    from makul_client.officer_profile import OfficerProfile
    from makul_client.oversight import OversightClient
    from makul_client.profile import Profile
    from makul_client.receipts.bundle import Bundle, read_bundle_unsafe, write_bundle
    from makul_client.transparency.verifier import LedgerVerifier, Proof, ReceiptState

__all__ = [
    "Act",
    "AnsweredError",
    "BasisDocument",
    "Bundle",
    "Client",
    "ConfirmationError",
    "ConsentDocument",
    "ConsentError",
    "ConsentId",
    "ContestedItem",
    "Context",
    "CutOff",
    "Demographic",
    "Difference",
    "DifferenceKind",
    "EncryptionError",
    "EncryptionFlaw",
    "EvidenceError",
    "FaceSample",
    "FaultError",
    "FingerSample",
    "Ground",
    "InvalidRequestError",
    "IssuedStatement",
    "Language",
    "LedgerError",
    "LedgerFlaw",
    "LedgerVerifier",
    "MakulError",
    "MonthAct",
    "MonthCheck",
    "MonthCount",
    "MonthStatus",
    "MonthlyStatement",
    "NotMatchedError",
    "OfficerProfile",
    "OversightClient",
    "Probe",
    "Profile",
    "ProfileError",
    "Proof",
    "Reason",
    "ReceiptError",
    "ReceiptFlaw",
    "ReceiptState",
    "RecipientFaultError",
    "RefusedError",
    "Reinstatement",
    "RequestFaultError",
    "Retry",
    "ServiceFaultError",
    "SignatureFaultError",
    "StatementError",
    "StatementFlaw",
    "Statistics",
    "Termination",
    "TransportError",
    "UndeterminedError",
    "content_to_sign",
    "read_bundle_unsafe",
    "sign_statement",
    "write_bundle",
]

_HOMES = {
    "models.request": (
        "BasisDocument ConsentDocument ConsentId Demographic FaceSample FingerSample Ground Probe"
    ),
    "receipts.bundle": "Bundle read_bundle_unsafe write_bundle",
    "client": "Client",
    "errors": (
        "AnsweredError ConfirmationError ConsentError EncryptionError EncryptionFlaw "
        "EvidenceError FaultError InvalidRequestError LedgerError LedgerFlaw MakulError "
        "NotMatchedError ProfileError ReceiptError ReceiptFlaw RecipientFaultError "
        "RefusedError RequestFaultError ServiceFaultError SignatureFaultError "
        "StatementError StatementFlaw TransportError UndeterminedError"
    ),
    "_internal.request_sender": "Context",
    "transparency.verifier": "LedgerVerifier Proof ReceiptState",
    "officer_profile": "OfficerProfile",
    "oversight": "OversightClient",
    "profile": "Profile",
    "months.confirmation": "content_to_sign sign_statement",
    "models.months": (
        "ContestedItem Difference DifferenceKind IssuedStatement MonthAct MonthCheck "
        "MonthlyStatement MonthStatus"
    ),
    "models.acts": "Act CutOff MonthCount Reinstatement Statistics Termination",
    "models.reasons": "Language Reason Retry",
}
"""The module that defines each public name.

A name is imported on first use, because importing all of them takes nearly a second.
"""


def __getattr__(name: str) -> Any:
    """Return a public name from the module that defines it (PEP 562)."""
    for module, names in _HOMES.items():
        if name in names.split():
            found = getattr(import_module(f"makul_client.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


keep_libraries_quiet()

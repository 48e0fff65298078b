"""GetReceipt and the ledger: a receipt comes with its proof, and is given without it too."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from makul.app.ports import (
    Caller,
    Documents,
    Inclusion,
    KeptReceipt,
    LedgerBrokenError,
    LedgerInfo,
    Register,
    RequestKey,
    RequestSnapshot,
    Space,
    StoreUnavailableError,
)
from makul.app.queries import Inquiries
from makul.app.recording import Recording
from makul.app.requests import ReceiptQuery, StatusQuery
from makul.documents.adapter import XmlDocuments
from makul_testing.builders.cases import AT, OPERATOR
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    BANK,
    a_caller,
    a_recipient,
    an_agreement,
)

KEPT = KeptReceipt(
    disclosure_id=uuid4(),
    document=b"<Receipt/>",
    space=Space.DISCLOSURE,
    agreement_number=AGREEMENT_NUMBER,
)
PLACED = Inclusion(index=3, size=7, proof=(b"\x01" * 32,), note=b"note\n\nline\n")
NOTICE = LedgerInfo(
    origin="log.example/makul", vkey="log.example/makul+0+A", max_merge_delay=timedelta(minutes=1)
)


@dataclass
class FakeLedger:
    """A ledger with one leaf, or one that fails."""

    error: Exception | None = None
    placed: dict[UUID, Inclusion] = field(default_factory=dict)

    def inclusion(self, disclosure_id: UUID) -> Inclusion | None:
        if self.error is not None:
            raise self.error
        return self.placed.get(disclosure_id)


class FakeRegister:
    """A register with the bank and one receipt."""

    def recipient(self, code: object) -> object:
        return a_recipient() if code == BANK else None

    def snapshot(self, key: RequestKey, number: object, *, at: datetime) -> RequestSnapshot:
        return RequestSnapshot(recipient=a_recipient(), agreement=an_agreement())

    def receipt(self, recipient: object, request_id: UUID) -> KeptReceipt | None:
        return KEPT if request_id == KEPT.disclosure_id and recipient == BANK else None


class FakeRecording:
    """A recorder that has seen no message before."""

    def register_message_id(self, *_: object, **__: object) -> None: ...


def inquiries(ledger: FakeLedger) -> Inquiries:
    return Inquiries(
        clock=lambda: AT,
        register=cast("Register", FakeRegister()),
        documents=cast("Documents", XmlDocuments(OPERATOR)),
        recording=cast("Recording", FakeRecording()),
        environment="SANDBOX",
        software_version="1",
        contract_version="v1",
        limits=(),
        receipt_certificates=(),
        ledger=ledger,
        ledger_notice=NOTICE,
    )


def receipt_query(of_request: UUID = KEPT.disclosure_id) -> Any:
    return ReceiptQuery(request_id=uuid4(), of_request=of_request)


CALLER: Caller = a_caller()


def test_a_receipt_is_given_with_its_proof() -> None:
    """The proof is that of the receipt's own disclosure, and not of the request for it."""
    ledger = FakeLedger()
    waiting = inquiries(ledger).receipt(receipt_query(), CALLER)
    ledger.placed[KEPT.disclosure_id] = PLACED
    placed = inquiries(ledger).receipt(receipt_query(), CALLER)

    assert b"<receipt>" in waiting
    assert b"<inclusion>" not in waiting
    assert b"<inclusion><leafIndex>3</leafIndex><treeSize>7</treeSize>" in placed


def test_a_broken_log_withholds_no_receipt() -> None:
    """The recipient sees that the proof is missing, and has its evidence."""
    answer = inquiries(FakeLedger(error=LedgerBrokenError("broken"))).receipt(
        receipt_query(), CALLER
    )

    assert b"<receipt>" in answer
    assert b"<inclusion>" not in answer


def test_an_unreachable_store_is_reported() -> None:
    """It is not reported as a receipt whose proof is overdue."""
    with pytest.raises(StoreUnavailableError):
        inquiries(FakeLedger(error=StoreUnavailableError("away"))).receipt(receipt_query(), CALLER)


def test_an_unknown_request_has_neither() -> None:
    """The ledger is not queried."""
    answer = inquiries(FakeLedger(error=AssertionError("asked"))).receipt(
        receipt_query(uuid4()), CALLER
    )

    assert b"REQ-01" in answer
    assert b"<inclusion>" not in answer


def test_status_describes_the_ledger() -> None:
    """The answer has the ledger's name, its key and its promised delay."""
    answer = inquiries(FakeLedger()).status(StatusQuery(request_id=uuid4()), CALLER)

    assert b"<maxMergeDelay>60</maxMergeDelay></ledger></GetStatusResponse>" in answer

"""A month of the client's recipient as a fake operator states it, and as a hostile one might.

The statement has three lines on two pages. A test changes any part before it is signed, so that
only the check that it is about can find it.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from lxml import etree

from makul_client import Client, Profile
from makul_client._internal.crypto.credentials import Credential
from makul_testing.client.world import NOW, Pauses, operator, write_profile
from makul_testing.servers.fake_service import SOAP, ReceivedRequest, Reply

MONTH = "2026-10"
BANK = "COM/60000001"
FIRST = datetime(2026, 10, 3, 5, 0, tzinfo=UTC)
NAMESPACE = "urn:makul:month:1"
CHECKPOINT = b"not verified without a table [ledger]\n"
KEPT = 'receipts = "receipts"'

Total = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a statement as text, and the receipt of its decision."""

    disclosure_id: UUID
    request_id: UUID
    decided_at: datetime
    receipt: bytes
    outcome: str = "NOT_MATCHED"
    operation: str = "VerifyPerson"
    receipt_digest: bytes | None = None
    """None: that of the receipt."""

    def render(self) -> str:
        digest = self.receipt_digest or hashlib.sha256(self.receipt).digest()
        return (
            f"<line><disclosureId>{self.disclosure_id}</disclosureId>"
            f"<decidedAt>{instant(self.decided_at)}</decidedAt>"
            f"<requestId>{self.request_id}</requestId><operation>{self.operation}</operation>"
            f"<outcome>{self.outcome}</outcome>"
            f"<receiptDigest>{b64(digest)}</receiptDigest></line>"
        )


@dataclass(kw_only=True)
class FakeMonth:
    """The parts of a statement. A change is signed like the rest."""

    pages: list[list[Line]]
    month: str = MONTH
    recipient: str = BANK
    draft: str = "false"
    lines: int | None = None
    totals: dict[str, Total] = field(default_factory=dict)
    """Totals that differ from those of the lines."""
    references: Callable[[list[tuple[int, int, bytes]]], list[tuple[int, int, bytes]]] = list
    """Changes the number, the lines and the digest of each page in the head."""
    page_month: str = MONTH
    page_recipient: str = BANK
    page_number: int = 0
    """What is added to the number of each page."""
    page: Callable[[bytes], bytes] = bytes
    """Changes the bytes of a page before the head names their digest."""
    page_on_its_way: Callable[[bytes], bytes | None] = bytes
    """Changes the bytes of a page afterwards; None: the page is not given."""
    head_on_its_way: Callable[[bytes], bytes] = bytes
    checkpoint: bytes = CHECKPOINT
    signer: Credential | None = None
    """Another than the operator's key."""
    status: dict[str, str] = field(default_factory=dict)
    """Values of the state that differ."""

    def page_bytes(self, number: int) -> bytes:
        lines = "".join(each.render() for each in self.pages[number - 1])
        return self.page(
            f'<StatementPage xmlns="{NAMESPACE}"><month>{self.page_month}</month>'
            f"<recipient>{self.page_recipient}</recipient>"
            f"<number>{number + self.page_number}</number>{lines}</StatementPage>".encode()
        )

    def head(self) -> bytes:
        all_lines = [line for page in self.pages for line in page]
        number = len(all_lines) if self.lines is None else self.lines
        totals = {**count(all_lines), **self.totals}
        named = [
            (at, len(page), hashlib.sha256(self.page_bytes(at)).digest())
            for at, page in enumerate(self.pages, start=1)
        ]
        pages = "".join(
            f"<page><number>{at}</number><lines>{size}</lines><digest>{b64(digest)}</digest></page>"
            for at, size, digest in self.references(named)
        )
        root = etree.fromstring(
            f'<MonthlyStatement xmlns="{NAMESPACE}" Id="statement"><month>{self.month}</month>'
            f"<draft>{self.draft}</draft><operator>GOV/70000001</operator>"
            f"<recipient><code>{self.recipient}</code><name>Bank</name></recipient>"
            f"<builtAt>{instant(NOW - timedelta(hours=1))}</builtAt>"
            f"<checkpoint>{b64(self.checkpoint)}</checkpoint><lines>{number}</lines>"
            f"<disclosures>0</disclosures><subjects>0</subjects><repetitions>0</repetitions>"
            f"{render_totals(totals)}{pages}</MonthlyStatement>"
        )
        return operator(self.signer).sign(root)

    def reply(self) -> Reply:
        """Return the replies to GetMonthlyStatement and ConfirmMonth."""
        head = self.head_on_its_way(self.head())
        status = {
            "recipient": BANK,
            "month": MONTH,
            "state": "ISSUED",
            "issuedAt": instant(NOW),
            "confirmBy": instant(NOW + timedelta(days=10)),
            "overdue": "false",
            "statementDigest": b64(hashlib.sha256(head).digest()),
            **self.status,
        }

        def answer(request: ReceivedRequest) -> tuple[int, bytes]:
            shown = dict(status)
            if request.operation == "ConfirmMonth":
                is_contest = request.text("statement") == ""
                shown["state"] = "CONTESTED" if is_contest else "CONFIRMED"
            parts = "".join(f"<t:{name}>{value}</t:{name}>" for name, value in shown.items())
            content = f"<status>{parts}</status>"
            number = request.text("page")
            if request.operation == "GetMonthlyStatement" and number:
                page = self.page_on_its_way(self.page_bytes(int(number)))
                content += "" if page is None else f"<page>{b64(page)}</page>"
            elif request.operation == "GetMonthlyStatement":
                content += f"<statement>{b64(head)}</statement>"
            return operator().decide("DONE", content=content)(request)

        return answer


def a_line(minutes: int, **changes: Any) -> Line:
    """Return a line of a decision and its signed receipt, some minutes after the first."""
    at = changes.pop("decided_at", FIRST + timedelta(minutes=minutes))
    disclosure_id, request_id = uuid4(), uuid4()
    receipt = sign_receipt(disclosure_id, request_id, at)
    line = Line(disclosure_id=disclosure_id, request_id=request_id, decided_at=at, receipt=receipt)
    return replace(line, **changes)


def sign_receipt(disclosure_id: UUID, request_id: UUID, at: datetime, **changes: Any) -> bytes:
    """Return a receipt of VerifyPerson for the bank, signed by the operator."""
    request = ReceivedRequest(
        f'<e:Envelope xmlns:e="{SOAP}"><e:Body><VerifyPerson xmlns="urn:makul:recipient:1">'
        f"<requestId>{request_id}</requestId></VerifyPerson></e:Body></e:Envelope>".encode()
    )
    facts: dict[str, Any] = {
        "id": str(disclosure_id),
        "outcome": "NOT_MATCHED",
        "codes": (),
        "person": None,
        "at": at,
        "agreement": "TEST-2026/001",
    }
    return operator(changes.pop("signer", None)).receipt(request, **{**facts, **changes})


def a_month(**changes: Any) -> FakeMonth:
    """Return a month of three lines on two pages."""
    return FakeMonth(**{"pages": [[a_line(0), a_line(1)], [a_line(2)]], **changes})


def count(lines: Sequence[Line]) -> dict[str, Total]:
    """Return the totals of lines."""
    return {
        "operationTotal": Counter(each.operation for each in lines),
        "outcomeTotal": Counter(each.outcome for each in lines),
        "groundTotal": {"none": len(lines)} if lines else {},
        "purposeTotal": {"ACCOUNT_OPENING": len(lines)} if lines else {},
        "dayTotal": Counter(
            (each.decided_at + timedelta(hours=6)).date().isoformat() for each in lines
        ),
        "attributeTotal": {},
        "refusalTotal": {},
        "exceptionTotal": {},
    }


def render_totals(totals: Mapping[str, Total]) -> str:
    return "".join(
        f"<{name}><key>{key}</key><count>{number}</count></{name}>"
        for name, total in totals.items()
        for key, number in total.items()
    )


def keep(folder: Path, lines: Sequence[Line]) -> Path:
    """Keep the receipts of lines in the directory of the profile, and return that of the month."""
    directory = folder / "receipts" / MONTH
    directory.mkdir(parents=True, exist_ok=True)
    for each in lines:
        (directory / f"{each.disclosure_id}.xml").write_bytes(each.receipt)
    return directory


def write_month_profile(folder: Path, url: str, *, extra: str = "") -> Path:
    """Write the bank's profile with a directory of receipts."""
    file = write_profile(folder, url, extra=extra)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[recipient]\n", f"[recipient]\n{KEPT}\n"), encoding="utf-8")
    return file


def month_client(folder: Path, url: str, *, extra: str = "") -> Client:
    """Return the bank's client, whose clock stands still."""
    file = write_month_profile(folder, url, extra=f"[retry]\nattempts = 1\n{extra}")
    return Client(Profile.load(file), clock=lambda: NOW, pause=Pauses())


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()

"""A month of the bank with two disclosures, and requests of its parties about it (cl. 11)."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from lxml import etree

from makul.composition.adapters import utc_now
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month, month_before
from makul.ledger.signed_note import ED25519
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_sandbox.data.recipients import AUTHORISED_BODY
from makul_testing.builders.entries import a_release
from makul_testing.builders.notifications import a_notification
from makul_testing.cli_runner import CommandLine
from makul_testing.in_process_service import (
    RECIPIENT,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    build_installation,
)
from makul_testing.tlog.builder import ORIGIN, build_recording, check_ledger, sequence

T = "{urn:makul:types:1}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
PUBLISHED = {"recipient": RECIPIENT, "oversight": "urn:makul:oversight:1"}


@dataclass(frozen=True, slots=True)
class Closing:
    """An installation with a built statement of the last month, and its parties."""

    installation: InProcessService
    makul: CommandLine
    month: Month
    lines: Sequence[UUID]
    """The disclosures of the month."""

    @property
    def bank(self) -> MemberCode:
        return self.installation.bank.code

    def issue(self) -> None:
        self.makul.run_json("month", "issue", self.bank, str(self.month), "--apply")

    def publish(self) -> NoteSigner:
        """Sequence all that waits and publish the checkpoint, as `makul ledger run` does."""
        signer = NoteSigner.load(self.makul.directory / "ledger.key", ORIGIN)
        sequence(self.installation.store, signer, at=utc_now())
        latest = self.installation.store.ledger.latest()
        assert latest is not None
        LogDirectory(self.makul.directory / "log").write_checkpoint(latest.note)
        return signer

    def ask(self, operation: str, content: str = "", *, by: str = "bank") -> ServiceAnswer:
        """Send a request of the recipient port about the month."""
        return self.installation.ask(self._request("recipient", operation, content), by=by)

    def oversee(self, operation: str, content: str = "", *, by: str = "inspector") -> ServiceAnswer:
        return self.installation.oversee(self._request("oversight", operation, content), by=by)

    def _request(self, port: str, operation: str, content: str) -> bytes:
        return (
            f'<{operation} xmlns="{PUBLISHED[port]}" xmlns:t="urn:makul:types:1">'
            f"<requestId>{uuid4()}</requestId>{content}</{operation}>"
        ).encode()

    def in_month(self, more: str = "") -> str:
        return f"<month>{self.month}</month>{more}"

    def of_bank(self, more: str = "") -> str:
        return f"<month>{self.month}</month><recipient>{self.bank}</recipient>{more}"

    def content(self) -> bytes:
        """Return the statement as every party signs it: without the operator's signature."""
        answer = self.ask("GetMonthlyStatement", self.in_month())
        return unsigned(document_of(answer, "statement"))

    def signed_by(self, member: MemberCode, content: bytes | None = None) -> str:
        signer = self.installation.world.signatories[member]
        signed = signer.sign(content or self.content(), at=utc_now())
        return f"<statement>{b64encode(signed).decode()}</statement>"

    def confirm(
        self, member: MemberCode | None = None, content: bytes | None = None
    ) -> ServiceAnswer:
        signed = self.signed_by(member or self.bank, content)
        return self.ask("ConfirmMonth", self.in_month(signed))

    def contest(self, *lines: UUID) -> ServiceAnswer:
        contested = "".join(
            f"<contestedLine><disclosureId>{line}</disclosureId>"
            "<reason>our client was not there</reason></contestedLine>"
            for line in lines
        )
        return self.ask("ConfirmMonth", self.in_month(contested))

    def sign(self, member: MemberCode = AUTHORISED_BODY, *, by: str = "head") -> ServiceAnswer:
        content = f"<recipient>{self.bank}</recipient><month>{self.month}</month>"
        return self.oversee("SignMonth", content + self.signed_by(member), by=by)

    def state(self) -> str | None:
        return state_of(self.oversee("GetMonth", self.of_bank()))


def document_of(answer: ServiceAnswer, name: str) -> bytes:
    namespace = etree.QName(answer.child).namespace
    return b64decode(answer.child.findtext(f"{{{namespace}}}{name}") or "")


def unsigned(document: bytes) -> bytes:
    root = etree.fromstring(document)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    root.remove(signature)
    return etree.tostring(root, method="c14n", exclusive=True)


def state_of(answer: ServiceAnswer) -> str | None:
    return next((each.text for each in answer.child.iter(f"{T}state")), None)


@contextmanager
def open_closing(tmp_path: Path, record_database: RecordDatabase) -> Iterator[Closing]:
    """Two disclosures of the last month, and their statement, which is not issued yet."""
    built = build_installation(tmp_path, database=record_database)
    month = month_before(utc_now())
    agreements = built.store.registry.agreements(built.bank.code)
    (terms,) = (each for each in agreements if each.number == built.bank.agreement)
    for day in (1, 2):
        release = a_release(
            a_notification(visible_at=month.begins + timedelta(days=day)),
            decided_at=month.begins + timedelta(days=day),
            agreement_number=built.bank.agreement,
            terms=terms,
        )
        build_recording(built.store).record_and_render(release.decision)
    rows = built.store.registry.disclosures(recipient=built.bank.code, since=None, limit=9)
    assert {(row.outcome.value, row.codes) for row in rows} == {("RELEASED", ())}
    makul = built.makul()
    new_key_file(makul.directory / "ledger.key", ORIGIN, ED25519)
    with (makul.directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    closing = Closing(built, makul, month, [row.disclosure_id for row in rows])
    closing.publish()
    output = makul.directory / "months"
    bank = built.bank.code
    makul.run_json("month", "build", str(month), "--recipient", bank, "--output", output)
    yield closing
    signer = closing.publish()
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()

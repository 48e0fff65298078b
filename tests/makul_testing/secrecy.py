"""A bank whose agreement demands undertakings, and its requests about secrecy (cl. 15 and 16)."""

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from makul.documents.undertakings import render_undertaking
from makul.domain.calendar import legal_day
from makul.domain.identifiers import MemberCode
from makul.domain.undertakings import Undertaking
from makul.trust.xades.signing import sign_document
from makul_testing.builders.agreements import agree
from makul_testing.in_process_service import (
    RECIPIENT,
    InProcessService,
    ServiceAnswer,
    about,
    person_request,
)

EMPLOYEE = "teller-7"
EMPLOYEE_NUMBER = 3
"""The citizen who works at the bank."""


@dataclass(frozen=True, slots=True)
class SecretBank:
    """The bank of an installation, after it agreed to undertakings."""

    installation: InProcessService

    @classmethod
    def of(cls, installation: InProcessService) -> "SecretBank":
        registry = installation.store.registry
        number = installation.bank.agreement
        (terms,) = (each for each in registry.agreements() if each.number == number)
        demanding = replace(terms, undertakings_required=True)
        agree(registry, demanding, at=installation.clock())
        return cls(installation)

    def undertaking(self, **changes: Any) -> Undertaking:
        """Return an undertaking of the employee, signed now."""
        now = self.installation.clock()
        person = self.installation.world.people[EMPLOYEE_NUMBER]
        fields: dict[str, Any] = {
            "undertaking_id": uuid4(),
            "person": person.pin,
            "name": "Test Teller",
            "recipient": self.installation.bank.code,
            "employee": EMPLOYEE,
            "text": "SECRECY/2026, version 1",
            "valid_from": now - timedelta(days=1),
            "valid_to": None,
            "lasts_after": True,
            "signed_at": now,
        }
        return Undertaking(**(fields | changes))

    def signed(self, undertaking: Undertaking, *, by: int = EMPLOYEE_NUMBER) -> bytes:
        """Return an undertaking with the signature of a citizen."""
        signer = self.installation.world.citizens[by]
        return sign_document(
            render_undertaking(undertaking),
            signer.key,
            [signer.certificate],
            at=self.installation.clock(),
        )

    def record(self, document: bytes, *, by: str = "bank") -> ServiceAnswer:
        content = f"<document>{b64encode(document).decode()}</document>"
        return self.act("RecordUndertaking", content, by=by)

    def end(self, undertaking_id: UUID, *, by: str = "bank") -> ServiceAnswer:
        ended = f"<endedOn>{self.today}</endedOn>"
        content = f"<undertakingId>{undertaking_id}</undertakingId>{ended}"
        return self.act("RecordUndertaking", content, by=by)

    def act(self, operation: str, content: str = "", *, by: str = "bank") -> ServiceAnswer:
        request = (
            f'<{operation} xmlns="{RECIPIENT}"><requestId>{uuid4()}</requestId>'
            f"{content}</{operation}>"
        )
        return self.installation.ask(request.encode(), by=by)

    def request(self, employee: str | None = EMPLOYEE, **changes: Any) -> bytes:
        """Return a request for a person's data, by an employee."""
        ready = self.installation.document("bank-02-data")
        person = self.installation.person_of(ready)
        fields = about(person, of=self.installation.bank, document=ready, **changes)
        named = f"<r:employee>{employee}</r:employee>" if employee is not None else ""
        return person_request(**fields).replace(b"<r:purpose>", f"{named}<r:purpose>".encode())

    def codes(self, employee: str | None = EMPLOYEE, **changes: Any) -> list[str]:
        """Return the codes of a request; none means that data were released."""
        answer = self.installation.ask(self.request(employee, **changes))
        assert (answer.outcome == "RELEASED") == (answer.codes == [])
        return answer.codes

    def oversee(self, operation: str, content: str) -> ServiceAnswer:
        request = (
            f'<{operation} xmlns="urn:makul:oversight:1"><requestId>{uuid4()}</requestId>'
            f"{content}</{operation}>"
        )
        return self.installation.oversee(request.encode())

    @property
    def today(self) -> date:
        return legal_day(self.installation.clock())

    @property
    def code(self) -> MemberCode:
        return self.installation.bank.code

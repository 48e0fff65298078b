"""The client side of the demo: the parties of a running sandbox, as `sandbox.json` describes them.

Everything here is read from files, as a foreign SOAP stack would do. The demo uses only the
addresses of the service, and the operator's command line if the operator acts in a scene.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from makul_client import (
    BasisDocument,
    Client,
    ConsentDocument,
    Context,
    CutOff,
    Demographic,
    FaultError,
    Ground,
    OfficerProfile,
    OversightClient,
    Probe,
    Profile,
    Reason,
    RefusedError,
    Reinstatement,
    Termination,
)
from makul_client._internal.crypto.credentials import Credential, load_credential
from makul_client.models.response import Decision, PersonData, RegisteredConsent, RevokedConsent
from makul_client.profile import Patience, Signing


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFile:
    """A consent or basis statement, and its intended use."""

    ground: ConsentDocument | BasisDocument
    party: str
    citizen: int
    operation: str
    attributes: tuple[str, ...]
    agreement: str
    employee: str | None


class DemoClient:
    """A running sandbox, as its callers see it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        index = json.loads((directory / "sandbox.json").read_text(encoding="utf-8"))
        self.urls: dict[str, str] = index["urls"]
        self.oversight_url: str = index["oversightUrl"]
        self.subject_url: str = index["subjectUrl"]
        self.portal_details: dict[str, str] = index["portal"]
        self.identity_keys: str = index["identityProvider"]["keys"]
        self.made_at = datetime.fromisoformat(index["madeAt"])
        self._citizens: dict[int, dict[str, Any]] = {
            citizen["number"]: citizen for citizen in index["citizens"]
        }
        self._parties: dict[str, dict[str, Any]] = {each["key"]: each for each in index["parties"]}
        self._documents: dict[str, dict[str, Any]] = {
            document["name"]: document for document in index["papers"]
        }
        self._revocations: dict[str, dict[str, Any]] = {
            each["name"]: each for each in index["revocations"]
        }
        self._agreements: dict[str, dict[str, Any]] = {
            each["number"]: each for each in index["agreements"]
        }
        self.citizens_authority: dict[str, str] = index["trust"]["citizensAuthority"]
        self._clients: dict[tuple[str, str, str | None], Client] = {}
        self._officers: dict[str, OversightClient] = {}
        self._open = ExitStack()
        self.notes: dict[str, Any] = {}
        """What a step leaves for a later one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def profile(self, party: str, channel: str = "wsse") -> Profile:
        """Return a party's profile that allows one attempt and no wait."""
        name = "profile.toml" if channel == "wsse" else f"profile-{channel}.toml"
        profile = Profile.load(self._directory / "parties" / party / name)
        return replace(profile, patience=Patience(attempts=1))

    def client(self, party: str, channel: str = "wsse", agreement: str | None = None) -> Client:
        """Return a party's client, under its own agreement or the one given.

        It stays open until the end.
        """
        key = party, channel, agreement
        if key not in self._clients:
            profile = self.profile(party, channel)
            if agreement is not None:
                profile = replace(profile, agreement=agreement)
            self._clients[key] = self._open.enter_context(Client(profile))
        return self._clients[key]

    def client_for(self, document: DocumentFile) -> Client:
        """Return the client of the party for which the document was made, under its agreement."""
        return self.client(document.party, agreement=document.agreement)

    def intercepted_client(self, party: str, url: str, channel: str = "wsse") -> Client:
        """Return a client of a party that sends its messages to `url` instead of the service."""
        profile = self.profile(party, channel)
        client = Client(replace(profile, service=replace(profile.service, url=url)))
        return self._open.enter_context(client)

    def officer(self, key: str) -> OversightClient:
        """Return an officer's client, which stays open until the end."""
        if key not in self._officers:
            client = OversightClient(self._officer_profile(key))
            self._officers[key] = self._open.enter_context(client)
        return self._officers[key]

    def intercepted_officer(self, key: str, url: str) -> OversightClient:
        """Return a client of an officer that sends its messages to `url` instead of the service."""
        profile = self._officer_profile(key)
        client = OversightClient(replace(profile, service=replace(profile.service, url=url)))
        return self._open.enter_context(client)

    def _officer_profile(self, key: str) -> OfficerProfile:
        profile = OfficerProfile.load(self._directory / "officers" / key / f"{key}.toml")
        return replace(profile, patience=Patience(attempts=1))

    def code(self, party: str) -> str:
        """Return a party's member code."""
        return str(self._parties[party]["code"])

    def impersonator(self, party: str, key: str, certificate: str) -> Client:
        """Return a client that claims to be `party` and signs with another key.

        `key` and `certificate` are paths in the sandbox.
        """
        signing = Signing(key=self._directory / key, certificate=self._directory / certificate)
        return self._open.enter_context(Client(replace(self.profile(party), signing=signing)))

    def signatory(self, member: str) -> Credential:
        """Return the signatory of a member, who signs agreements and months."""
        home = self.path("signatories") / member.replace("/", "-")
        return load_credential(home / "signatory.key.pem", home / "signatory.cert.pem")

    def path(self, name: str) -> Path:
        """Return the path of a file of the sandbox."""
        return self._directory / name

    def pin(self, citizen: int) -> str:
        """Return a citizen's PIN."""
        return str(self._citizens[citizen]["pin"])

    def certificate(self, citizen: int) -> Path:
        """Return the file of a citizen's certificate."""
        return self.path(self._citizens[citizen]["certificate"])

    def surname(self, citizen: int) -> str:
        """Return a citizen's surname in Kyrgyz."""
        return str(self._citizens[citizen]["surname"]["ky"])

    def probe(self, citizen: int, *, document_number: str | None = None) -> Probe:
        """Return a citizen's PIN and document number, their own unless another is given."""
        details = self._citizens[citizen]
        return Probe(
            demographic=Demographic(
                pin=details["pin"], document_number=document_number or details["documentNumber"]
            )
        )

    def birth_date(self, citizen: int) -> date:
        """Return a citizen's birth date as the record has it."""
        return date.fromisoformat(self._citizens[citizen]["birthDate"])

    def document(self, name: str) -> DocumentFile:
        """Return a document by its name."""
        details = self._documents[name]
        content = (self._directory / details["file"]).read_bytes()
        kind = ConsentDocument if details["kind"] == "CONSENT" else BasisDocument
        return DocumentFile(
            ground=kind(content),
            party=details["presentedBy"],
            citizen=details["citizen"],
            operation=details["operation"],
            attributes=tuple(details["attributes"]),
            agreement=details["agreement"],
            employee=details["employee"],
        )

    def register(self, name: str) -> RegisteredConsent:
        """Register a consent with its attachments. Raises what the client raises."""
        document = self.document(name)
        attachments = self._documents[name]["registration"] or {}
        return self.client_for(document).register_consent(
            ConsentDocument(document.ground.document),
            scan=self._read(attachments.get("scan")),
            authority=self._read(attachments.get("authorityDocument")),
            context=Context(employee=attachments.get("employee")),
        )

    def revoke(self, name: str) -> RevokedConsent:
        """Submit the revocation of a consent. Raises what the client raises."""
        revocation = self._revocations[name]
        document = (self._directory / revocation["file"]).read_bytes()
        return self.client(revocation["handedInBy"]).revoke_consent(document)

    def consent_id(self, name: str) -> UUID:
        """Return the id of the consent of this name."""
        return UUID(self._documents[name]["id"])

    def submit_missing_signature(self, number: str) -> None:
        """Submit, as the operator, the only signature on an agreement that is not submitted yet."""
        (file,) = (
            each["file"] for each in self._agreements[number]["signatures"] if not each["submitted"]
        )
        self.operate("agreement", "submit", str(self._directory / file), "--apply")

    def operate(self, *arguments: str) -> str:
        """Return the output of an operator's command.

        A command that fails is an error of the demo.
        """
        config = self._directory / "service" / "makul.toml"
        command = [sys.executable, "-m", "makul", "--config", str(config), *arguments]
        process = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program
        return process.stdout.decode()

    def repetitions(self, disclosure_id: UUID) -> int:
        """Return how often the operator's record states that this decision was given again."""
        printed = self.operate("disclosure", "repetitions", "--of", str(disclosure_id), "--json")
        return len(json.loads(printed))

    def hold(self, party: str) -> None:
        """Put a party on hold, as the operator."""
        self._set_state(party, "hold")

    def release(self, party: str) -> None:
        """Release a party that is on hold, as the operator."""
        self._set_state(party, "release")

    def _set_state(self, party: str, command: str) -> None:
        self.operate(
            "recipient", command, self.code(party), "--reason", "a scene of the demo", "--apply"
        )

    def _read(self, file: str | None) -> bytes | None:
        return (self._directory / file).read_bytes() if file is not None else None

    def data(
        self,
        name: str,
        *,
        client: Client | None = None,
        attributes: tuple[str, ...] | None = None,
        document_number: str | None = None,
        ground: Ground | None = None,
        request_id: UUID | None = None,
    ) -> PersonData:
        """Return the data that the document `name` is meant to obtain, with the changes given.

        Raises what the client raises.
        """
        document = self.document(name)
        return (client or self.client_for(document)).get_person_data(
            self.probe(document.citizen, document_number=document_number),
            attributes or document.attributes,
            ground=ground or document.ground,
            context=Context(employee=document.employee, request_id=request_id),
        )


def describe_result(act: Callable[[], object]) -> str:
    """Return the result of a call as text.

    Examples are `RELEASED`, `REFUSED CNS-02 (SIG-06)` and `FAULT REQ-09`. An act that was done is
    the state after it, and a text is itself. An answer without a decision is `ANSWERED`.
    """
    try:
        result = act()
    except RefusedError as error:
        outcome = error.decision.outcome if error.decision is not None else "REFUSED"
        return _with_codes(outcome, error.reasons)
    except FaultError as error:
        return _with_codes("FAULT", error.reasons)
    return _describe_answer(getattr(result, "decision", result))


def _describe_answer(answer: object) -> str:
    match answer:
        case Decision():
            return _with_codes(answer.outcome, answer.reasons)
        case CutOff():
            return answer.recipient_state
        case Reinstatement():
            return answer.reinstatement_state
        case Termination():
            return answer.termination_state
        case str():
            return answer
    return "ANSWERED"


def _with_codes(outcome: str, reasons: tuple[Reason, ...]) -> str:
    codes = {
        f"{reason.code} ({reason.because})" if reason.because else reason.code for reason in reasons
    }
    return " ".join((outcome, *sorted(codes)))

"""The steps of the demo's scenes: small functions that each return their result as text."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from makul_client import Client, ConsentDocument, ConsentId, Probe, SealError
from makul_client.models.response import PersonData
from makul_client.profile import Sealing
from makul_sandbox.demo.client_session import DemoClient, DocumentFile, told
from makul_sandbox.demo.intercepting_proxy import Eavesdropper, post

Play = Callable[[DemoClient], str]
"""A function that runs a scene and returns its result, in the form of `client_session.told`."""

FAILURES_A_DAY = 5
"""The failed matches of one recipient on one person, after which the service gives no result."""

WRONG_DOCUMENT = "ID9999999"


def use(document: str) -> Play:
    """Use a document in its intended way."""
    return lambda stage: told(lambda: stage.data(document))


def by_xroad(document: str, *, party: str = "bank") -> Play:
    """Use a document through the operator's security server."""
    return lambda stage: told(lambda: stage.data(document, client=stage.client(party, "xroad")))


def by_mtls(document: str, *, party: str = "bank") -> Play:
    """Use a document as a party that only its TLS certificate identifies."""
    return lambda stage: told(lambda: stage.data(document, client=stage.client(party, "mtls")))


def impersonated(key: str) -> Play:
    """Send the bank's message signed with another key; `key` is its path without the endings."""

    def play(stage: DemoClient) -> str:
        client = stage.impersonator("bank", f"{key}.key.pem", f"{key}.cert.pem")
        return told(lambda: stage.data("bank-00-data", client=client))

    return play


def yes_or_no(*, document_number: str | None = None) -> Play:
    """Ask only whether the person is the person named."""

    def play(stage: DemoClient) -> str:
        document = stage.document("bank-00-yes-no")
        probe = stage.probe(document.citizen, document_number=document_number)
        return told(lambda: stage.client("bank").verify_person(probe, ground=document.ground))

    return play


def explained(name: str) -> Play:
    """Ask how a request would be decided, without sending the request."""

    def play(stage: DemoClient) -> str:
        document = stage.document(name)
        client = stage.client(document.party)
        return told(
            lambda: client.explain(
                document.operation,
                methods=["demographic"],
                pin=stage.probe(document.citizen).demographic.pin,
                attributes=document.attributes,
                ground=document.ground,
            )
        )

    return play


def the_right_persons_data(stage: DemoClient) -> str:
    """Verify that the data released are those of the person who consented."""
    result = stage.data("bank-00-data")
    surname = result.person.surname
    if surname is None or surname.ky != stage.surname(0):
        return f"{result.decision.outcome} of somebody else"
    return told(lambda: result)


def corrected_birth_date(stage: DemoClient) -> str:
    """Give the birth date as the record has it, then as the digits of the PIN have it."""
    document = stage.document("birth-date-corrected")
    shown = stage.probe(document.citizen).demographic
    digits = datetime.strptime(shown.pin[1:9], "%d%m%Y").date()  # noqa: DTZ007 -- a day, no moment
    answers = []
    for born in (stage.birth_date(document.citizen), digits):
        probe = Probe(demographic=replace(shown, birth_date=born))
        answers.append(told(partial(_ask_by, stage, document, probe)))
    return ", then ".join(answers)


def matched_by_one_name(stage: DemoClient) -> str:
    """Give the PIN and the person's only name, without a document."""
    document = stage.document("one-name")
    shown = stage.probe(document.citizen).demographic
    named = replace(shown, document_number=None, surname=stage.surname(document.citizen))
    return told(lambda: _ask_by(stage, document, Probe(demographic=named)))


def _ask_by(stage: DemoClient, document: DocumentFile, probe: Probe) -> PersonData:
    return stage.asking(document).get_person_data(
        probe, document.attributes, ground=document.ground
    )


def data_for_yes_or_no(stage: DemoClient) -> str:
    """Ask for data with a consent to a yes or no."""
    return told(lambda: stage.data("bank-00-yes-no", attributes=("surname",)))


def wrong_document(stage: DemoClient) -> str:
    """Show a document that is not the one on record."""
    return told(lambda: stage.data("bank-01-data", document_number=WRONG_DOCUMENT))


def nobody_of_that_number(stage: DemoClient) -> str:
    """Ask by a basis in law for an unknown person, and for a known one with a wrong document."""
    unknown = told(lambda: stage.data("police-absent"))
    known = told(lambda: stage.data("police-judicial", document_number=WRONG_DOCUMENT))
    return f"{unknown}, {'the same' if unknown == known else 'not the same'} answer"


def without_ground(stage: DemoClient) -> str:
    """Ask without a ground."""
    client = stage.client("bank")
    return told(lambda: client.get_person_data(stage.probe(0), ["surname"], ground=None))


def used_twice(stage: DemoClient) -> str:
    """Use a consent for one disclosure twice."""
    return ", then ".join(use("single-use")(stage) for _ in range(2))


def guessing(stage: DemoClient) -> str:
    """Guess until the limit is reached. Then even the right answer gives no match."""
    guesses = {
        told(lambda: stage.data("mobile-07-data", document_number=WRONG_DOCUMENT))
        for _ in range(FAILURES_A_DAY)
    }
    return ", then ".join((*guesses, use("mobile-07-data")(stage)))


def asked_again(stage: DemoClient) -> str:
    """Send the same request under the same id again, as after a network failure."""
    request_id = uuid4()
    first, second = (stage.data("bank-02-data", request_id=request_id) for _ in range(2))
    same = first.decision.receipt.document == second.decision.receipt.document
    return f"{told(lambda: second)}, {'the same' if same else 'another'} receipt"


def id_for_another_question(stage: DemoClient) -> str:
    """Send another request under an id that was answered."""
    request_id = uuid4()
    stage.data("bank-03-data", request_id=request_id)
    return told(lambda: stage.data("bank-03-data", attributes=("surname",), request_id=request_id))


def replayed(stage: DemoClient) -> str:
    """Send the exact bytes of an answered message again, as an eavesdropper."""
    with Eavesdropper(stage.urls["wsse"]) as eavesdropper:
        client = stage.listened_to("bank", eavesdropper.url)
        first = told(lambda: stage.data("bank-04-data", client=client))
        (message,) = eavesdropper.kept
        status, answer = post(stage.urls["wsse"], message)
    codes = sorted(set(re.findall(rb"<(?:\w+:)?code>([A-Z]{3}-[0-9]{2})<", answer)))
    again = "FAULT" if status == 500 else f"HTTP {status}"
    return f"{first}, then {again} {b' '.join(codes).decode()}"


def changed_on_the_way(stage: DemoClient) -> str:
    """Change the purpose in a signed message, as an attacker on the network."""

    def change(message: bytes) -> bytes:
        return message.replace(b">ACCOUNT_OPENING<", b">LOAN<")

    with Eavesdropper(stage.urls["wsse"], change) as eavesdropper:
        client = stage.listened_to("bank", eavesdropper.url)
        return told(lambda: stage.data("bank-04-data", client=client))


def sealed_delivery(stage: DemoClient) -> str:
    """Deliver data encrypted to the recipient, which can read them. An eavesdropper cannot."""
    with Eavesdropper(stage.urls["wsse"]) as eavesdropper:
        client = stage.listened_to("wallet", eavesdropper.url)
        result = stage.data("wallet-00-data", client=client)
        (answer,) = eavesdropper.overheard
    surname = result.person.surname
    if surname is None or surname.ky != stage.surname(0):
        return f"{result.decision.outcome} of somebody else"
    seen = [stage.surname(0).encode(), b"surname>", stage.probe(0).demographic.pin.encode()]
    overheard = any(told_in_clear in answer for told_in_clear in seen)
    return f"{told(lambda: result)}, overheard: {'something' if overheard else 'nothing'}"


def sealed_to_another(stage: DemoClient) -> str:
    """Try to decrypt delivered data with another key, which fails."""
    profile = stage.profile("wallet")
    other = Sealing(
        key=stage.path("parties/bank/message.key.pem"),
        certificate=stage.path("parties/bank/message.cert.pem"),
    )
    with Client(replace(profile, sealing=other)) as client:
        try:
            stage.data("wallet-01-data", client=client)
        except SealError as error:
            return f"withheld: {error.flaw.value}"
    return "opened"


def registered_and_cited(stage: DemoClient) -> str:
    """Register a consent, ask by its id, and check that its use was counted."""
    client = stage.client("bank")
    consent = ConsentDocument(stage.document("bank-05-data").ground.document)
    held = client.register_consent(consent)
    later = told(lambda: stage.data("bank-05-data", ground=ConsentId(held.consent_id)))
    used = held.remaining - client.consent_status(held.consent_id).remaining
    return f"{told(lambda: held)}, then {later}, {used} counted"


def receipt_fetched(stage: DemoClient) -> str:
    """Fetch the receipt of an earlier request."""
    decision = stage.data("bank-06-data").decision
    fetched = stage.client("bank").receipt(decision.request_id)
    same = fetched.document == decision.receipt.document
    return f"{fetched.outcome}, {'the same' if same else 'another'} receipt"


def anothers_receipt(stage: DemoClient) -> str:
    """Fetch the receipt of another recipient's request."""
    decision = stage.data("bank-06-data").decision
    return told(lambda: stage.client("notary").receipt(decision.request_id))


def terms(stage: DemoClient) -> str:
    """Read the party's own agreement."""
    agreement = stage.client("municipality").agreement()
    (power,) = agreement.powers
    signed = len({signature.role for signature in agreement.signatures})
    return (
        f"{agreement.state}, {signed} have signed,"
        f" {power.purpose} covers {len(power.attributes)} attributes"
    )

"""The steps of the demo's scenes: small functions that each return their result as text."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from makul_client import Client, ConsentDocument, ConsentId, EncryptionError, Probe
from makul_client.models.response import PersonData
from makul_client.profile import DecryptionSettings
from makul_sandbox.demo.client_session import DemoClient, DocumentFile, describe_result
from makul_sandbox.demo.intercepting_proxy import Eavesdropper, post

Step = Callable[[DemoClient], str]
"""A function that runs a scene and returns its result as text, as `describe_result` does."""

FAILURES_A_DAY = 5
"""The failed matches of one recipient on one person, after which the service gives no result."""

WRONG_DOCUMENT = "ID9999999"


def use(document: str) -> Step:
    """Use a document in its intended way."""
    return lambda demo: describe_result(lambda: demo.data(document))


def by_xroad(document: str, *, party: str = "bank") -> Step:
    """Use a document through the operator's security server."""
    return lambda demo: describe_result(
        lambda: demo.data(document, client=demo.client(party, "xroad"))
    )


def by_mtls(document: str, *, party: str = "bank") -> Step:
    """Use a document as a party that only its TLS certificate identifies."""
    return lambda demo: describe_result(
        lambda: demo.data(document, client=demo.client(party, "mtls"))
    )


def impersonate(key: str) -> Step:
    """Send the bank's message signed with another key; `key` is its path without the endings."""

    def run_step(demo: DemoClient) -> str:
        client = demo.impersonator("bank", f"{key}.key.pem", f"{key}.cert.pem")
        return describe_result(lambda: demo.data("bank-00-data", client=client))

    return run_step


def yes_or_no(*, document_number: str | None = None) -> Step:
    """Ask only whether the person is the person named."""

    def run_step(demo: DemoClient) -> str:
        document = demo.document("bank-00-yes-no")
        probe = demo.probe(document.citizen, document_number=document_number)
        return describe_result(
            lambda: demo.client("bank").verify_person(probe, ground=document.ground)
        )

    return run_step


def explain_request(name: str) -> Step:
    """Ask how a request would be decided, without sending the request."""

    def run_step(demo: DemoClient) -> str:
        document = demo.document(name)
        client = demo.client(document.party)
        return describe_result(
            lambda: client.explain(
                document.operation,
                methods=["demographic"],
                pin=demo.probe(document.citizen).demographic.pin,
                attributes=document.attributes,
                ground=document.ground,
            )
        )

    return run_step


def verify_right_person(demo: DemoClient) -> str:
    """Verify that the data released are those of the person who consented."""
    result = demo.data("bank-00-data")
    surname = result.person.surname
    if surname is None or surname.ky != demo.surname(0):
        return f"{result.decision.outcome} of somebody else"
    return describe_result(lambda: result)


def corrected_birth_date(demo: DemoClient) -> str:
    """Give the birth date as the record has it, then as the digits of the PIN have it."""
    document = demo.document("birth-date-corrected")
    factors = demo.probe(document.citizen).demographic
    digits = datetime.strptime(factors.pin[1:9], "%d%m%Y").date()  # noqa: DTZ007 -- a day, no moment
    answers = []
    for born in (demo.birth_date(document.citizen), digits):
        probe = Probe(demographic=replace(factors, birth_date=born))
        answers.append(describe_result(partial(_get_data, demo, document, probe)))
    return ", then ".join(answers)


def match_by_one_name(demo: DemoClient) -> str:
    """Give the PIN and the person's only name, without a document."""
    document = demo.document("one-name")
    factors = demo.probe(document.citizen).demographic
    by_name = replace(factors, document_number=None, surname=demo.surname(document.citizen))
    return describe_result(lambda: _get_data(demo, document, Probe(demographic=by_name)))


def _get_data(demo: DemoClient, document: DocumentFile, probe: Probe) -> PersonData:
    return demo.client_for(document).get_person_data(
        probe, document.attributes, ground=document.ground
    )


def data_for_yes_or_no(demo: DemoClient) -> str:
    """Ask for data with a consent to a yes or no."""
    return describe_result(lambda: demo.data("bank-00-yes-no", attributes=("surname",)))


def wrong_document(demo: DemoClient) -> str:
    """Show a document that is not the one on record."""
    return describe_result(lambda: demo.data("bank-01-data", document_number=WRONG_DOCUMENT))


def ask_for_unknown_person(demo: DemoClient) -> str:
    """Ask by a basis in law for an unknown person, and for a known one with a wrong document."""
    unknown = describe_result(lambda: demo.data("police-absent"))
    known = describe_result(lambda: demo.data("police-judicial", document_number=WRONG_DOCUMENT))
    return f"{unknown}, {'the same' if unknown == known else 'not the same'} answer"


def ask_without_ground(demo: DemoClient) -> str:
    """Ask without a ground."""
    client = demo.client("bank")
    return describe_result(lambda: client.get_person_data(demo.probe(0), ["surname"], ground=None))


def use_twice(demo: DemoClient) -> str:
    """Use a consent for one disclosure twice."""
    return ", then ".join(use("single-use")(demo) for _ in range(2))


def guess_until_limit(demo: DemoClient) -> str:
    """Guess until the limit is reached. Then even the right answer gives no match."""
    guesses = {
        describe_result(lambda: demo.data("mobile-07-data", document_number=WRONG_DOCUMENT))
        for _ in range(FAILURES_A_DAY)
    }
    return ", then ".join((*guesses, use("mobile-07-data")(demo)))


def repeat_request(demo: DemoClient) -> str:
    """Send the same request under the same id again, as after a network failure."""
    request_id = uuid4()
    first, second = (demo.data("bank-02-data", request_id=request_id) for _ in range(2))
    same = first.decision.receipt.document == second.decision.receipt.document
    return f"{describe_result(lambda: second)}, {'the same' if same else 'another'} receipt"


def id_for_another_question(demo: DemoClient) -> str:
    """Send another request under an id that was answered."""
    request_id = uuid4()
    demo.data("bank-03-data", request_id=request_id)
    return describe_result(
        lambda: demo.data("bank-03-data", attributes=("surname",), request_id=request_id)
    )


def replayed(demo: DemoClient) -> str:
    """Send the exact bytes of an answered message again, as an eavesdropper."""
    with Eavesdropper(demo.urls["wsse"]) as eavesdropper:
        client = demo.intercepted_client("bank", eavesdropper.url)
        first = describe_result(lambda: demo.data("bank-04-data", client=client))
        (message,) = eavesdropper.messages
        status, answer = post(demo.urls["wsse"], message)
    codes = sorted(set(re.findall(rb"<(?:\w+:)?code>([A-Z]{3}-[0-9]{2})<", answer)))
    again = "FAULT" if status == 500 else f"HTTP {status}"
    return f"{first}, then {again} {b' '.join(codes).decode()}"


def change_signed_message(demo: DemoClient) -> str:
    """Change the purpose in a signed message, as an attacker on the network."""

    def change(message: bytes) -> bytes:
        return message.replace(b">ACCOUNT_OPENING<", b">LOAN<")

    with Eavesdropper(demo.urls["wsse"], change) as eavesdropper:
        client = demo.intercepted_client("bank", eavesdropper.url)
        return describe_result(lambda: demo.data("bank-04-data", client=client))


def encrypted_delivery(demo: DemoClient) -> str:
    """Deliver data encrypted to the recipient, which can read them. An eavesdropper cannot."""
    with Eavesdropper(demo.urls["wsse"]) as eavesdropper:
        client = demo.intercepted_client("wallet", eavesdropper.url)
        result = demo.data("wallet-00-data", client=client)
        (answer,) = eavesdropper.overheard
    surname = result.person.surname
    if surname is None or surname.ky != demo.surname(0):
        return f"{result.decision.outcome} of somebody else"
    private = [demo.surname(0).encode(), b"surname>", demo.probe(0).demographic.pin.encode()]
    overheard = any(value in answer for value in private)
    return (
        f"{describe_result(lambda: result)}, overheard: {'something' if overheard else 'nothing'}"
    )


def encrypted_to_another_key(demo: DemoClient) -> str:
    """Try to decrypt delivered data with another key, which fails."""
    profile = demo.profile("wallet")
    other = DecryptionSettings(
        key=demo.path("parties/bank/message.key.pem"),
        certificate=demo.path("parties/bank/message.cert.pem"),
    )
    with Client(replace(profile, sealing=other)) as client:
        try:
            demo.data("wallet-01-data", client=client)
        except EncryptionError as error:
            return f"withheld: {error.flaw.value}"
    return "opened"


def register_and_cite(demo: DemoClient) -> str:
    """Register a consent, ask by its id, and check that its use was counted."""
    client = demo.client("bank")
    consent = ConsentDocument(demo.document("bank-05-data").ground.document)
    registered = client.register_consent(consent)
    later = describe_result(
        lambda: demo.data("bank-05-data", ground=ConsentId(registered.consent_id))
    )
    used = registered.remaining - client.consent_status(registered.consent_id).remaining
    return f"{describe_result(lambda: registered)}, then {later}, {used} counted"


def receipt_fetched(demo: DemoClient) -> str:
    """Fetch the receipt of an earlier request."""
    decision = demo.data("bank-06-data").decision
    fetched = demo.client("bank").receipt(decision.request_id)
    same = fetched.document == decision.receipt.document
    return f"{fetched.outcome}, {'the same' if same else 'another'} receipt"


def fetch_foreign_receipt(demo: DemoClient) -> str:
    """Fetch the receipt of another recipient's request."""
    decision = demo.data("bank-06-data").decision
    return describe_result(lambda: demo.client("notary").receipt(decision.request_id))


def terms(demo: DemoClient) -> str:
    """Read the party's own agreement."""
    agreement = demo.client("municipality").agreement()
    (power,) = agreement.powers
    signed = len({signature.role for signature in agreement.signatures})
    return (
        f"{agreement.state}, {signed} have signed,"
        f" {power.purpose} covers {len(power.attributes)} attributes"
    )

"""The steps of the supervising bodies: numbers, a cut-off, and a termination by two officers.

They end the rights of a party permanently. So their scenes come last, and each has a party of its
own.
"""

from datetime import timedelta, timezone

from makul_client._internal.party_signature import sign_content
from makul_sandbox.data.recipients import AUTHORISED_BODY, OPERATOR
from makul_sandbox.demo.client_session import DemoClient, describe_result
from makul_sandbox.demo.intercepting_proxy import Eavesdropper
from makul_sandbox.demo.steps import use

JUSTIFICATION = "a scene of the demo"
_TERMS = """\
number = "{number}"
recipient = "{recipient}"
valid_from = 2026-01-01
valid_to = 2099-01-01
purposes = ["LOAN"]
attributes = ["surname"]
methods = ["demographic"]
channels = ["wsse"]
"""
_BISHKEK = timezone(timedelta(hours=6))


def count_of_month(demo: DemoClient) -> str:
    """Compare the numbers of the month before and after one release."""
    decision = demo.data("mobile-00-data").decision
    month = f"{decision.decided_at.astimezone(_BISHKEK):%Y-%m}"

    def released() -> int:
        found = demo.officer("protection").statistics(month, recipient=decision.receipt.recipient)
        return sum(each.decisions for each in found.counts if each.outcome == "RELEASED")

    before = released()
    again = use("mobile-00-data")(demo)
    return f"{again}, {released() - before} more in the statistics"


def cut_off(demo: DemoClient) -> str:
    """Cut a recipient off between two requests that are alike."""
    before = use("mobile-00-data")(demo)
    act = describe_act(demo, "inspector", "mobile")
    return f"{before}, {act}, then {use('mobile-00-data')(demo)}"


def reinstate_by_two(demo: DemoClient) -> str:
    """End the stop: an officer proposes it, and only the head carries it out."""

    def act(officer: str) -> str:
        client, code = demo.officer(officer), demo.code("mobile")
        return describe_result(lambda: client.reinstate(code, justification=JUSTIFICATION))

    proposed, again = act("inspector"), act("inspector")
    between = use("mobile-00-data")(demo)
    return (
        f"{proposed}, again {again}, {between}; by the head {act('head')},"
        f" then {use('mobile-00-data')(demo)}"
    )


def cut_off_by_protection_body(demo: DemoClient) -> str:
    """Try to cut a recipient off as an officer of the other body. The recipient is still served."""
    act = describe_act(demo, "protection", "notary")
    return f"{act}, then {use('notary-00-data')(demo)}"


def change_cut_off(demo: DemoClient) -> str:
    """Change the recipient in an officer's signed message, as an attacker on the network."""

    def change(message: bytes) -> bytes:
        return message.replace(demo.code("mobile").encode(), demo.code("bank").encode())

    with Eavesdropper(demo.oversight_url, change) as eavesdropper:
        client = demo.intercepted_officer("inspector", eavesdropper.url)
        return describe_result(
            lambda: client.cut_off(demo.code("mobile"), justification=JUSTIFICATION)
        )


def terminate_by_two(demo: DemoClient) -> str:
    """Terminate an agreement: one officer proposes it, and only another one carries it out."""

    def act(officer: str) -> str:
        client, number = demo.officer(officer), demo.client("notary").profile.agreement
        return describe_result(lambda: client.terminate(number, justification=JUSTIFICATION))

    proposed, again = act("inspector"), act("inspector")
    between = use("notary-00-data")(demo)
    return (
        f"{proposed}, again {again}, {between}; by the head {act('head')},"
        f" then {use('notary-00-data')(demo)}"
    )


def sign_agreement(demo: DemoClient) -> str:
    """Draft an agreement, and let the authorised body sign it last, at its own port."""
    directory, number = demo.path("agreements"), "2026/015"
    directory.mkdir(exist_ok=True)
    terms = directory / "terms.toml"
    terms.write_text(_TERMS.format(number=number, recipient=demo.code("bank")), encoding="utf-8")
    demo.operate("agreement", "add", str(terms), "--apply")
    document = demo.operate("agreement", "export", number).encode()
    for member in (OPERATOR, demo.code("bank")):
        file = directory / f"{member.replace('/', '-')}.xml"
        file.write_bytes(sign_content(document, demo.signatory(member)))
        demo.operate("agreement", "submit", str(file), "--apply")
    head = demo.officer("head")
    draft = head.draft(number)

    def sign(member: str) -> str:
        signed = sign_content(draft.document, demo.signatory(member))
        return describe_result(lambda: head.sign_agreement(draft, signed).agreement_state)

    parties = " ".join(draft.draft.signed_by)
    other = sign(OPERATOR)
    return f"signed by {parties}; the operator: {other}, the body: {sign(AUTHORISED_BODY)}"


def describe_act(demo: DemoClient, officer: str, party: str) -> str:
    """Cut a party off as this officer, and return the result as text."""
    client = demo.officer(officer)
    return describe_result(lambda: client.cut_off(demo.code(party), justification=JUSTIFICATION))

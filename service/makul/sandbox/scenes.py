"""The scenes of the demo: what is asked, by which clause it is decided, and what must come of it.

Each scene is independent of the others: those that use something up have a citizen to themselves.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from makul.sandbox.eavesdropper import Eavesdropper
from makul.sandbox.stage import Stage, told
from makul_client import ConsentId, Context
from makul_client.results import Decision

Play = Callable[[Stage], str]
"""Plays on a stage; what came of it."""

ATTEMPTS = 5
"""Failed matches of one recipient on one person that are allowed in a day."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that happens, and what must come of it."""

    title: str
    clause: str
    expected: str
    play: Play


# --- ways to play -----------------------------------------------------------------------------


def use(paper: str) -> Play:
    """Use a paper as it is meant to be used."""
    return lambda stage: told(lambda: stage.data(paper).decision)


def _released_is_theirs(stage: Stage, *, channel: str = "wsse") -> str:
    """The data that come back are those of the person who consented."""
    got = stage.data("bank-00-data", client=stage.client("bank", channel))
    surname = got.person.surname
    if surname is None or surname.ky != stage.surname(0):
        return f"{got.decision.outcome} of somebody else"
    return told(lambda: got.decision)


def _yes_or_no(stage: Stage, *, document_number: str | None = None) -> str:
    paper = stage.paper("bank-00-yes-no")
    probe = stage.probe(paper.citizen, document_number=document_number)
    return told(
        lambda: stage.client("bank").verify_person(probe, ground=paper.ground).decision
    )


def _data_for_yes_no(stage: Stage) -> str:
    wanted = ("surname",)
    return told(lambda: stage.data("bank-00-yes-no", attributes=wanted).decision)


def _no_match(stage: Stage) -> str:
    return told(lambda: stage.data("bank-01-data", document_number="ID9999999").decision)


def _unknown_looks_the_same(stage: Stage) -> str:
    """By a basis in law: an unknown person, and a known one with a wrong document."""
    unknown = told(lambda: stage.data("police-absent").decision)
    wrong = told(lambda: stage.data("police-judicial", document_number="ID9999999").decision)
    return unknown if unknown == wrong else f"{unknown} is not {wrong}"


def _without_ground(stage: Stage) -> str:
    client = stage.client("bank")
    return told(
        lambda: client.get_person_data(stage.probe(0), ["surname"], ground=None).decision
    )


def _used_twice(stage: Stage) -> str:
    return f"{use('single-use')(stage)}, then {use('single-use')(stage)}"


def _guessing(stage: Stage) -> str:
    """After so many failures even the right answer is not told."""
    for _ in range(ATTEMPTS):
        guess = told(lambda: stage.data("mobile-07-data", document_number="ID9999999").decision)
        if guess != "NOT_MATCHED MAT-01":
            return guess
    return use("mobile-07-data")(stage)


def _asked_again(stage: Stage) -> str:
    request_id = uuid4()
    first, second = (
        stage.data("bank-02-data", request_id=request_id).decision for _ in range(2)
    )
    same = first.receipt.document == second.receipt.document
    return f"{told(lambda: second)}, {'the same' if same else 'another'} receipt"


def _id_reused(stage: Stage) -> str:
    request_id = uuid4()
    stage.data("bank-03-data", request_id=request_id)
    other = ("surname",)
    return told(
        lambda: stage.data("bank-03-data", attributes=other, request_id=request_id).decision
    )


def _replayed(stage: Stage) -> str:
    """The very bytes of a message that was answered are sent once more."""
    with Eavesdropper(stage.urls["wsse"]) as eavesdropper:
        client = stage.listened_to("bank", eavesdropper.url)
        first = told(lambda: stage.data("bank-04-data", client=client).decision)
        (message,) = eavesdropper.kept
        status, answer = eavesdropper.send(message)
    codes = sorted(set(re.findall(rb"<(?:\w+:)?code>([A-Z]{3}-\d\d)<", answer)))
    again = "FAULT" if status == 500 else f"HTTP {status}"
    return f"{first}, then {again} {b' '.join(codes).decode()}"


def _changed_on_the_way(stage: Stage) -> str:
    def change(message: bytes) -> bytes:
        return message.replace(b">SANDBOX/BANK<", b">SANDBOX/LOAN<")

    with Eavesdropper(stage.urls["wsse"], change) as eavesdropper:
        client = stage.listened_to("bank", eavesdropper.url)
        return told(lambda: stage.data("bank-04-data", client=client).decision)


def _impersonated(stage: Stage, *, key: str, certificate: str) -> str:
    client = stage.impersonator("bank", key, certificate)
    return told(lambda: stage.data("bank-00-data", client=client).decision)


def _by_xroad(stage: Stage, *, party: str, paper: str) -> str:
    client = stage.client(party, "xroad")
    return told(lambda: stage.data(paper, client=client).decision)


def _explained(stage: Stage, *, paper: str) -> str:
    used = stage.paper(paper)
    shown = stage.probe(used.citizen).demographic

    def explain() -> Decision:
        explanation = stage.client(used.party).explain(
            used.operation,
            methods=["demographic"],
            pin=shown.pin,
            attributes=used.attributes,
            ground=used.ground,
        )
        return explanation.decision

    return told(explain)


def _registered(stage: Stage) -> str:
    """A consent is handed in once and then named by its id."""
    client = stage.client("bank")
    paper = stage.paper("bank-05-data")
    if not hasattr(paper.ground, "document"):
        return "no consent"
    registered = client.register_consent(paper.ground)
    ground = ConsentId(registered.consent_id)
    later = told(lambda: stage.data("bank-05-data", ground=ground).decision)
    left = client.consent_status(registered.consent_id).remaining
    return f"{told(lambda: registered.decision)}, then {later}, {registered.remaining - left} use"


def _receipt_fetched(stage: Stage) -> str:
    decision = stage.data("bank-06-data").decision
    fetched = stage.client("bank").receipt(decision.request_id)
    same = fetched.document == decision.receipt.document
    return f"{fetched.outcome}, {'the same' if same else 'another'} receipt"


def _anothers_receipt(stage: Stage) -> str:
    decision = stage.data("bank-06-data").decision
    client = stage.client("notary")
    return told(lambda: _no_decision(lambda: client.receipt(decision.request_id)))


def _no_decision(act: Callable[[], object]) -> Decision:
    act()
    raise AssertionError("answered where a refusal was due")


def _terms(stage: Stage) -> str:
    agreement = stage.client("municipality").agreement()
    (power,) = agreement.powers
    return f"{agreement.state}, {power.purpose} covers {len(power.attributes)} attributes"

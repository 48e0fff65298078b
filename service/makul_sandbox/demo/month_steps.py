"""The steps of a month: the check of cl. 11, and the cut-off with its evidence file of cl. 12.

The sandbox of these steps has a history: 300 requests of the last month. Each step goes on where
the one before ended.
"""

import json
import subprocess
import sys
from base64 import b64decode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

from lxml import etree

from makul.domain.months import Month, month_of
from makul.net.xml_parser import own_parser
from makul_client import AnsweredError
from makul_client.models.months import ContestedItem
from makul_client.models.response import Decision
from makul_client.months.confirmation import sign_statement
from makul_sandbox.data.recipients import AUTHORISED_BODY
from makul_sandbox.demo.client_session import DemoClient, describe_result
from makul_sandbox.demo.consent_steps import revoke_certificate
from makul_sandbox.demo.history import STOLEN
from makul_sandbox.demo.portal import DemoPortal
from makul_sandbox.demo.steps import use

REQUESTS = 300
IN_FLIGHT = 6
"""Threads that ask while the recipient is cut off."""
JUSTIFICATION = "a scene of the demo"
CITIZEN = 0
"""The citizen who denies a disclosure."""
_M = "{urn:makul:month:1}"
_R = "{urn:makul:receipt:1}"


def count_requests(demo: DemoClient) -> str:
    """Count the month as the protection body sees it."""
    counts = demo.officer("protection").statistics(str(_month(demo))).counts
    outcomes = Counter[str]()
    for each in counts:
        outcomes[each.outcome] += each.decisions
    return f"{outcomes.total()} decisions, {outcomes['RELEASED'] + outcomes['MATCHED']} disclosed"


def deny_disclosure(demo: DemoClient) -> str:
    """List a citizen's disclosures at the portal, and deny one by the link of its notification."""
    portal = DemoPortal(demo)
    listed = portal.list_disclosures(demo.pin(CITIZEN))
    demo.operate("notification", "send", "--once")
    links = _links(demo)
    bank = demo.code("bank")
    denied = next(
        UUID(each.disclosureId)
        for each in listed
        if each.recipient == bank and each.disclosureId in links
    )
    demo.notes["denied"] = denied
    first, again = (portal.report_not_me(links[str(denied)]) for _ in range(2))
    whole = "every" if {str(each.disclosureId) for each in listed} <= links.keys() else "not every"
    return f"{whole} disclosure notified; not me: {first}, the same link again: {again}"


def build_statement(demo: DemoClient) -> str:
    """Build the statements after a theft of a key became known.

    The bank's own receipts say which disclosures rest on the stolen key.
    """
    thief = demo.certificate(demo.document(STOLEN[0]).citizen)
    revoke_certificate(demo, thief, stolen_since=demo.made_at - timedelta(days=1))
    demo.operate("month", "build", str(_month(demo)), "--output", str(demo.path("service/months")))
    found: dict[str, set[UUID]] = {}
    lines = 0
    for head in demo.path("service/months").rglob("statement.xml"):
        root = etree.fromstring(head.read_bytes(), own_parser())
        lines += int(root.findtext(f"{_M}lines") or 0)
        for each in root.iter(f"{_M}exception"):
            kind = each.findtext(f"{_M}kind") or ""
            found.setdefault(kind, set()).add(UUID(each.findtext(f"{_M}disclosureId") or ""))
    exact = found == {
        "NO_LONGER_PROVABLE": _on_stolen_key(demo),
        "DENIED_BY_SUBJECT": {demo.notes["denied"]},
    }
    named = ", ".join(f"{kind} {len(ids)}" for kind, ids in sorted(found.items()))
    return f"{lines} lines; {named}; {'exactly those' if exact else 'others'}"


def contest_line(demo: DemoClient) -> str:
    """Issue the month. The bank compares it with its receipts and contests the denied line."""
    month = str(_month(demo))
    for party in ("bank", "notary"):
        demo.operate("month", "issue", demo.code(party), month, "--apply")
    bank = demo.client("bank")
    check = bank.check_month(month)
    differences = sum(check.counts.values())
    item = ContestedItem(disclosure_id=demo.notes["denied"], reason="we ask our branch")
    contested = bank.contest_month(check.issued.statement, [item])
    all_agree = check.matched == check.issued.statement.lines
    agreed = "every line agrees" if all_agree else f"{check.matched} lines agree"
    return (
        f"{agreed} with its receipts, {differences} differ; {contested.status.state},"
        f" the body signs: {_sign(demo, 'bank')}"
    )


def answer_line(demo: DemoClient) -> str:
    """Answer the contested line; only then the authorised body can sign."""
    line = str(demo.notes["denied"])
    demo.operate(
        *("month", "answer", demo.code("bank"), str(_month(demo)), line),
        *("--as", "CORRECTED", "--reason", "the subject denies it", "--apply"),
    )
    return f"answered, the body signs: {_sign(demo, 'bank')}"


def close_by_three(demo: DemoClient) -> str:
    """Confirm the notary's month by its signatory, and sign it by the authorised body's."""
    client = demo.client("notary")
    statement = client.monthly_statement(str(_month(demo))).statement
    signed = sign_statement(statement, demo.signatory(demo.code("notary")))
    confirmed = client.confirm_month(statement, signed).status.state
    return f"{confirmed}, {_sign(demo, 'notary')}, again: {_sign(demo, 'notary')}"


def cut_off_in_flight(demo: DemoClient) -> str:
    """Cut the bank off while it asks on several threads."""
    cut = Event()

    def ask() -> list[tuple[datetime, str]]:
        answers = []
        while not cut.is_set():
            answers.append(_ask_once(demo))
        answers.append(_ask_once(demo))
        return answers

    demo.client("bank")
    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        running = [threads.submit(ask) for _ in range(IN_FLIGHT)]
        while not any(each.running() for each in running):
            pass
        act = demo.officer("inspector").cut_off(demo.code("bank"), justification=JUSTIFICATION)
        cut.set()
        answers = [answer for each in running for answer in each.result()]
    late = sum(outcome == "RELEASED" and at > act.act.decided_at for at, outcome in answers)
    refused = "asked again: " + use("bank-00-data")(demo)
    return f"{act.recipient_state}, {late} released after it, {refused}"


def terminate_agreement(demo: DemoClient) -> str:
    """Terminate the bank's agreement by two officers."""
    number = demo.client("bank").profile.agreement

    def act(officer: str) -> str:
        client = demo.officer(officer)
        return describe_result(lambda: client.terminate(number, justification=JUSTIFICATION))

    return f"{act('inspector')}, by the head {act('head')}"


def refer_case(demo: DemoClient) -> str:
    """Open the case that the record proposes, attach its evidence file, and hand it over."""
    inspector, protection = demo.officer("inspector"), demo.officer("protection")
    bank = demo.code("bank")
    (proposed,) = (each for each in inspector.cases().cases if each.recipient == bank)
    case_id = proposed.case_id
    unseen = describe_result(lambda: protection.case(case_id))
    opened = inspector.decide_case(case_id, justification=JUSTIFICATION)
    demo.operate("case", "build", "--case", str(case_id), "--reason", JUSTIFICATION)
    referred = inspector.refer_case(case_id, justification=JUSTIFICATION)
    file = demo.path("evidence.asice")
    protection.save_evidence(case_id, file)
    acknowledged = protection.acknowledge_case(case_id)
    states = (proposed.case_state, opened.case_state, referred.case_state, acknowledged.case_state)
    return f"{' '.join(states)}; before it is referred: {unseen}"


def verify_case_offline(demo: DemoClient) -> str:
    """Verify the evidence file in an empty directory, and again with one byte changed."""
    file = demo.path("evidence.asice")
    altered = demo.path("altered.asice")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)
    found = _verify(demo, file)
    included = f"{found['included']} decisions, {found['result']}"
    return f"{included}; with one byte changed: {_verify(demo, altered).get('result', 'refused')}"


def _month(demo: DemoClient) -> Month:
    """Return the month of the history."""
    return month_of(demo.made_at)


def _links(demo: DemoClient) -> dict[str, str]:
    """Return the links of the notifications about disclosures, by disclosure."""
    contents = [
        json.loads(file.read_bytes()) for file in demo.path("service/notifications").glob("*.json")
    ]
    return {each["disclosureId"]: each["link"]["url"] for each in contents if each.get("link")}


def _on_stolen_key(demo: DemoClient) -> set[UUID]:
    """Return the decisions on consents of the stolen key, by the receipts that the bank kept."""
    stolen = {sha256(demo.document(name).ground.document).digest() for name in STOLEN}
    found = set()
    for file in demo.path("parties/bank/receipts").rglob("*.xml"):
        root = etree.fromstring(file.read_bytes(), own_parser())
        digest = root.findtext(f"{_R}ground/{_R}digest")
        if digest is not None and b64decode(digest) in stolen:
            found.add(UUID(root.findtext(f"{_R}receiptId") or ""))
    return found


def _sign(demo: DemoClient, party: str) -> str:
    """Sign a party's month for the authorised body, and return the state or the refusal."""
    head = demo.officer("head")

    def sign() -> str:
        statement = head.month(str(_month(demo)), demo.code(party)).statement
        signed = sign_statement(statement, demo.signatory(AUTHORISED_BODY))
        return head.sign_month(statement, signed).status.state

    return describe_result(sign)


def _ask_once(demo: DemoClient) -> tuple[datetime, str]:
    """Ask for data of the bank's customer; return when it was decided, and the outcome."""
    try:
        decision: Decision | None = demo.data("bank-00-data").decision
    except AnsweredError as error:
        decision = getattr(error, "decision", None)
    return (demo.made_at, "FAULT") if decision is None else (decision.decided_at, decision.outcome)


def _verify(demo: DemoClient, file: Path) -> dict[str, Any]:
    elsewhere = demo.path("elsewhere")
    elsewhere.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "makul", "--config", str(elsewhere / "none.toml")),
        *("case", "verify", str(file), "--json"),
        *("--certificate", str(demo.path("service/keys/receipts.cert.pem"))),
        *("--log-key", str(demo.path("service/keys/ledger.key.pub"))),
    ]
    process = subprocess.run(command, capture_output=True, cwd=elsewhere, check=False)  # noqa: S603 - our own program
    return dict(json.loads(process.stdout or b"{}"))

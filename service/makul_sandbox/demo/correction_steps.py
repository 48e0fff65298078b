"""The step of corrections: a wrong value reaches those who were given it (Procedure, cl. 14)."""

from makul_client import Client
from makul_client.models.corrections import Correction
from makul_sandbox.demo.client_session import DemoClient

ATTRIBUTE, VALUE = "surname", "Асанов"
_WHY = "a scene of the demo"


def correct_and_recall(demo: DemoClient) -> str:
    """Report a surname that two recipients were given, correct it, and recall the former one."""
    given = demo.data("bank-03-data").decision
    demo.data("mobile-03-data")
    bank, other = demo.client("bank"), demo.client("mobile")
    report = bank.corrections.report(
        given.disclosure_id, ATTRIBUTE, kind="WRONG", justification=_WHY
    )
    correction_id = report.correction_id
    for command in (
        ("dispute", str(correction_id)),
        ("enter", str(correction_id), f"{ATTRIBUTE}.ky", VALUE),
    ):
        demo.operate("correction", *command, "--reason", _WHY, "--apply")
    withheld = [each.code for each in demo.data("bank-03-data").decision.reasons]
    resolved = demo.officer("inspector").resolve_correction(
        correction_id, "CORRECTED", justification=_WHY
    )
    named = [
        correction_id in demo.data(name).decision.corrections
        for name in ("bank-04-data", "mobile-04-data")
    ]
    bank.corrections.acknowledge(correction_id)
    (listed,) = (
        each
        for each in demo.officer("inspector").corrections().corrections
        if each.correction_id == correction_id
    )
    states = " and ".join(_state(client, listed) for client in (bank, other))
    return (
        f"withheld: {' '.join(withheld)}; {resolved.correction_state},"
        f" named to {sum(named)} of {listed.recalled}, {states}"
    )


def _state(client: Client, listed: Correction) -> str:
    (found,) = client.corrections.one(listed.correction_id).corrections
    return "acknowledged" if found.acknowledged_at is not None else "waiting"

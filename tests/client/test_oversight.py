"""`OversightClient`: its results, its errors, its receipts, its retries, and officers' profiles."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from makul_client import (
    ProfileError,
    ReceiptError,
    ReceiptFlaw,
    RecipientFaultError,
    RefusedError,
    TransportError,
    UndeterminedError,
)
from makul_client.officer_profile import OfficerProfile
from makul_client.oversight import OversightClient
from makul_testing.client.officers import (
    AGREEMENT,
    BODY,
    COUNTS,
    CUT_OFF,
    JUSTIFICATION,
    PROPOSED,
    SHOP,
    TERMINATED,
    do,
    oversight_operator,
    write_officer_profile,
)
from makul_testing.client.world import NOW, Pauses
from makul_testing.servers.fake_service import Reply, fault, hang_up, status

URL = "https://makul.example/v1/oversight"


def cut_off(client: OversightClient) -> Any:
    return client.cut_off(SHOP, justification=JUSTIFICATION)


def terminate(client: OversightClient) -> Any:
    return client.terminate(AGREEMENT, justification=JUSTIFICATION)


def count(client: OversightClient) -> Any:
    return client.statistics("2026-10")


def done(content: str = CUT_OFF, **changes: Any) -> Reply:
    return oversight_operator().decide("DONE", content=content, **changes)


# --- results ----------------------------------------------------------------------------------


def test_a_cut_off_is_proved_by_its_receipt(tmp_path: Path) -> None:
    """Procedure, cl. 12: the act is sent as the officer means it, and its receipt proves it."""
    result, (request,) = do(tmp_path, cut_off, done())

    assert request.operation == "CutOffRecipient"
    assert request.text("recipient") == SHOP
    assert request.text("justification") == JUSTIFICATION
    assert (result.recipient, result.recipient_state) == (SHOP, "CUT_OFF")
    assert result.act.request_id == UUID(request.text("requestId"))
    assert result.act.act_id == result.act.receipt.receipt_id
    assert (result.act.outcome, result.act.decided_at) == ("DONE", NOW)
    assert (result.act.receipt.operation, result.act.receipt.recipient) == (
        "CutOffRecipient",
        BODY,
    )


@pytest.mark.parametrize(("content", "is_proposal"), [(PROPOSED, True), (TERMINATED, False)])
def test_a_termination_says_whether_a_second_officer_is_necessary(
    tmp_path: Path, content: str, *, is_proposal: bool
) -> None:
    """Procedure, cl. 12: an agreement ends by the act of the second officer."""
    result, (request,) = do(tmp_path, terminate, done(content))

    assert request.text("agreementNumber") == AGREEMENT
    assert result.agreement == AGREEMENT
    assert result.needs_second_officer is is_proposal


def test_the_numbers_of_a_month_are_typed(tmp_path: Path) -> None:
    """A missing purpose or ground is None."""
    result, (request,) = do(
        tmp_path, lambda client: client.statistics("2026-10", recipient=SHOP), done(COUNTS)
    )

    assert (request.text("month"), request.text("recipient")) == ("2026-10", SHOP)
    first, second = result.counts
    assert (first.decisions, first.repetitions, first.ground_kind) == (4711, 12, "CONSENT")
    assert (second.outcome, second.purpose, second.ground_kind) == ("REFUSED", None, None)


def test_a_month_without_decisions_has_no_counts(tmp_path: Path) -> None:
    """The request has no element `recipient` if none is given."""
    result, (request,) = do(tmp_path, count, done(""))

    assert result.counts == ()
    assert b"recipient>" not in request.message


# --- receipts ---------------------------------------------------------------------------------


def without_receipt(answer: bytes) -> bytes:
    return re.sub(rb"<receipt>.*</receipt>", b"", answer)


@pytest.mark.parametrize(
    ("reply", "flaw"),
    [
        (done(in_receipt={"operation": "TerminateAgreement"}), ReceiptFlaw.REQUEST),
        (done(in_receipt={"request_id": str(uuid4())}), ReceiptFlaw.REQUEST),
        (done(in_receipt={"digest": bytes(32)}), ReceiptFlaw.REQUEST),
        (done(in_receipt={"recipient": "GOV/70000008"}), ReceiptFlaw.REQUEST),
        (done(in_receipt={"id": str(uuid4())}), ReceiptFlaw.ANSWER),
        (done(in_receipt={"outcome": "REFUSED"}), ReceiptFlaw.ANSWER),
        (done(in_receipt={"operator": "GOV/70000002"}), ReceiptFlaw.SIGNER),
        (
            done(on_its_way=lambda answer: answer.replace(b">CUT_OFF<", b">ACTIVE<")),
            ReceiptFlaw.ANSWER,
        ),
        (done(on_its_way=without_receipt), ReceiptFlaw.UNREADABLE),
        (
            done(signed=lambda receipt: receipt.replace(b"CutOffRecipient", b"CutOffRecipienT")),
            ReceiptFlaw.SIGNATURE,
        ),
    ],
    ids=[
        *("operation", "request", "digest", "body", "act", "outcome", "operator"),
        *("state", "missing", "altered"),
    ],
)
def test_an_act_without_its_own_receipt_is_withheld(
    tmp_path: Path, reply: Reply, flaw: ReceiptFlaw
) -> None:
    """An officer never believes that an act was done which the operator could deny."""
    error, requests = do(tmp_path, cut_off, reply)

    assert isinstance(error, ReceiptError), error
    assert error.flaw is flaw
    assert len(requests) == 1


def test_a_receipt_of_an_earlier_answer_proves_nothing(tmp_path: Path) -> None:
    """A replayed answer is of another request, with a genuine receipt."""
    kept: list[tuple[int, bytes]] = []

    def replay(request: Any) -> tuple[int, bytes]:
        kept.append(done()(request))
        return kept[0]

    first, _ = do(tmp_path, cut_off, replay)
    second, _ = do(tmp_path, cut_off, replay)

    assert first.recipient_state == "CUT_OFF"
    assert isinstance(second, ReceiptError)
    assert second.flaw is ReceiptFlaw.REQUEST


@pytest.mark.parametrize(
    ("act", "content"), [(cut_off, ""), (cut_off, TERMINATED), (terminate, "")]
)
def test_a_state_that_does_not_fit_is_no_success(tmp_path: Path, act: Any, content: str) -> None:
    """DONE with a missing state may mean less than the officer believes."""
    error, requests = do(tmp_path, act, done(content))

    assert isinstance(error, TransportError), error
    assert error.passing is False
    assert len(requests) == 1


def test_a_stored_receipt_is_verified_later(tmp_path: Path) -> None:
    """It proves the act without the answer, and not if a byte changes."""
    result, _ = do(tmp_path, cut_off, done())
    document = result.act.receipt.document
    profile = OfficerProfile.load(write_officer_profile(tmp_path, URL))

    with OversightClient(profile, clock=lambda: NOW) as client:
        assert client.verify_receipt(document).receipt_id == result.act.act_id
        with pytest.raises(ReceiptError):
            client.verify_receipt(document.replace(b">DONE<", b">REFUSED<"))


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "code", "kind"),
    [
        ("REFUSED", "OVR-01", RefusedError),
        ("REFUSED", "OVR-05", RefusedError),
        ("UNDETERMINED", "SIG-05", UndeterminedError),
    ],
)
def test_a_refused_act_is_raised_with_its_receipt(
    tmp_path: Path, outcome: str, code: str, kind: type[RefusedError]
) -> None:
    """The reasons are the operator's, and the receipt of a refusal is proved as well."""
    error, requests = do(
        tmp_path, terminate, oversight_operator().decide(outcome, codes=(code,), retry="F")
    )

    assert type(error) is kind
    assert (error.code, str(error)) == (code, f"{code}, cl. 4: {code} in English")
    assert error.decision.receipt.outcome == outcome
    assert error.request_id == UUID(requests[0].text("requestId"))
    assert len(requests) == 1


def test_an_unknown_outcome_is_no_success(tmp_path: Path) -> None:
    """RELEASED is no answer to an act, even with a genuine receipt."""
    error, _ = do(tmp_path, cut_off, oversight_operator().decide("RELEASED", content=CUT_OFF))

    assert isinstance(error, TransportError)
    assert error.passing is False


def test_an_unregistered_officer_gets_a_fault(tmp_path: Path) -> None:
    """RCP-04 is a fault: no act was recorded, so there is no receipt."""
    error, requests = do(tmp_path, cut_off, fault("RCP-04"))

    assert type(error) is RecipientFaultError
    assert error.code == "RCP-04"
    assert len(requests) == 1


# --- retries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [hang_up, status(503), fault("OPS-03", retry="L"), fault("OPS-99", retry="L")],
    ids=["connection", "503", "OPS-03", "OPS-99"],
)
def test_a_repetition_has_the_same_id_and_a_new_signature(tmp_path: Path, failure: Reply) -> None:
    """An id is carried out at most once, so repeating it is safe."""
    pauses = Pauses()
    result, requests = do(tmp_path, cut_off, failure, done(), pauses=pauses)

    assert result.recipient_state == "CUT_OFF"
    assert len(requests) == 2
    assert len({each.text("requestId") for each in requests}) == 1
    assert len({each.digest for each in requests}) == 1
    assert len({each.message for each in requests}) == 2, "each is signed anew (REQ-09)"
    assert len(pauses.seconds) == 1


def test_a_chosen_id_is_sent(tmp_path: Path) -> None:
    """The officer repeats an act of an earlier run under its id."""
    chosen = uuid4()
    result, (request,) = do(
        tmp_path,
        lambda client: client.cut_off(SHOP, justification=JUSTIFICATION, request_id=chosen),
        done(),
    )

    assert request.text("requestId") == str(chosen)
    assert result.act.request_id == chosen


# --- profiles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[officer]", "[officer]\nrole = 'HEAD-OF-7'", "[officer] role"),
        ('body = "GOV/70000009"', 'body = "SECRET-7"', "[officer] body"),
        ('body = "GOV/70000009"', "", "[officer] body: is needed"),
        ('identifier = "I-1"', "identifier = 7", "[officer] identifier"),
        ('channel = "wsse"', 'channel = "pigeon"', "[service] channel"),
        ('channel = "wsse"', 'channel = "xroad"', "xroad"),
        ("[signing]", "[signed]", "sign"),
        ("[operator]", "[recipient]\ncode = 'SECRET-7'\n[operator]", "recipient"),
        ('url = "', 'url = "gopher', "[service] url"),
        ("[officer]", "[officer", "not TOML"),
    ],
)
def test_a_flaw_of_a_profile_is_one_line(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    """The line names the file and the key, and does not repeat a wrong value."""
    file = write_officer_profile(tmp_path, URL)
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ProfileError) as raised:
        OfficerProfile.load(file)

    message = str(raised.value)
    assert message.startswith(f"{file}: ")
    assert complaint in message
    assert "\n" not in message
    for value in ("SECRET-7", "HEAD-OF-7", "pigeon", "gopher"):
        assert value not in message


XROAD = """
[xroad]
client = "KG-TEST/{member}/desk"
service = "KG-TEST/GOV/70000001/makul"
"""


@pytest.mark.parametrize(
    ("member", "identifier", "complaint"),
    [
        (BODY, 'identifier = "I-1"', None),
        (BODY, "", "[officer] identifier: is needed"),
        ("GOV/70000008", 'identifier = "I-1"', "[xroad] client: is another organisation"),
    ],
)
def test_a_profile_on_xroad_names_the_officer(
    tmp_path: Path, member: str, identifier: str, complaint: str | None
) -> None:
    """The member over X-Road is the body, and the identifier is the officer."""
    file = write_officer_profile(tmp_path, URL, extra=XROAD.format(member=member))
    text = file.read_text(encoding="utf-8").replace('identifier = "I-1"', identifier)
    text = re.sub(r"\[signing\][^\[]*", "", text.replace('"wsse"', '"xroad"'))
    file.write_text(text, encoding="utf-8")

    if complaint is None:
        assert OfficerProfile.load(file).officer.identifier == "I-1"
    else:
        with pytest.raises(ProfileError, match=re.escape(complaint)):
            OfficerProfile.load(file)


@pytest.mark.parametrize("name", ["officer.key.pem", "officer.crt.pem", "operator.crt.pem"])
def test_an_unusable_file_is_named(tmp_path: Path, name: str) -> None:
    """Keys and certificates are read when the client is made."""
    file = write_officer_profile(tmp_path, URL)
    (tmp_path / name).write_text("not PEM")

    with pytest.raises(ProfileError, match=re.escape(name)):
        OversightClient.from_file(file)

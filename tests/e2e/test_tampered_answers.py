"""A party that ends TLS in between cannot change an answer unnoticed (invariant 8).

Every deciding operation runs once for real. Then every element of its answer is changed, and the
client gets the result as the answer to the same request.
"""

import base64
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul_client import (
    Client,
    ConsentDocument,
    ConsentId,
    Context,
    Demographic,
    FaultError,
    MakulError,
    NotMatchedError,
    Probe,
    Profile,
    ReceiptError,
    ReceiptFlaw,
    RefusedError,
    TransportError,
)
from makul_client._internal.http_transport import Wire
from makul_client._internal.soap_messages import ReceivedAnswer
from makul_client.cli.exit_codes import ExitCode
from makul_sandbox.output.files import Addresses, write_files, write_service
from makul_testing.answer_changes import CHANGES, XSI, body_of, changed
from makul_testing.answer_rewrites import REWRITES, child_of, in_other_characters
from makul_testing.client.cli_runner import run_client
from makul_testing.exhaustive import sample
from makul_testing.in_process_service import (
    NS,
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
)

REWRITES_TRIED = 20
"""The maximum number of tested messages for each way of rewriting an answer."""


@dataclass
class Man:
    """The party that ends TLS between client and service, and passes on what it likes."""

    installation: InProcessService
    folder: Path
    answer: bytes | None = None
    """The bytes that it gives instead of the answer; None: the service's answer."""
    seen: bytes = b""
    sent: bytes = b""
    """The message that it passed on last."""
    clients: dict[str, Client] = field(default_factory=dict)

    def send(self, message: bytes) -> bytes:
        if self.answer is not None:
            return self.answer
        self.sent = message
        self.seen = self.installation.post(message).body
        return self.seen

    def profile(self, by: str) -> Path:
        return self.folder / "parties" / by / "profile.toml"

    def ask(self, name: str, request_id: UUID) -> object:
        """Send the request of this case; a refusal is returned as well."""
        by, call = CASES[name]
        if by not in self.clients:
            self.clients[by] = Client(Profile.load(self.profile(by)))
        try:
            return call(self.installation, self.clients[by], Context(request_id=request_id))
        except RefusedError as refused:
            return refused.decision


Call = Callable[[InProcessService, Client, Context], object]

RECEIPT = "{urn:makul:recipient:1}receipt"


def _probe(installation: InProcessService, document_name: str, number: str | None = None) -> Probe:
    probe_fields = about(
        installation.person_of(installation.document(document_name)), of=installation.bank
    )
    return Probe(
        demographic=Demographic(
            pin=probe_fields["pin"], document_number=number or probe_fields["document_number"]
        )
    )


def _consent(installation: InProcessService, document_name: str) -> ConsentDocument:
    return ConsentDocument(installation.document(document_name).document)


def _data(document_name: str, number: str | None = None) -> Call:
    return lambda installation, client, context: client.get_person_data(
        _probe(installation, document_name, number),
        sorted(installation.document(document_name).attributes),
        ground=_consent(installation, document_name),
        context=context,
    )


def _verify(installation: InProcessService, client: Client, context: Context) -> object:
    document = "bank-00-yes-no"
    return client.verify_person(
        _probe(installation, document), ground=_consent(installation, document), context=context
    )


def _explain(installation: InProcessService, client: Client, context: Context) -> object:
    document = installation.document("bank-00-data")
    return client.explain(
        "GetPersonData",
        methods=["demographic"],
        pin=installation.person_of(document).pin.digits,
        attributes=sorted(document.attributes),
        ground=ConsentDocument(document.document),
        context=context,
    )


def _register(installation: InProcessService, client: Client, context: Context) -> object:
    return client.register_consent(_consent(installation, "not-taken-back"), context=context)


def _revoke(installation: InProcessService, client: Client, context: Context) -> object:
    return client.revoke_consent(
        installation.world.consent_revocations["taken-back"].document, context=context
    )


def _cited(installation: InProcessService, client: Client, context: Context) -> object:
    """Submit a consent and cite it by its id: the request holds no signature."""
    document = installation.document("bank-02-data")
    held = client.register_consent(ConsentDocument(document.document))
    return client.get_person_data(
        _probe(installation, "bank-02-data"),
        sorted(document.attributes),
        ground=ConsentId(held.consent_id),
        context=context,
    )


def _refused(installation: InProcessService, client: Client, context: Context) -> object:
    document = "bank-00-data"
    return client.get_person_data(
        _probe(installation, document), ["surname"], ground=None, context=context
    )


CASES: dict[str, tuple[str, Call]] = {
    "verified": ("bank", _verify),
    "released": ("bank", _data("bank-00-data")),
    "sealed": ("wallet", _data("wallet-00-data")),
    "not-matched": ("bank", _data("bank-01-data", "ID9999999")),
    "refused": ("bank", _refused),
    "explained": ("bank", _explain),
    "registered": ("bank", _register),
    "revoked": ("bank", _revoke),
}


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[Man]:
    folder = tmp_path_factory.mktemp("tampered")
    (folder / "installation").mkdir()
    installation = build_installation(folder / "installation", database=record_database)
    addresses = Addresses(
        host="127.0.0.1",
        port=1,
        xroad_port=2,
        mtls_port=3,
        oversight_port=4,
        subject_port=5,
    )
    write_service(installation.world, folder, addresses)
    write_files(installation.world, folder, addresses, {})
    town = Man(installation, folder)
    yield town
    for client in town.clients.values():
        client.close()
    installation.close()


def _sent_by(man: Man) -> Callable[[Wire, str, bytes], bytes]:
    def send(_wire: Wire, _operation: str, message: bytes, *, max_answer: int) -> bytes:
        del max_answer
        return man.send(message)

    return send


@pytest.fixture
def man(town: Man, monkeypatch: pytest.MonkeyPatch) -> Man:
    town.answer = None
    monkeypatch.setattr(Wire, "send", _sent_by(town))
    return town


@pytest.mark.parametrize("case", CASES)
def test_no_part_of_an_answer_can_be_changed_unnoticed(man: Man, case: str) -> None:
    """Each element is altered, padded, removed, repeated, moved, renamed, or extended.

    The digest, or a receipt in the wrong position, shows each change. The client itself checks one
    change of each kind, because it verifies a signature each time.
    """
    request_id = uuid4()
    assert man.ask(case, request_id) is not None
    genuine = man.seen
    digest = ReceivedAnswer(body_of(etree.fromstring(genuine)), RECEIPT).digest()
    unseen, kinds, tried = [], set(), 0

    for where, kind, message in changed(genuine):
        tried += 1
        received = ReceivedAnswer(body_of(etree.fromstring(message)), RECEIPT)
        if received.receipt() is not None and received.digest() == digest:
            unseen.append((where, kind))
        if kind not in kinds:
            kinds.add(kind)
            man.answer = message
            with pytest.raises(ReceiptError):
                man.ask(case, request_id)

    assert unseen == []
    assert kinds == set(CHANGES)
    assert tried > 40
    man.answer = genuine
    assert man.ask(case, request_id) is not None


@pytest.mark.parametrize("case", ["released", "registered", "explained", "sealed"])
def test_another_form_of_the_same_answer_is_accepted(man: Man, case: str) -> None:
    """A proxy may write the envelope again: its own prefixes, declarations and encoding."""
    request_id = uuid4()
    man.ask(case, request_id)
    child = etree.tostring(body_of(etree.fromstring(man.seen)), with_tail=False).decode()
    envelope = (
        '<?xml version="1.0" encoding="UTF-16"?>\n'
        f'<soap:Envelope xmlns:soap="{NS["s"]}" xmlns="urn:other" xmlns:p="urn:p" xmlns:t="urn:t"'
        f' xmlns:xsi="{XSI}" xml:lang="ru"><soap:Header/>\n'
        f"<soap:Body>\n  {child}\n</soap:Body></soap:Envelope>"
    )
    man.answer = envelope.encode("utf-16")

    assert man.ask(case, request_id) is not None


@pytest.mark.parametrize("case", CASES)
def test_a_repeated_answer_is_proved_too(man: Man, case: str) -> None:
    """The bytes are those of the first time, with their receipt; if changed, they are withheld."""
    request_id = uuid4()
    man.ask(case, request_id)
    first = man.seen
    man.ask(case, request_id)

    assert etree.tostring(body_of(etree.fromstring(man.seen))) == etree.tostring(
        body_of(etree.fromstring(first))
    )
    man.answer = man.seen.replace(b"<decidedAt>2", b"<decidedAt>1", 1)
    with pytest.raises(ReceiptError):
        man.ask(case, request_id)


def test_receipts_of_two_answers_cannot_be_swapped(man: Man) -> None:
    """Each is genuine, and of the same person, but does not prove the other answer."""
    request_ids = {name: uuid4() for name in ("verified", "released", "explained", "refused")}
    answers = {}
    for name, request_id in request_ids.items():
        man.ask(name, request_id)
        answers[name] = man.seen
    for name, other in itertools.permutations(request_ids, 2):
        envelope, foreign = etree.fromstring(answers[name]), etree.fromstring(answers[other])
        receipt = body_of(envelope).find("r:receipt", NS)
        other_receipt = body_of(foreign).findtext("r:receipt", namespaces=NS)
        assert receipt is not None
        receipt.text = other_receipt
        for answer in (etree.tostring(envelope), answers[other]):
            man.answer = answer
            with pytest.raises(ReceiptError) as withheld:
                man.ask(name, request_ids[name])
            assert withheld.value.flaw is ReceiptFlaw.REQUEST


def test_two_answers_to_equal_requests_cannot_be_swapped(man: Man) -> None:
    """The request comes under two ids: the older answer is not taken for the newer."""
    first, second = uuid4(), uuid4()
    man.ask("explained", first)
    older = man.seen
    man.ask("explained", second)
    man.answer = older

    with pytest.raises(ReceiptError):
        man.ask("explained", second)


def test_the_command_prints_nothing_of_a_changed_answer(man: Man, tmp_path: Path) -> None:
    """Exit code 4; no data, no match, no stored receipt."""
    document = man.installation.document("bank-00-data")
    consent, receipt = tmp_path / "consent.xml", tmp_path / "receipt.xml"
    consent.write_bytes(document.document)
    probe_fields = about(man.installation.person_of(document), of=man.installation.bank)
    arguments = ["get", "--consent", consent, "-p", man.profile("bank")]
    arguments += ["--document-number", probe_fields["document_number"], "--request-id", uuid4()]
    genuine = run_client(*arguments)
    assert genuine.exit_code == ExitCode.OK, genuine.output
    for old, new in ((b"<method>demographic", b"<method>face"), (b"<p:ru>", b"<p:ru>x")):
        man.answer = man.seen.replace(old, new)
        if man.answer == man.seen:
            continue
        result = run_client(*arguments, "--receipt", receipt)

        assert result.exit_code == ExitCode.RECEIPT
        assert result.stdout == ""
        assert not receipt.exists()


def test_no_field_of_a_receipt_confirms_a_guess(man: Man) -> None:
    """docs/architecture.md, invariant 7: an encrypted answer and its receipt confirm no guess.

    The attacker has both, knows all data but one number, and guesses the very number. With
    `payloadSalt` in the receipt this was a hit after ten seconds for the whole range of numbers.
    """
    document = man.installation.document("wallet-00-data")
    person = man.installation.person_of(document)
    man.ask("sealed", uuid4())
    child = body_of(etree.fromstring(man.seen))
    receipt = etree.fromstring(base64.b64decode(child.findtext("r:receipt", "", NS)))
    guess = man.installation.parts.documents.person(person, frozenset(document.attributes))
    octets = {b""}
    for element in itertools.chain(receipt.iter(), child.iter()):
        text = "".join((element.text or "").split())
        octets.add(text.encode())
        try:
            octets.add(base64.b64decode(text, validate=True))
        except ValueError:
            octets.add(text.replace("-", "").encode())

    digests = {sha256(before + guess + after).digest() for before in octets for after in octets}

    assert receipt.find("{*}payloadSalt") is None
    assert child.find("r:payloadSalt", NS) is None
    assert not digests & octets


def test_no_receipt_confirms_a_guess_of_its_request(man: Man) -> None:
    """docs/architecture.md, invariant 7: a request by `consentId` is known but for one number.

    Without its nonce the request has another digest, for any part of the receipt or the answer in
    the nonce's position; with the nonce itself it is the digest of the receipt.
    """
    with Client(Profile.load(man.profile("bank"))) as client:
        _cited(man.installation, client, Context(request_id=uuid4()))
    receipt = etree.fromstring(
        base64.b64decode(body_of(etree.fromstring(man.seen)).findtext("r:receipt", "", NS))
    )
    texts = {"".join((each.text or "").split()) for each in receipt.iter()}
    request = body_of(etree.fromstring(man.sent))
    nonce = request.find("r:nonce", NS)
    assert nonce is not None
    assert request.find("r:ground/r:consentId", NS) is not None
    digest = receipt.findtext("{*}requestDigest")

    assert _digest_of(request) == digest
    assert nonce.text not in texts
    for guess in texts:
        nonce.text = guess
        assert _digest_of(request) != digest
    request.remove(nonce)
    assert _digest_of(request) != digest


def _digest_of(request: etree._Element) -> str:
    octets = etree.tostring(request, method="c14n", exclusive=True, with_comments=False)
    return base64.b64encode(sha256(octets).digest()).decode()


def test_a_repeat_in_another_process_gets_the_stored_answer(man: Man) -> None:
    """docs/architecture.md, invariant 5: the nonce of an id depends only on the caller's secret."""
    request_id = uuid4()
    receipts = []
    for _ in range(2):
        with Client(Profile.load(man.profile("bank"))) as client:
            found = _data("bank-03-data")(man.installation, client, Context(request_id=request_id))
        receipts.append(found.decision.receipt.document)  # type: ignore[attr-defined]

    assert receipts[0] == receipts[1]


def test_a_fault_in_place_of_an_answer_is_no_decision(man: Man) -> None:
    """A fault has no receipt, so it is distinguished from a refusal: it decided nothing."""
    man.answer = (
        f'<s:Envelope xmlns:s="{NS["s"]}"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
        "<faultstring>CNS-05: revoked</faultstring></s:Fault></s:Body></s:Envelope>"
    ).encode()

    with pytest.raises((FaultError, TransportError)) as raised:
        man.ask("released", uuid4())

    assert not isinstance(raised.value, RefusedError | NotMatchedError)


@pytest.mark.parametrize("case", CASES)
def test_no_rewritten_answer_is_returned(man: Man, case: str) -> None:
    """The client raises before it returns anything, for any change of the bytes."""
    request_id = uuid4()
    assert man.ask(case, request_id) is not None
    genuine = man.seen
    believed = []
    for rewrite in REWRITES:
        for number, message in sample(enumerate(rewrite(genuine)), REWRITES_TRIED):
            man.answer = message
            try:
                man.ask(case, request_id)
            except MakulError:
                continue
            believed.append((rewrite.__name__, number, message))

    assert [each[:2] for each in believed] == []
    man.answer = genuine
    assert man.ask(case, request_id) is not None


@pytest.mark.parametrize("case", ["verified", "released", "sealed", "revoked"])
def test_other_characters_of_the_same_answer_are_equal(man: Man, case: str) -> None:
    """CDATA sections and character references are the same text to every reader."""
    request_id = uuid4()
    genuine = man.ask(case, request_id)

    for message in in_other_characters(man.seen):
        man.answer = message
        assert man.ask(case, request_id) == genuine


@pytest.mark.parametrize("case", CASES)
def test_a_changed_byte_is_refused_or_means_nothing(man: Man, case: str) -> None:
    """A change of any byte gives the client's own exception, or the very same result.

    Bytes of the receipt that its signature does not cover, such as the Base64 of a certificate, may
    differ; nothing that is read from it does.
    """
    request_id = uuid4()
    genuine = man.ask(case, request_id)
    before, child, after = child_of(man.seen)
    drawn = random.Random(case)  # noqa: S311 -- places, not secrets
    for _ in range(100):
        place, value = drawn.randrange(len(child)), drawn.randrange(256)
        other = bytearray(child)
        other[place] = value
        man.answer = before + bytes(other) + after
        try:
            result = man.ask(case, request_id)
        except MakulError:
            continue
        assert _without_bytes(result) == _without_bytes(genuine)


def _without_bytes(result: Any) -> Any:
    """Return a result without its receipt's bytes."""
    if not hasattr(result, "decision"):
        return replace(result, receipt=replace(result.receipt, document=b""))
    return replace(result, decision=_without_bytes(result.decision))


def test_a_receipt_of_the_same_outcome_proves_no_other_answer(man: Man) -> None:
    """There are two genuine releases to one recipient, and two refusals under the same id."""
    first, second = uuid4(), uuid4()
    man.ask("released", first)
    theirs = body_of(etree.fromstring(man.seen)).findtext("r:receipt", namespaces=NS)
    man.ask("released", second)
    envelope = etree.fromstring(man.seen)
    receipt = body_of(envelope).find("r:receipt", NS)
    assert receipt is not None
    receipt.text = theirs
    man.answer = etree.tostring(envelope)

    with pytest.raises(ReceiptError):
        man.ask("released", second)


def test_a_misuse_of_an_id_does_not_prove_the_answer_before_it(man: Man) -> None:
    """REQ-04 has a genuine receipt of the same id, recipient and operation."""
    request_id = uuid4()
    man.ask("released", request_id)
    genuine = man.seen
    man.ask("refused", request_id)
    misused = man.seen
    assert b"REQ-04" in misused
    for whole, other in ((genuine, misused), (misused, genuine)):
        envelope, foreign = etree.fromstring(whole), etree.fromstring(other)
        receipt = body_of(envelope).find("r:receipt", NS)
        assert receipt is not None
        receipt.text = body_of(foreign).findtext("r:receipt", namespaces=NS)
        man.answer = etree.tostring(envelope)
        for case in ("released", "refused"):
            with pytest.raises(ReceiptError):
                man.ask(case, request_id)
    man.answer = misused
    with pytest.raises(ReceiptError):
        man.ask("released", request_id)

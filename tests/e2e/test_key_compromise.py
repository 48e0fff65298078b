"""A key is compromised: what stops working, and what stays provable.

Each test here follows a section of the run-book `docs/operating/keys.md`.
"""

import base64
import http.client
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from makul.domain.disclosures import GroundKind
from makul.domain.reasons import Code
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustDirectories, ca_certificates
from makul.trust.pki.trust_store import RELOAD_INTERVAL, TrustStore
from makul_client.errors import ReceiptError, ReceiptFlaw
from makul_client.profile import Operator
from makul_client.receipts.verifier import ReceiptVerifier
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.builders.messages import signed_message
from makul_testing.cli_runner import CommandLine
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)
from makul_testing.pki.authorities import NOW, Authority, StoreFiles
from makul_testing.processes.service import run_service

SLACK = 30.0
"""The seconds in which a worker that shares its core notices a change."""


@pytest.fixture
def installation(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, database=record_database)
    config = tmp_path / "makul.toml"
    config.write_text(config.read_text().replace("[trust]", 'retired = "retired"\n[trust]', 1))
    yield built
    built.close()


@pytest.fixture
def makul(installation: InProcessService) -> CommandLine:
    return installation.makul()


def request(installation: InProcessService) -> bytes:
    document = installation.document("bank-00-data")
    return person_request(
        **about(installation.person_of(document), of=document.presented_by, document=document)
    )


def receipt_in(answer: ServiceAnswer) -> bytes:
    text = answer.child.findtext("{urn:makul:recipient:1}receipt")
    assert text is not None
    return base64.b64decode(text)


def verifier(
    installation: InProcessService,
    directory: Path,
    compromised: dict[bytes, datetime] | None = None,
) -> ReceiptVerifier:
    """Return a recipient's verifier, with the operator's certificate pinned and without CRLs."""
    return ReceiptVerifier(
        Operator(
            code=OPERATOR,
            name="The operator",
            certificates=(directory / "receipts.cert.pem",),
            anchors=(directory / "anchors" / "root.pem",),
            intermediates=(directory / "intermediates" / "cas.pem",),
            compromised=compromised or {},
        )
    )


def test_compromised_receipt_key_is_refused(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """A compromised receipt key signs no more; its receipts prove only by the
    recipient's archive.
    """
    receipt = receipt_in(installation.ask(request(installation)))
    now = installation.clock()
    since, later = now + timedelta(hours=1), now + timedelta(hours=2)
    fingerprint = installation.world.operator.fingerprint
    known = verifier(installation, tmp_path, {fingerprint: since})

    assert verifier(installation, tmp_path).verify(receipt, at=now)
    with pytest.raises(ReceiptError) as refused:
        known.verify(receipt, at=later)
    assert refused.value.flaw is ReceiptFlaw.COMPROMISED
    with pytest.raises(ReceiptError, match="compare it with the operator's record"):
        known.verify_kept(receipt, at=later)
    with pytest.raises(ReceiptError):
        known.verify_kept(receipt, at=later, held_since=since)
    assert known.verify_kept(receipt, at=later, held_since=now)

    makul.run_json("key", "compromised", fingerprint.hex(), "--since", now.isoformat(), "--apply")
    result = makul("serve", "--listener", "wsse")
    assert result.code == 3
    assert "marked as compromised" in result.err
    again = makul(
        "key", "compromised", fingerprint.hex(), "--since", "2026-01-01T00:00:00Z", "--apply"
    )
    assert "noted already" in again.err


def test_retired_receipt_certificate_still_verifies(
    installation: InProcessService, tmp_path: Path
) -> None:
    """A renewed key changes nothing for old receipts: they are judged at their own time."""
    receipt = receipt_in(installation.ask(request(installation)))
    much_later = installation.world.operator.certificate.not_valid_after_utc + timedelta(days=900)

    assert verifier(installation, tmp_path).verify_kept(receipt, at=much_later)
    with pytest.raises(ReceiptError) as refused:
        verifier(installation, tmp_path).verify(receipt, at=much_later)
    assert refused.value.flaw is ReceiptFlaw.EXPIRED


def test_withdrawn_message_key_gets_nothing(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """Every worker refuses messages after the withdrawal, and no stored answer is repeated."""
    bank = installation.world.messages["bank"]
    request_child = request(installation)

    def message() -> bytes:
        return signed_message(request_child, bank.key, bank.certificate, at=installation.clock())

    with run_service(tmp_path / "makul.toml", workers=2) as server:
        assert ask(server.port, message())[0] == 200
        pem = tmp_path / "lost.pem"
        pem.write_bytes(bank.certificate.public_bytes(Encoding.PEM))
        makul.run_json(
            "recipient", "withdraw", installation.bank.code, pem, "--reason", "key lost", "--apply"
        )
        answers = [ask(server.port, message()) for _ in range(12)]

    assert {status for status, _ in answers} == {500}
    assert all(b"RELEASED" not in body for _, body in answers)
    assert all(b">RCP-04<" in body for _, body in answers)


def test_removed_anchor_stops_its_citizens(installation: InProcessService, tmp_path: Path) -> None:
    """The anchor is removed, and within five seconds no certificate under it counts."""
    assert installation.ask(request(installation)).outcome == "RELEASED"
    (tmp_path / "anchors" / "root.pem").rename(tmp_path / "root.pem.away")
    (tmp_path / "anchors" / "other.pem").write_bytes(installation.world.look_alike.anchors())

    deadline = time.monotonic() + RELOAD_INTERVAL.total_seconds() + SLACK
    while (answer := installation.ask(request(installation))).outcome == "RELEASED":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    # If the anchor goes after the message was verified, the consent is the first that is refused.
    assert answer.codes in (["SIG-09"], ["CNS-02"])
    assert installation.ask(request(installation)).codes == ["SIG-09"]


def test_other_authority_continues_after_a_removal(tmp_path: Path) -> None:
    """One authority's certificate is removed, and citizens of the other continue.

    There are two anchors, each with its intermediates and CRLs. The removal of the stolen one does
    not affect the other.
    """
    first, second = Authority.root("First"), Authority.root("Second")
    cas = [each.subordinate("CA") for each in (first, second)]
    files = StoreFiles(tmp_path).write(
        anchors=[first, second],
        intermediates=cas,
        crls=[each.crl() for each in (first, second, *cas)],
    )
    store = TrustStore(
        TrustDirectories(anchors=files.anchors, intermediates=files.intermediates, crls=files.crls),
        reload_interval=timedelta(0),
    )
    theirs, others = (read_certificate(ca.issue().der) for ca in cas)
    assert [store.judge(each, at=NOW).code for each in (theirs, others)] == [None, None]

    gone = next(
        path
        for path, certificate in ca_certificates(files.anchors)
        if certificate == first.certificate
    )
    gone.unlink()

    codes = [store.judge(each, at=NOW).code for each in (theirs, others)]
    assert codes == [Code.SIG_09, None]


def test_withdrawn_officials_key_signs_no_basis(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """LAW-09: after the withdrawal no basis statement by that key counts, of any date."""
    name, document = next(
        (name, each)
        for name, each in installation.world.documents.items()
        if each.kind is GroundKind.BASIS and each.presented_by.key in installation.world.officials
    )
    by = document.presented_by
    request = person_request(**about(installation.person_of(document), of=by, document=document))
    assert installation.ask(request, by=by.key).outcome in {"RELEASED", "MATCHED"}, name
    pem = tmp_path / "official.pem"
    pem.write_bytes(installation.world.officials[by.key].certificate_pem)

    makul.run_json(
        "recipient", "withdraw-official", by.code, pem, "--reason", "key lost", "--apply"
    )

    again = person_request(**about(installation.person_of(document), of=by, document=document))
    answer = installation.ask(again, by=by.key)
    assert (answer.outcome, answer.codes, answer.released) == ("REFUSED", ["LAW-09"], set())


def test_withdrawn_encryption_key_gets_nothing(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """Stored answers are withheld after the withdrawal, until another certificate is registered."""
    document = installation.document("wallet-00-data")
    code, mine = document.presented_by.code, installation.world.encryption["wallet"]
    request = person_request(
        **about(installation.person_of(document), of=document.presented_by, document=document)
    )
    assert installation.ask(request, by="wallet").outcome == "RELEASED"
    lost = tmp_path / "lost.pem"
    lost.write_bytes(mine.certificate_pem)

    makul.run_json("recipient", "withdraw-sealing", code, lost, "--reason", "lost", "--apply")

    def codes(child: bytes) -> list[str]:
        return installation.ask(child, by="wallet").codes

    def new_one() -> bytes:
        return person_request(
            **about(installation.person_of(document), of=document.presented_by, document=document)
        )

    assert codes(request) == ["RCP-04"]
    assert codes(new_one()) == ["RCP-04"]
    again = makul("recipient", "sealing-certificate", code, lost, "--apply")
    assert again.code == 1
    assert "withdrawn" in again.err
    another = tmp_path / "another.pem"
    another.write_bytes(_another_encryption_certificate(installation))
    makul.run_json("recipient", "sealing-certificate", code, another, "--apply")
    assert installation.ask(new_one(), by="wallet").outcome == "RELEASED"
    assert codes(request) == ["RCP-04"]


def _another_encryption_certificate(installation: InProcessService) -> bytes:
    """Return a new certified key of the wallet's."""
    certificate = installation.world.hierarchy.encryption(
        member_code=installation.document("wallet-00-data").presented_by.code, common_name="Wallet"
    )
    return certificate.certificate_pem


def test_revoked_citizens_key_signs_no_consent(
    installation: InProcessService, tmp_path: Path
) -> None:
    """The CA revokes it for keyCompromise in its next CRL: its consents no longer count."""
    document = installation.document("bank-00-data")
    assert installation.ask(request(installation)).outcome == "RELEASED"
    citizen = installation.world.citizens[document.citizen].certificate
    crl = installation.world.hierarchy.citizens.crl([citizen])
    new = tmp_path / "new.crl"
    new.write_bytes(crl)
    new.rename(tmp_path / "crls" / "citizens.crl.pem")

    deadline = time.monotonic() + RELOAD_INTERVAL.total_seconds() + SLACK
    while (answer := installation.ask(request(installation))).outcome == "RELEASED":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert answer.outcome == "REFUSED"
    assert answer.codes == ["CNS-02"]
    because = [str(each.text) for each in answer.child.iter("{urn:makul:types:1}because")]
    assert because == ["SIG-06"]


def ask(port: int, message: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        connection.request("POST", "/v1/recipient", message, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()

"""A case is judged again years later, by the stored bytes and the material of its time."""

import base64
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from makul.store import StoreKeys
from makul.store.encryption.fields import FieldCipher
from makul.store.records.entry_rows import evidence_associated_data
from makul.trust.pki.trust_store import RELOAD_INTERVAL
from makul.trust.xades.signing import add_timestamp
from makul_sandbox.world.documents import SandboxDocument
from makul_testing.cli_runner import CommandLine, CommandResult
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.raw_sql import binary, count, without_guards

HOUR = timedelta(hours=1)
CONSENT = "{urn:makul:consent:1}"


class MovableClock:
    """The present, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def installation(
    tmp_path: Path, clock: MovableClock, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, clock=clock, database=record_database)
    yield built
    built.close()


@pytest.fixture
def makul(installation: InProcessService) -> CommandLine:
    return installation.makul()


def build_request(installation: InProcessService, document: SandboxDocument) -> bytes:
    return person_request(
        **about(installation.person_of(document), of=document.presented_by, document=document)
    )


def latest(makul: CommandLine) -> str:
    """Return the id of the last decision."""
    return str(makul.run_json("disclosure", "list", "--limit", "1")[0]["disclosure_id"])


def rejudge(makul: CommandLine, disclosure_id: str) -> CommandResult:
    return makul("document", "rejudge", disclosure_id, "--json")


def revoke_late(installation: InProcessService, document: SandboxDocument, at: datetime) -> None:
    """Make the citizens' CRL an hour later; the document's signer is in it since `at`."""
    ca = installation.world.hierarchy.citizens.credential
    revoked = (
        x509.RevokedCertificateBuilder()
        .serial_number(installation.world.citizens[document.citizen].certificate.serial_number)
        .revocation_date(at)
        .add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False)
        .build()
    )
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(at)
        .next_update(at + 24 * HOUR)
        .add_revoked_certificate(revoked)
        .sign(ca.key, hashes.SHA256())
    )
    (installation.settings.trust.crls / "citizens.crl.pem").write_bytes(
        crl.public_bytes(Encoding.PEM)
    )


def test_report_is_equal_after_all_else_has_changed(
    installation: InProcessService, makul: CommandLine, clock: MovableClock
) -> None:
    """The signer's certificate is revoked later, CRLs are replaced, then nothing is trusted."""
    document = installation.document("bank-00-data")
    assert installation.ask(build_request(installation, document)).outcome == "RELEASED"
    released = latest(makul)
    looks = count(installation.settings.place, "desk_log")

    clock.ahead += HOUR
    revoke_late(installation, document, clock())
    clock.ahead += RELOAD_INTERVAL
    assert installation.ask(build_request(installation, document)).codes == ["CNS-02"]
    refused = latest(makul)
    for name in ("intermediates", "crls"):
        shutil.rmtree(installation.settings.trust.anchors.with_name(name))

    good, bad = rejudge(makul, released), rejudge(makul, refused)

    assert good.code == 0, good.err
    (finding,) = good.json
    assert (finding["kept"], finding["again"]) == ("TOTAL-PASSED", "TOTAL-PASSED")
    assert finding["verdict"] == "same"
    assert bad.code == 0, bad.err
    assert [each["again"] for each in bad.json] == ["INDETERMINATE SIG-06"]
    assert count(installation.settings.place, "desk_log") == looks + 2
    assert "same" in makul("document", "rejudge", released).out


def test_a_registered_consent_is_judged_again(
    installation: InProcessService, makul: CommandLine, clock: MovableClock
) -> None:
    """It was registered while its certificate was good, and used after the revocation."""
    document = installation.document("bank-05-data")
    encoded = base64.b64encode(document.document).decode()
    registered = installation.ask(
        f'<r:RegisterConsent xmlns:r="urn:makul:recipient:1"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:agreementNumber>{document.presented_by.agreement}</r:agreementNumber>"
        f"<r:consentDocument>{encoded}</r:consentDocument></r:RegisterConsent>".encode()
    )
    assert registered.outcome == "ACCEPTED", registered.codes
    consent_id = etree.fromstring(document.document).findtext(f"{CONSENT}consentId") or ""
    clock.ahead += HOUR
    revoke_late(installation, document, clock())
    clock.ahead += RELOAD_INTERVAL
    cited = re.sub(
        rb"<r:consentDocument>.*</r:consentDocument>",
        f"<r:consentId>{consent_id}</r:consentId>".encode(),
        build_request(installation, document),
    )
    assert installation.ask(cited).outcome == "RELEASED"

    result = rejudge(makul, latest(makul))

    assert (result.code, [each["verdict"] for each in result.json]) == (0, ["same"]), result.out


def test_a_timestamped_consent_is_judged_again(
    installation: InProcessService, makul: CommandLine, clock: MovableClock
) -> None:
    """The material of its time-stamping authority comes from the archive as well."""
    document = installation.document("bank-00-data")
    stamped = add_timestamp(
        document.document, lambda octets: installation.world.stamping.stamp(octets, at=clock())
    )
    clock.ahead += HOUR
    revoke_late(installation, document, clock())
    clock.ahead += RELOAD_INTERVAL
    fields = about(installation.person_of(document), of=document.presented_by, document=document)
    answer = installation.ask(person_request(**(fields | {"ground": ("CONSENT", stamped)})))
    assert answer.outcome == "RELEASED", answer.codes
    for name in ("tsa", "intermediates", "crls"):
        shutil.rmtree(installation.settings.trust.anchors.with_name(name))

    result = rejudge(makul, latest(makul))

    assert (result.code, [each["verdict"] for each in result.json]) == (0, ["same"]), result.out


@pytest.mark.parametrize("name", ["bank-00-data", "bank-02-data"])
def test_missing_material_is_named(
    installation: InProcessService, makul: CommandLine, name: str
) -> None:
    """Exit code 3, and one line that names what to restore; never a verdict."""
    installation.ask(build_request(installation, installation.document(name)))
    released = latest(makul)
    archive = installation.settings.trust.archive
    assert archive is not None
    crls = sorted(archive.glob("*/*.crl"))
    assert crls
    for path in crls:
        path.unlink()

    result = rejudge(makul, released)

    assert (result.code, result.err) == (3, "")
    assert "the archive does not contain" in result.json["error"]["message"]
    crls[0].write_bytes(b"another")
    assert rejudge(makul, released).code == 3


@pytest.mark.parametrize("knows_the_keys", [False, True])
def test_tampered_evidence_is_found(
    installation: InProcessService, makul: CommandLine, *, knows_the_keys: bool
) -> None:
    """Exit code 1: the bytes are not those that were judged, even if encrypted like ours."""
    installation.ask(build_request(installation, installation.document("bank-00-data")))
    released = latest(makul)
    database = installation.settings.place
    with without_guards(database, "evidence") as connection:
        query = "SELECT recipient, digest FROM evidence"
        ((recipient, digest),) = connection.execute(query).fetchall()
        sealed = b"\x01" + bytes(200)
        if knows_the_keys:
            cipher = FieldCipher(StoreKeys.load(installation.settings.store.keys))
            sealed = cipher.encrypt(b"<other/>", evidence_associated_data(recipient, digest))
        connection.execute(f"UPDATE evidence SET sealed = {binary(database, sealed)}")  # noqa: S608

    result = rejudge(makul, released)

    assert result.code == 1, result.err
    (finding,) = result.json
    assert finding["verdict"] == "differs"
    assert "bytes are not those" in finding["where"][0]


def test_a_missing_document_is_reported(installation: InProcessService, makul: CommandLine) -> None:
    """Exit code 3: somebody removed it from the record."""
    installation.ask(build_request(installation, installation.document("bank-00-data")))
    released = latest(makul)
    with without_guards(installation.settings.place, "evidence") as connection:
        connection.execute("DELETE FROM evidence")

    result = rejudge(makul, released)

    assert (result.code, result.err) == (3, "")
    assert "backup of the database" in result.json["error"]["message"]


def test_every_document_is_judged_equally_again(
    installation: InProcessService, makul: CommandLine
) -> None:
    """The bank's good and bad documents get the same report each time."""
    bank_documents = [
        each for each in installation.world.documents.values() if each.presented_by.key == "bank"
    ]
    for document in bank_documents:
        installation.ask(build_request(installation, document))
    decisions = makul.run_json("disclosure", "list", "--limit", "10000")

    found = [rejudge(makul, each["disclosure_id"]) for each in decisions]

    assert len(found) > 20
    assert {result.code for result in found} == {0}, [result for result in found if result.code]
    documents = sum(len(result.json) for result in found)
    print(f"\n{documents} documents of {len(found)} decisions: the same")


def test_unknown_decision_is_reported(makul: CommandLine) -> None:
    """Exit code 3 for an unknown decision, 64 for a malformed id."""
    result = rejudge(makul, str(uuid4()))

    assert (result.code, result.err) == (3, "")
    assert "makul disclosure list" in result.json["error"]["message"]
    assert makul("document", "rejudge", "yesterday").code == 64

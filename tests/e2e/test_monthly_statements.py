"""Real decisions in a monthly statement: what was lawful is no exception (Procedure, cl. 11)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from makul.composition.adapters import utc_now
from makul.domain.months import month_before
from makul.ledger.signed_note import ED25519
from makul.store import StoreKeys
from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher
from makul.store.log.tile_files import LogDirectory
from makul.store.open import database_at
from makul.store.records.private_fields import encrypt_private, open_private
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_sandbox.data.pki import RevocationEntry
from makul_testing.builders.documents import valid
from makul_testing.cli_runner import CommandLine
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.leak_scanner import Secret
from makul_testing.raw_sql import binary, without_guards
from makul_testing.tlog.builder import ORIGIN, sequence

DISCLOSED = {"RELEASED", "MATCHED"}


@pytest.fixture
def installation(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, database=record_database)
    yield built
    built.close()


@pytest.fixture
def makul(installation: InProcessService) -> CommandLine:
    """Return the operator's command line, with a ledger whose checkpoint is published."""
    makul = installation.makul()
    new_key_file(makul.directory / "ledger.key", ORIGIN, ED25519)
    with (makul.directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    signer = NoteSigner.load(makul.directory / "ledger.key", ORIGIN)
    sequence(installation.store, signer, at=utc_now())
    signed = installation.store.ledger.latest()
    assert signed is not None
    LogDirectory(makul.directory / "log").write_checkpoint(signed.note)
    return makul


def ask_by_every_document(installation: InProcessService) -> int:
    """Ask for data by each document of the sandbox; return how many requests were answered."""
    disclosed = 0
    for document in installation.world.documents.values():
        person = installation.person_of(document)
        request = person_request(**about(person, of=document.presented_by, document=document))
        answer = installation.ask(request, by=document.presented_by.key)
        disclosed += answer.outcome in DISCLOSED
    return disclosed


def statements(makul: CommandLine, output: Path) -> list[etree._Element]:
    """Build drafts of this month, and return their heads."""
    month = month_before(utc_now()).following
    built = makul.run_json("month", "build", str(month), "--output", output, "--draft")
    assert built
    files = [Path(each["file"]) for each in built]
    assert makul("month", "verify", *files).code == 0
    for path in output.rglob("page-*.xml"):
        valid(path.read_bytes(), "month")
    return [valid(path.read_bytes(), "month") for path in files]


def exceptions(heads: list[etree._Element]) -> set[tuple[str | None, str | None]]:
    return {
        (found.findtext("{*}kind"), found.findtext("{*}fact"))
        for head in heads
        for found in head.iterfind("{*}exception")
    }


def test_lawful_disclosures_are_no_exceptions(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """The documents are read from the evidence as they were signed, consents and bases."""
    disclosed = ask_by_every_document(installation)

    heads = statements(makul, tmp_path / "months")

    assert disclosed > 5
    assert sum(int(head.findtext("{*}disclosures") or 0) for head in heads) == disclosed
    grounds = {key.text for head in heads for key in head.iterfind("{*}groundTotal/{*}key")}
    assert {"CONSENT", "BASIS"} <= grounds
    assert exceptions(heads) == set()
    text = "".join(path.read_text() for path in (tmp_path / "months").rglob("*.xml")).lower()
    for person in installation.world.people[:20]:
        forms = Secret("PIN", person.pin.digits).forms()
        assert [name for name, form in forms if form.lower() in text] == []


def test_altered_records_become_exceptions(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """A disclosure that did not happen as recorded does not fit its document."""
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    answer = installation.ask(
        person_request(**about(person, of=document.presented_by, document=document))
    )
    assert answer.outcome == "RELEASED"
    with without_guards(installation.settings.place, "disclosure") as connection:
        connection.execute(
            "UPDATE disclosure SET purpose = 'LOAN', released = '[\"fingerprintImages\"]'"
        )

    heads = statements(makul, tmp_path / "months")

    assert {
        ("OUT_OF_SCOPE", "GROUND_PURPOSE"),
        ("OUT_OF_SCOPE", "GROUND_ATTRIBUTE"),
    } <= exceptions(heads)
    listed = next(head.find("{*}exception") for head in heads if len(head.findall("{*}exception")))
    assert listed is not None
    assert UUID(listed.findtext("{*}disclosureId") or "")


def lose_the_archive(installation: InProcessService) -> None:
    """Remove every CRL that verdicts rested on."""
    archive = installation.settings.trust.archive
    assert archive is not None
    for crl in list(archive.rglob("*.crl")):
        crl.unlink()


def alter_the_archive(installation: InProcessService) -> None:
    archive = installation.settings.trust.archive
    assert archive is not None
    for certificate in archive.rglob("*.cer"):
        certificate.write_bytes(certificate.read_bytes()[:-1] + b"x")


def withdraw_the_anchor(installation: InProcessService) -> None:
    """Trust another root instead: it has the same name, and another key."""
    anchors = installation.settings.trust.anchors
    other = installation.world.look_alike.root.credential.certificate
    for file in list(anchors.iterdir()):
        file.unlink()
    (anchors / "other.pem").write_bytes(other.public_bytes(Encoding.PEM))


def revoke(installation: InProcessService, at: datetime) -> None:
    """Publish a CRL that names the citizen's certificate."""
    citizen = installation.document("bank-00-data").citizen
    certificate = installation.world.citizens[citizen].certificate
    crls = installation.world.hierarchy.crls([RevocationEntry(certificate=certificate, at=at)])
    for name, crl in crls.items():
        (installation.settings.trust.crls / name).write_bytes(crl)


def revoke_before(installation: InProcessService) -> None:
    revoke(installation, utc_now() - timedelta(days=1))


def revoke_afterwards(installation: InProcessService) -> None:
    revoke(installation, utc_now() + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lose_the_archive, {("NO_LONGER_PROVABLE", "PROOF_NOT_STORED")}),
        (alter_the_archive, {("NO_LONGER_PROVABLE", "PROOF_NOT_STORED")}),
        (withdraw_the_anchor, {("NO_LONGER_PROVABLE", "ANCHOR_NOT_TRUSTED")}),
        (revoke_before, {("NO_LONGER_PROVABLE", "CERTIFICATE_REVOKED")}),
        (revoke_afterwards, set()),
    ],
)
def test_a_ground_that_was_valid_then_must_be_provable_now(
    installation: InProcessService,
    makul: CommandLine,
    tmp_path: Path,
    change: Callable[[InProcessService], None],
    expected: set[tuple[str, str]],
) -> None:
    """A revocation that took effect after the decision takes nothing from it."""
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    answer = installation.ask(
        person_request(**about(person, of=document.presented_by, document=document))
    )
    assert answer.outcome == "RELEASED"

    change(installation)

    assert exceptions(statements(makul, tmp_path / "months")) == expected


def test_an_altered_report_proves_nothing(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """An attacker with the keys of the store writes a report to which no leaf commits."""
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    installation.ask(person_request(**about(person, of=document.presented_by, document=document)))
    place = installation.settings.place
    keys = StoreKeys.load(installation.settings.store.keys)
    cipher = FieldCipher(keys, Compressor(database_at(place)))
    with without_guards(place, "disclosure") as connection:
        ((identifier, sealed),) = connection.execute(
            "SELECT disclosure_id, sealed FROM disclosure"
        ).fetchall()
        private = open_private(cipher, bytes(identifier), bytes(sealed))
        ((digest, report),) = private.reports
        forged = replace(private, reports=((digest, report + b" "),))
        changed = encrypt_private(cipher, bytes(identifier), forged)
        connection.execute(f"UPDATE disclosure SET sealed = {binary(place, changed)}")  # noqa: S608

    heads = statements(makul, tmp_path / "months")

    assert exceptions(heads) == {("NO_LONGER_PROVABLE", "REPORT_NOT_STORED")}

"""`makul document verify`: the report, offline, for people and for programs."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from makul.app.ports import NamedParty, NoticeApproval
from makul.documents import XmlDocuments
from makul.documents.notices import render_approval
from makul.domain.identifiers import MemberCode
from makul.trust.xades.signing import add_timestamp, sign_document
from makul_sandbox.data.citizens import MINOR, PARENT
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_testing.builders.documents import RECEIPT
from makul_testing.builders.xades import Forge
from makul_testing.cli_runner import CommandLine, CommandResult
from makul_testing.in_process_service import InProcessService, build_installation
from makul_testing.pki.authorities import (
    DAY,
    NOW,
    Authority,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
)

PAPER = "bank-01-data"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> InProcessService:
    return build_installation(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("A Root")


@pytest.fixture
def files(tmp_path: Path, root: Authority) -> StoreFiles:
    return StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])


@pytest.fixture
def anywhere(tmp_path: Path) -> CommandLine:
    """Change to a directory without an installation and without makul.toml."""
    return CommandLine(tmp_path / "nowhere")


def write_document(directory: Path, document: bytes) -> Path:
    path = directory / "document.xml"
    path.write_bytes(document)
    return path


def verify(makul: CommandLine, file: Path, files: StoreFiles, *more: str | Path) -> CommandResult:
    directories = ("--anchors", files.anchors, "--crl", files.crls)
    return makul("document", "verify", file, *directories, "--at", NOW.isoformat(), *more)


def test_valid_document_passes(
    anywhere: CommandLine, files: StoreFiles, root: Authority, tmp_path: Path
) -> None:
    """The command works offline, exits with 0, and prints every check."""
    file = write_document(tmp_path, Forge(holder=root.issue()).signed())

    result = verify(anywhere, file, files)

    assert result.code == 0, result.err
    assert "TOTAL-PASSED" in result.out
    assert "cryptographic-constraints" in result.out
    assert verify(anywhere, file, files, "--json").json["indication"] == "TOTAL-PASSED"


def test_changed_document_fails(
    anywhere: CommandLine, files: StoreFiles, root: Authority, tmp_path: Path
) -> None:
    """Exit code 1: the document was changed after it was signed."""
    changed = Forge(holder=root.issue()).signed().replace(b"OPENING", b"CLOSING")

    result = verify(anywhere, write_document(tmp_path, changed), files, "--json")

    assert result.code == 1
    assert result.json["subIndication"] == "HASH_FAILURE"


def test_missing_revocation_data_are_indeterminate(
    anywhere: CommandLine, files: StoreFiles, root: Authority, tmp_path: Path
) -> None:
    """Exit code 2: CRLs are missing, or the certificate has ended."""
    file = write_document(tmp_path, Forge(holder=root.issue()).signed())
    ended = Forge(holder=root.issue(Profile(not_after=NOW - DAY))).signed()

    at = ("--at", NOW.isoformat(), "--json")
    without = anywhere("document", "verify", file, "--anchors", files.anchors, *at)
    late = verify(anywhere, write_document(tmp_path, ended), files, "--json")

    assert (without.code, without.json["subIndication"]) == (2, "TRY_LATER")
    assert (late.code, late.json["subIndication"]) == (2, "OUT_OF_BOUNDS_NO_POE")


def test_proof_of_existence_counts(anywhere: CommandLine, tmp_path: Path, root: Authority) -> None:
    """An auditor who can prove since when the file existed states the time."""
    since = NOW - 10 * DAY
    issued_then = root.crl(this_update=since + DAY, next_update=since + 3 * DAY)
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[issued_then, root.crl()])
    holder = root.issue(Profile(not_after=NOW - DAY))
    signed = Forge(holder=holder, signing_time=since.strftime("%Y-%m-%dT%H:%M:%SZ")).signed()

    result = verify(
        anywhere,
        write_document(tmp_path, signed),
        files,
        "--existed-at",
        since.isoformat(),
        "--json",
    )

    assert (result.code, result.json["times"]["proofOfExistence"]["source"]) == (0, "held")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--at", "yesterday"],
        ["--at", "2026-11-22T12:00:00"],
        ["--at", "9999-12-31T23:59:59-10:00"],
        ["--existed-at", "12:00"],
        ["--profile", "letter"],
        ["--frobnicate"],
    ],
)
def test_usage_error_has_its_own_exit_code(
    anywhere: CommandLine, files: StoreFiles, tmp_path: Path, arguments: list[str]
) -> None:
    """The exit code is 64 and one line is printed, because 2 would mean "indeterminate"."""
    result = anywhere(
        "document",
        "verify",
        write_document(tmp_path, b"<a/>"),
        "--anchors",
        files.anchors,
        *arguments,
    )

    assert (result.code, result.out, result.err.count("\n")) == (64, "", 1)


def test_a_file_is_missing_from_the_command(anywhere: CommandLine) -> None:
    """The exit code is 64 as well."""
    assert anywhere("document", "verify").code == 64
    assert anywhere("document", "frobnicate").code == 64
    unknown = anywhere("document", "--frobnicate")
    assert (unknown.code, unknown.out, unknown.err.count("\n")) == (64, "", 1)
    assert anywhere("document", "--help").code == 0
    assert "verify" in anywhere("document").out + anywhere("document").err


def test_unusable_file_is_an_error(
    anywhere: CommandLine, files: StoreFiles, tmp_path: Path, root: Authority
) -> None:
    """The exit code is 3, with one line that says what to do: never a verdict or a traceback."""
    file = write_document(tmp_path, Forge(holder=root.issue()).signed())
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "root.pem").write_text("not a certificate")
    runs = [
        ("document", "verify", tmp_path / "nothing.xml", "--anchors", files.anchors),
        ("document", "verify", tmp_path, "--anchors", files.anchors),
        ("document", "verify", file),
        ("document", "verify", file, "--anchors", tmp_path / "nothing"),
        ("document", "verify", file, "--anchors", tmp_path / "broken"),
        ("document", "verify", file, "--anchors", files.anchors, "--crl", tmp_path / "nothing"),
        ("document", "verify", file, "--anchors", files.anchors, "--tsa-anchors", file),
    ]
    for run in runs:
        result = anywhere(*run)
        assert (result.code, result.out, result.err.count("\n")) == (3, "", 1), run


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (b"", (1, "FORMAT_FAILURE")),
        (b"<a/>", (1, "FORMAT_FAILURE")),
        (b"\0", (2, "SIG_CONSTRAINTS_FAILURE")),
        (b"x" * 3_000_000, (2, "SIG_CONSTRAINTS_FAILURE")),
    ],
    ids=["empty", "unsigned", "a null", "3 MB"],
)
def test_any_file_gets_a_report(
    anywhere: CommandLine,
    files: StoreFiles,
    tmp_path: Path,
    document: bytes,
    answer: tuple[int, str],
) -> None:
    """A file that is no signed XML gets a report, with the digest of the whole file."""
    result = verify(anywhere, write_document(tmp_path, document), files, "--json")

    assert (result.code, result.json["subIndication"]) == answer
    assert result.json["evidence"]["document"] == sha256(document).hexdigest()


def test_message_names_the_documents_of_a_profile(
    anywhere: CommandLine, files: StoreFiles, tmp_path: Path
) -> None:
    """The message for a PDF names the documents of the profile, and none of our classes."""
    result = verify(anywhere, write_document(tmp_path, b"%PDF-1.7"), files, "--profile", "generic")

    assert "one enveloped XAdES signature" in " ".join(result.out.split())
    assert "Error" not in result.out + result.err


def test_crls_of_other_authorities_cause_no_notice(
    anywhere: CommandLine, files: StoreFiles, root: Authority, tmp_path: Path
) -> None:
    """An auditor has a directory of all CRLs."""
    other = Authority.root("Another Root")
    (files.crls / "other.crl").write_bytes(other.crl())

    result = verify(anywhere, write_document(tmp_path, Forge(holder=root.issue()).signed()), files)

    assert (result.code, result.err) == (0, "")


def test_crls_of_time_stamping_authorities_are_read(
    anywhere: CommandLine, tmp_path: Path, root: Authority
) -> None:
    """They may lie separately: --tsa-crl, for the authorities of --tsa-anchors."""
    tsa = Authority.root("A TSA Root")
    stamping = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
    usage = key_usage("digital_signature")
    responder = tsa.issue(Profile(subject=name_of("A TSA"), usage=usage, extra=[stamping]))
    stamps = StampingAuthority(key=responder.key, certificate=responder.certificate)
    files = StoreFiles(tmp_path / "own").write(anchors=[root], crls=[root.crl()])
    theirs = StoreFiles(tmp_path / "tsa").write(anchors=[tsa], crls=[tsa.crl()])
    signed = add_timestamp(
        Forge(holder=root.issue()).signed(), lambda octets: stamps.stamp(octets, at=NOW)
    )
    file = write_document(tmp_path, signed)
    anchors = ("--tsa-anchors", theirs.anchors)

    without = verify(anywhere, file, files, *anchors, "--json")
    with_crl = verify(anywhere, file, files, *anchors, "--tsa-crl", theirs.crls, "--json")
    alone = verify(anywhere, file, files, "--tsa-crl", theirs.crls)

    assert without.json["evidence"]["timestamps"][0]["reason"] == "SIG-07"
    assert with_crl.json["evidence"]["timestamps"][0]["reason"] is None, with_crl.json
    assert (alone.code, alone.err.count("\n")) == (3, 1)


@pytest.mark.parametrize("name", ["anchors", "crls", "ocsp"])
def test_unreadable_material_is_an_error(
    anywhere: CommandLine, files: StoreFiles, root: Authority, tmp_path: Path, name: str
) -> None:
    """The exit code is 3, with one line in words: no class names and no parser's text."""
    (tmp_path / "ocsp").mkdir()
    broken = {"anchors": files.anchors, "crls": files.crls, "ocsp": tmp_path / "ocsp"}[name]
    suffix = {"anchors": "broken.crt", "crls": "broken.crl", "ocsp": "broken.ors"}[name]
    (broken / suffix).write_bytes(b"\x30\x03\x02\x01\x01")
    file = write_document(tmp_path, Forge(holder=root.issue()).signed())

    result = verify(anywhere, file, files, "--ocsp", tmp_path / "ocsp")

    assert (result.code, result.out, result.err.count("\n")) == (3, "", 1)
    assert suffix in result.err
    assert not re.search(r"[A-Z][a-z]+Error|ParseError|asn1|\bkind\b", result.err)


def test_a_consent_is_verified_by_the_settings(
    installation: InProcessService, tmp_path: Path
) -> None:
    """The settings' trust directories count, and the signer must be the consent's subject."""
    makul = CommandLine(installation.settings.store.database.parent)
    file = write_document(tmp_path, installation.document(PAPER).document)

    result = makul("document", "verify", file, "--profile", "consent", "--json")
    receipt = makul("document", "verify", file, "--profile", "receipt", "--json")

    assert (result.code, result.json["reason"]) == (0, None), result.json
    assert result.json["checks"][-1]["verdict"] == "passed"
    assert (receipt.code, receipt.json["reason"]) == (2, "REQ-01")


def test_a_stored_receipt_is_verified(installation: InProcessService, tmp_path: Path) -> None:
    """A recipient or an auditor verifies a stored receipt with the same command."""
    makul = CommandLine(installation.settings.store.database.parent)
    unsigned = XmlDocuments(RECEIPT.operator).receipt(RECEIPT)
    file = write_document(
        tmp_path, installation.parts.signer.sign(unsigned, at=installation.clock())
    )

    result = makul("document", "verify", file, "--profile", "receipt", "--json")

    assert result.code == 0, result.json
    assert result.json["profile"] == "receipt"


def test_a_consent_signed_by_another_person_fails(
    installation: InProcessService, tmp_path: Path
) -> None:
    """SIG-08: a good signature of a good certificate is not the subject's."""
    makul = CommandLine(installation.settings.store.database.parent)
    content = installation.parts.verifier.verify(
        installation.document(PAPER).document, at=installation.clock()
    ).signed
    assert content is not None
    another = installation.world.citizens[7]
    signed = sign_document(
        etree.tostring(content), another.key, [another.certificate], at=installation.clock()
    )

    result = makul(
        "document", "verify", write_document(tmp_path, signed), "--profile", "consent", "--json"
    )

    assert (result.code, result.json["reason"]) == (2, "SIG-08")
    assert result.json["subIndication"] == "SIG_CONSTRAINTS_FAILURE"


@pytest.mark.parametrize(("signer", "code"), [("parent", 0), ("child", 2), ("stranger", 2)])
def test_a_consent_by_a_representative_is_verified(
    installation: InProcessService, tmp_path: Path, signer: str, code: int
) -> None:
    """CNS-11, SIG-08: the representative's is the one signature that counts."""
    makul = CommandLine(installation.settings.store.database.parent)
    document = installation.document("represented").document
    content = installation.parts.verifier.verify(document, at=installation.clock()).signed
    assert content is not None
    by = installation.world.citizens[{"parent": PARENT, "child": MINOR, "stranger": 7}[signer]]
    signed = sign_document(
        etree.tostring(content), by.key, [by.certificate], at=installation.clock()
    )

    result = makul(
        "document", "verify", write_document(tmp_path, signed), "--profile", "consent", "--json"
    )

    assert (result.code, result.json["reason"]) == (code, "SIG-08" if code else None)


BODY = NamedParty(code=MemberCode("GOV/00000009"), name="Body")
APPROVAL = NoticeApproval(
    authorised_body=BODY,
    ref="TEST-NOTICE/1",
    digests={"ky": b"k" * 32, "ru": b"r" * 32, "en": b"e" * 32},
)


@pytest.mark.parametrize("profile", ["agreement", "notice"])
def test_agreements_and_approvals_are_verified(
    installation: InProcessService,
    anywhere: CommandLine,
    files: StoreFiles,
    root: Authority,
    profile: str,
) -> None:
    """The document is checked by its own schema: another one, or a part, is another document."""
    documents = {
        "agreement": installation.store.registry.draft_document(installation.bank.agreement) or b"",
        "notice": render_approval(APPROVAL),
    }
    own = documents.pop(profile)
    (other,) = documents.values()
    opening = own.partition(b"?>")[2].lstrip() or own
    tag = etree.fromstring(opening)
    stump = f'<{etree.QName(tag).localname} xmlns="{etree.QName(tag).namespace}"/>'.encode()
    holder, found = root.issue(), []
    for content in (own, other, stump):
        signed = sign_document(content, holder.key, holder.chain, at=NOW)
        file = write_document(files.root, signed)
        result = verify(anywhere, file, files, "--profile", profile, "--json")
        found.append((result.code, result.json["reason"]))

    assert found == [(0, None), (2, "REQ-01"), (2, "REQ-01")]

"""Real decisions in an evidence file: it is built, verified offline, and refused when altered."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from makul.composition.adapters import utc_now
from makul.domain.monthly_statements import ExceptionFact
from makul.ledger.signed_note import ED25519
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_testing.builders.documents import valid
from makul_testing.builders.messages import signed_message
from makul_testing.cli_runner import CommandLine, CommandResult
from makul_testing.containers import a_container
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.leak_scanner import Secret
from makul_testing.pki.authorities import Holder
from makul_testing.pki.tsa import answer_queries
from makul_testing.raw_sql import raw, without_guards
from makul_testing.servers.crl_ocsp import run_publisher
from makul_testing.tlog.builder import ORIGIN, sequence

BANK = "COM/60000001"
PERIOD = ("--from", "2026-10-01", "--to", "2030-01-01")


@pytest.fixture
def installation(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, database=record_database)
    yield built
    built.close()


@pytest.fixture
def makul(installation: InProcessService) -> CommandLine:
    return with_ledger(installation)


def with_ledger(installation: InProcessService) -> CommandLine:
    """Return the operator's command line, with a ledger."""
    makul = installation.makul()
    new_key_file(makul.directory / "ledger.key", ORIGIN, ED25519)
    with (makul.directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    return makul


def publish(installation: InProcessService, makul: CommandLine) -> None:
    """Sequence all that waits and publish the checkpoint, as `makul ledger run` does."""
    signer = NoteSigner.load(makul.directory / "ledger.key", ORIGIN)
    sequence(installation.store, signer, at=utc_now())
    signed = installation.store.ledger.latest()
    assert signed is not None
    LogDirectory(makul.directory / "log").write_checkpoint(signed.note)


def ask_by_every_document(installation: InProcessService) -> None:
    """Ask for data by each document of the sandbox."""
    for document in installation.world.documents.values():
        person = installation.person_of(document)
        request = person_request(**about(person, of=document.presented_by, document=document))
        installation.ask(request, by=document.presented_by.key)


@contextmanager
def time_stamping(installation: InProcessService, makul: CommandLine) -> Iterator[None]:
    """Run the sandbox's time-stamping authority, and name it in the settings."""
    world = installation.world
    config = makul.directory / "makul.toml"
    with run_publisher() as published:
        published.at["/tsa"] = answer_queries(world.stamping, utc_now)
        text = config.read_text()
        config.write_text(
            text.replace("tsa_anchors", f'tsa_url = "{published.url}/tsa"\ntsa_anchors', 1)
        )
        yield


def build(makul: CommandLine, out: Path, *options: str) -> Any:
    return makul.run_json(
        *("case", "build", BANK, *PERIOD, "--out", out, "--reason", "data without consent"),
        *options,
    )


def verify_without_settings(makul: CommandLine, file: Path, *options: str | Path) -> CommandResult:
    """Verify in a directory in which there is no installation."""
    elsewhere = CommandLine(file.parent / "elsewhere")
    elsewhere.directory.mkdir(exist_ok=True)
    return elsewhere("case", "verify", file, *options)


def release(installation: InProcessService) -> None:
    """Give data to the bank by a consent."""
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    answer = installation.ask(
        person_request(**about(person, of=document.presented_by, document=document))
    )
    assert answer.outcome == "RELEASED"


def refuse(installation: InProcessService) -> None:
    """Refuse a request of the bank; it obtained nothing."""
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    request = about(person, of=document.presented_by, document=document)
    answer = installation.ask(person_request(**{**request, "purpose": "OTHER"}))
    assert answer.outcome == "REFUSED"


def misuse(installation: InProcessService) -> None:
    """Delete the consent under a disclosure, as if data had been given without one."""
    with without_guards(installation.settings.place, "ground_use") as connection:
        connection.execute("DELETE FROM ground_use")


def rebuilt(
    installation: InProcessService, case: Path, change: Callable[[dict[str, bytes]], None]
) -> Path:
    """Return a case with other files, signed again by the operator's own key."""
    with zipfile.ZipFile(case) as archive:
        files = {
            name: archive.read(name)
            for name in archive.namelist()
            if name != "mimetype" and not name.startswith("META-INF/")
        }
    change(files)
    operator = installation.world.operator
    holder = Holder(operator.key, operator.certificate)
    typed = {name: ("text/xml", content) for name, content in files.items()}
    other = case.with_name("other.asice")
    other.write_bytes(a_container(holder, typed, at=utc_now()))
    return other


def one(files: dict[str, bytes], pattern: str) -> str:
    """Return the first name that ends so."""
    return next(name for name in sorted(files) if name.endswith(pattern))


def two_requests(files: dict[str, bytes]) -> list[str]:
    """Return the names of the two requests."""
    return sorted(name for name in files if name.endswith("request.xml"))


def swapped(files: dict[str, bytes]) -> list[bytes]:
    """Return the contents of the two requests, the second first."""
    return [files[name] for name in reversed(two_requests(files))]


def test_a_case_is_verified_after_the_database_is_deleted(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """Level LT: the reader needs the file, anchors and nothing else."""
    ask_by_every_document(installation)
    publish(installation, makul)
    out = tmp_path / "case.asice"
    with time_stamping(installation, makul):
        built = build(makul, out, "--all")
    assert (built["level"], built["why"], built["missing_trust"]) == ("B-LT", None, 0)
    assert built["included"] == built["decisions"] > 20
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in ("anchors", "tsa/anchors", "receipts.cert.pem", "ledger.key.pub"):
        target = kept / name.replace("/", "-")
        (shutil.copytree if (makul.directory / name).is_dir() else shutil.copy)(
            makul.directory / name, target
        )
    installation.close()
    for path in makul.directory.iterdir():
        if path not in (out, kept):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    unnamed = verify_without_settings(makul, out)
    assert (unnamed.code, "--certificate" in unnamed.err) == (3, True)
    for options in (
        ("--certificate", kept / "receipts.cert.pem", "--log-key", kept / "ledger.key.pub"),
        ("--anchors", kept / "anchors", "--tsa-anchors", kept / "tsa-anchors"),
    ):
        verified = verify_without_settings(makul, out, *options, "--json")
        assert verified.code == 0, verified.err
        found = json.loads(verified.out)
        assert (found["result"], found["included"]) == ("PASSED", built["included"])


def test_only_exceptions_are_included_by_default(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """A lawful disclosure is in no case, and one without its consent is, with every rule."""
    release(installation)
    publish(installation, makul)
    assert build(makul, tmp_path / "lawful.asice")["included"] == 0
    misuse(installation)

    built = build(makul, tmp_path / "case.asice")

    assert (built["included"], built["exceptions"]) == (1, ["NO_GROUND 1"])
    with zipfile.ZipFile(tmp_path / "case.asice") as archive:
        names = archive.namelist()
        case, timeline = archive.read("case.xml"), archive.read("timeline.xml")
        decision = archive.read(next(name for name in names if name.endswith("decision.xml")))
        page = archive.read("timeline.html").decode()
    for document in (case, timeline, decision):
        valid(document, "case")
    rules = {
        rule.findtext("{*}fact"): rule.findtext("{*}result")
        for rule in etree.fromstring(decision).iterfind("{*}rule")
    }
    assert rules["GROUND_NOT_REGISTERED"] == "EXCEPTION"
    assert rules["MORE_USES_THAN_ALLOWED"] == "NOT_JUDGED"
    assert rules["GROUND_PURPOSE"] == "FITS"
    assert {fact.value for fact in ExceptionFact} == rules.keys()
    assert "NO_GROUND:GROUND_NOT_REGISTERED" in page
    assert "<script" not in page


def test_a_case_has_no_data_beyond_its_documents(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """The PIN is only in documents and statements; no value of the register is in the file."""
    release(installation)
    publish(installation, makul)
    out = tmp_path / "case.asice"
    build(makul, out, "--all")
    person = installation.person_of(installation.document("bank-00-data"))
    forms = Secret("PIN", person.pin.digits).forms()
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            content = archive.read(name).decode("utf-8", "replace").lower()
            if name.startswith("documents/") or name.endswith("request.xml"):
                continue
            for form, text in forms:
                is_statement = name.endswith("decision.xml") and "base64" in form.lower()
                assert is_statement or text.lower() not in content, (name, form)


def test_a_case_contains_the_requests_as_they_were_signed(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """The recipient's own signature shows that it asked, to the byte (Procedure, cl. 12)."""
    document = installation.document("bank-00-data")
    person = installation.person_of(document)
    holder = installation.world.messages["bank"]
    child = person_request(**about(person, of=document.presented_by, document=document))
    message = signed_message(child, holder.key, holder.certificate, at=utc_now())
    assert installation.post(message).outcome == "RELEASED"
    refuse(installation)
    publish(installation, makul)

    build(makul, tmp_path / "case.asice", "--all")

    with zipfile.ZipFile(tmp_path / "case.asice") as archive:
        requests = [name for name in archive.namelist() if name.endswith("request.xml")]
        assert [archive.read(name) for name in requests] == [message]
        counted = etree.fromstring(archive.read("case.xml")).iterfind("{*}content")
        files = {each.findtext("{*}kind"): each.findtext("{*}files") for each in counted}
    assert (files["REQUEST"], files["RECEIPT"]) == ("1", "2")
    assert makul("case", "verify", tmp_path / "case.asice").code == 0


def test_a_stored_request_that_was_altered_is_missing_in_a_case(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """The case says that something is missing. It never contains what does not decrypt."""
    release(installation)
    publish(installation, makul)
    assert build(makul, tmp_path / "before.asice", "--all")["missing_documents"] == 0
    with without_guards(installation.settings.place, "request_message") as connection:
        connection.execute("UPDATE request_message SET sealed = substr(sealed, 1, 400)")

    built = build(makul, tmp_path / "case.asice", "--all")

    assert built["missing_documents"] == 1
    assert makul("case", "verify", tmp_path / "case.asice").code == 0


def test_a_preview_writes_nothing_and_is_recorded(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """A preview is a look at decisions, so it needs a reason as well."""
    release(installation)
    publish(installation, makul)
    misuse(installation)
    ask = ("case", "build", BANK, *PERIOD, "--reason", "a complaint")

    preview = makul.run_json(*ask, "--preview")

    assert (preview["decisions"], preview["included"]) == (1, 1)
    assert preview["exceptions"] == ["NO_GROUND 1"]
    build(makul, tmp_path / "case.asice")
    with raw(installation.settings.place) as connection:
        logged = connection.execute(
            "SELECT action, target FROM desk_log WHERE action = 'case.build'"
        ).fetchall()
    assert [tuple(row) for row in logged] == [("case.build", BANK)] * 2


REFUSED = {
    "no file": (("--reason", "x"), "--out"),
    "no reason": (("--preview", "--reason", " "), "--reason"),
    "markup in the reason": (("--preview", "--reason", "<b>"), "--reason"),
}


@pytest.mark.parametrize(("options", "named"), REFUSED.values(), ids=REFUSED)
def test_a_case_without_what_it_needs_is_not_built(
    makul: CommandLine, options: tuple[str, ...], named: str
) -> None:
    result = makul("case", "build", BANK, *PERIOD, *options)
    assert (result.code, named in result.err) == (1, True)


def test_an_empty_period_is_refused(makul: CommandLine) -> None:
    days = ("--from", "2026-11-01", "--to", "2026-11-01")
    result = makul("case", "build", BANK, *days, "--reason", "x", "--preview")
    assert (result.code, "--to" in result.err) == (1, True)


def test_an_unpublished_decision_is_not_proven(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """Every decision of a case has its proof, or there is no file."""
    publish(installation, makul)
    release(installation)
    out = tmp_path / "case.asice"

    result = makul("case", "build", BANK, *PERIOD, "--reason", "x", "--out", out, "--all")

    assert (result.code, "makul ledger run" in result.err) == (1, True)
    assert list(tmp_path.glob("*case.asice*")) == []


def test_a_file_is_never_replaced(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    release(installation)
    publish(installation, makul)
    out = tmp_path / "case.asice"
    out.write_bytes(b"kept")
    result = makul("case", "build", BANK, *PERIOD, "--reason", "x", "--out", out)
    assert (result.code, out.read_bytes()) == (1, b"kept")


Files = dict[str, bytes]
CHANGES: dict[str, tuple[Callable[[Files], None], str]] = {
    "another outcome": (
        lambda files: files.update(
            {
                name: files[name].replace(b">RELEASED<", b">REFUSED<")
                for name in [one(files, "decision.xml")]
            }
        ),
        "FACTS_DIFFER",
    ),
    "another proof": (
        lambda files: files.update(
            {
                name: files[name].replace(b"<index>", b"<index>1")
                for name in [one(files, "decision.xml")]
            }
        ),
        "PROOF_INVALID",
    ),
    "no receipt": (lambda files: files.pop(one(files, "receipt.xml")) and None, "MISSING_FILE"),
    "an altered receipt": (
        lambda files: files.update(
            {
                name: files[name].replace(b">RELEASED<", b">REFUSED<")
                for name in [one(files, "receipt.xml")]
            }
        ),
        "RECEIPT_SIGNATURE",
    ),
    "an altered request": (
        lambda files: files.update(
            {
                name: files[name].replace(b"surname", b"address", 1)
                for name in [one(files, "request.xml")]
            }
        ),
        "REQUEST_SIGNATURE",
    ),
    "no XML as a request": (
        lambda files: files.update({one(files, "request.xml"): b"<!DOCTYPE a><a/>"}),
        "REQUEST_SIGNATURE",
    ),
    "the request of another decision": (
        lambda files: files.update(dict(zip(two_requests(files), swapped(files), strict=True))),
        "REQUEST_DIFFERS",
    ),
    "a request without its decision": (
        lambda files: files.update(
            {
                "decisions/00000000-0000-4000-8000-000000000000/request.xml": files[
                    one(files, "request.xml")
                ]
            }
        ),
        "CONTENTS_DIFFER",
    ),
    "an altered document": (
        lambda files: files.update({next(n for n in files if n.startswith("documents/")): b"<a/>"}),
        "DIGEST_DIFFERS",
    ),
    "an altered report": (
        lambda files: files.update({one(files, "report-1.json"): b"{}"}),
        "REPORT_DIFFERS",
    ),
    "a missing document": (
        lambda files: files.pop(next(n for n in files if n.startswith("documents/"))) and None,
        "DOCUMENTS_DIFFER",
    ),
    "another checkpoint": (
        lambda files: files.update({"checkpoint.txt": b"x\n1\n\n"}),
        "CHECKPOINT_INVALID",
    ),
    "no head": (lambda files: files.pop("case.xml") and None, "MISSING_FILE"),
    "another head": (lambda files: files.update({"case.xml": b"<Case/>"}), "HEAD_MALFORMED"),
    "a file that no kind has": (lambda files: files.update({"x.xml": b"<a/>"}), "UNKNOWN_FILE"),
    "one act fewer": (
        lambda files: files.pop(next(n for n in files if n.startswith("acts/"))) and None,
        "CONTENTS_DIFFER",
    ),
    "an act with another number": (
        lambda files: files.update(
            {"acts/99999.xml": files.pop(next(n for n in files if n.startswith("acts/")))}
        ),
        "FACTS_DIFFER",
    ),
    "trust data under another digest": (
        lambda files: files.update({f"trust/{'0' * 64}.crl": b"x"}),
        "DIGEST_DIFFERS",
    ),
}


@pytest.fixture(scope="module")
def a_case(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[InProcessService, CommandLine, Path]]:
    """Build one case with two decisions, for the tests that change it."""
    directory = tmp_path_factory.mktemp("case")
    installation = build_installation(directory)
    makul = with_ledger(installation)
    for _ in range(2):
        release(installation)
    publish(installation, makul)
    build(makul, directory / "case.asice", "--all")
    yield installation, makul, directory / "case.asice"
    installation.close()


@pytest.mark.parametrize(("change", "finding"), CHANGES.values(), ids=CHANGES)
def test_a_case_that_contradicts_itself_is_refused(
    a_case: tuple[InProcessService, CommandLine, Path],
    change: Callable[[Files], None],
    finding: str,
) -> None:
    """Even the operator's own signature does not make such a file whole."""
    installation, makul, case = a_case

    result = makul("case", "verify", rebuilt(installation, case, change))

    assert (result.code, finding in result.err) == (1, True), result.err


def test_a_request_that_another_signed_is_refused(
    a_case: tuple[InProcessService, CommandLine, Path],
) -> None:
    """A request under the signature of another recipient does not show who asked."""
    installation, makul, case = a_case
    other = installation.world.messages["notary"]

    def sign_again(files: Files) -> None:
        name = one(files, "request.xml")
        (child,) = etree.fromstring(files[name])[1]
        request = etree.tostring(child, method="c14n", exclusive=True)
        files[name] = signed_message(request, other.key, other.certificate, at=utc_now())

    result = makul("case", "verify", rebuilt(installation, case, sign_again))

    assert (result.code, "REQUEST_DIFFERS" in result.err) == (1, True), result.err


def test_a_case_signed_again_without_a_change_passes(
    a_case: tuple[InProcessService, CommandLine, Path],
) -> None:
    """The cases above differ from this one only by their change."""
    installation, makul, case = a_case
    assert makul("case", "verify", rebuilt(installation, case, lambda _: None)).code == 0


def test_another_log_key_refuses_a_case(
    a_case: tuple[InProcessService, CommandLine, Path], tmp_path: Path
) -> None:
    """A reader with a key of another ledger is not shown this one."""
    _, makul, case = a_case
    new_key_file(tmp_path / "other.key", ORIGIN, ED25519)
    result = makul("case", "verify", case, "--log-key", tmp_path / "other.key.pub")
    assert (result.code, "CHECKPOINT_INVALID" in result.err) == (1, True)


def test_statements_of_the_period_are_included(
    installation: InProcessService, makul: CommandLine, tmp_path: Path
) -> None:
    """A directory without a statement of the period is an error and not an empty case."""
    release(installation)
    publish(installation, makul)
    ask = ("case", "build", BANK, *PERIOD, "--reason", "x", "--out", tmp_path / "case.asice")
    result = makul(*ask, "--months", tmp_path)
    assert (result.code, str(tmp_path) in result.err) == (1, True)

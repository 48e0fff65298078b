"""Output files are checked before a request is sent, and never lose a disclosure.

The command runs as a separate program, because the test is about what the system gives it.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from makul_client._internal.wsse import utc_now
from makul_client.cli.exit_codes import ExitCode
from makul_client.cli.output_files import ReservedFile, write_new
from makul_client.consent.documents import ConsentContent, Subject, draft, sign
from makul_client.errors import OutputError
from makul_client.profile import Profile
from makul_testing.client.world import NOW, PIN, SURNAME, parties, write_profile
from makul_testing.processes.program import ClientProgram, run_program
from makul_testing.servers.fake_service import (
    PERSON,
    FakeOperator,
    FakeService,
    ReceivedRequest,
    Reply,
    hang_up,
    run_fake_service,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")

PROGRAM = "import sys; from makul_client.cli.main import main; sys.exit(main())"
NARROW = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""An ASCII locale, which Python does not correct by itself."""


@pytest.fixture(scope="module")
def consent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("consent")
    profile = Profile.load(write_profile(folder, "https://makul.example/"))
    wish = ConsentContent(
        subject=Subject(pin=PIN, surname=SURNAME, given_name="Тест"),
        attributes=("pin", "surname", "birthDate"),
        valid_from=NOW,
        valid_to=NOW + timedelta(days=365),
    )
    file = folder / "consent.xml"
    file.write_bytes(sign(profile, draft(profile, wish, given_at=NOW), parties().citizen))
    return file


def released(**changes: Any) -> Reply:
    """Return a disclosure of the present time, because the command line's clock cannot be set."""

    def reply(request: ReceivedRequest) -> tuple[int, bytes]:
        at = utc_now().replace(microsecond=0)
        fields = {"person": PERSON, **changes}
        return FakeOperator(parties().operator, at).decide("RELEASED", **fields)(request)

    return reply


class OperatorRegistry:
    """A recipient's machine at a service."""

    def __init__(self, folder: Path, consent: Path, service: FakeService) -> None:
        self.service, self.consent = service, consent
        self.profile = write_profile(folder, service.url, extra="[retry]\nattempts = 1")

    def words(self, *words: object, command: str = "get") -> list[str]:
        arguments = [command, "--consent", self.consent, "--document-number", "ID0000001"]
        return [sys.executable, "-c", PROGRAM, *map(str, [*arguments, "-p", self.profile, *words])]

    def run(
        self,
        *words: object,
        command: str = "get",
        environ: Mapping[str, str] | None = None,
        redirection: str = "",
        **options: Any,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run the command; `redirection` is what a shell does to its descriptors.

        What a process takes over when it starts, a locale or closed descriptors, needs a start.
        """
        argv = self.words(*words, command=command)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        if not redirection and not environ:
            return run_program(*argv[3:], program=ClientProgram, **streams)
        if redirection:
            argv = ["sh", "-c", f'exec "$@" {redirection}', "sh", *argv]
        return subprocess.run(
            argv, env={**os.environ, **(environ or {})}, timeout=120, check=False, **streams
        )

    @property
    def was_asked(self) -> bool:
        return bool(self.service.requests)


@pytest.fixture
def desk_with(tmp_path: Path, consent: Path) -> Callable[..., Any]:
    @contextmanager
    def opened(*replies: Reply) -> Iterator[OperatorRegistry]:
        with run_fake_service(*(replies or (released(),))) as service:
            yield OperatorRegistry(tmp_path, consent, service)

    return opened


@pytest.mark.parametrize(
    ("stdout", "mode", "command", "word"),
    [
        (None, "", "get", None),
        ("/dev/full", "wb", "get", None),
        ("/dev/full", "wb", "verify", "--json"),
        ("/dev/null", "rb", "get", "--json"),
    ],
)
def test_an_unusable_standard_output_sends_nothing(
    desk_with: Callable[..., Any], stdout: str | None, mode: str, command: str, word: str | None
) -> None:
    """A closed, full or read-only output is found before anything is disclosed."""
    words = [word] if word else []
    with desk_with() as registry:
        if stdout is None:
            result = registry.run(*words, command=command, redirection=">&-")
        else:
            with Path(stdout).open(mode) as stream:
                result = registry.run(*words, command=command, stdout=stream)

        assert result.returncode == ExitCode.USAGE, result.stderr
        assert not registry.was_asked
        assert b"standard output" in result.stderr
        assert b"Traceback" not in result.stderr


def test_a_pipe_without_a_reader_sends_nothing(desk_with: Callable[..., Any]) -> None:
    """Its reader ended before there was anything to read."""
    reader, writer = os.pipe()
    os.close(reader)
    with desk_with() as registry:
        result = registry.run(stdout=writer)
        os.close(writer)

        assert result.returncode == ExitCode.USAGE
        assert not registry.was_asked


@pytest.mark.parametrize("place", ["none/receipt.xml", "{consent}"])
def test_an_unusable_receipt_location_sends_nothing(
    desk_with: Callable[..., Any], tmp_path: Path, place: str
) -> None:
    """The directory is missing, or the path is that of a file that is read."""
    with desk_with() as registry:
        before = registry.consent.read_bytes()
        result = registry.run("--receipt", tmp_path / place.format(consent=registry.consent))

        assert result.returncode == ExitCode.USAGE, result.stderr
        assert not registry.was_asked
        assert registry.consent.read_bytes() == before


def test_a_limit_on_files_is_found_before_anything_is_sent(
    desk_with: Callable[..., Any], tmp_path: Path
) -> None:
    """Neither the receipt nor a file at standard output has space after `ulimit -f`."""
    with desk_with() as registry:
        argv = registry.words("--receipt", tmp_path / "receipt.xml")
        result = subprocess.run(
            ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *argv],
            capture_output=True,
            timeout=120,
            check=False,
        )
        argv = ["sh", "-c", f'ulimit -f 8; exec "$@" >{tmp_path}/out', "sh", *registry.words()]
        limited = subprocess.run(argv, stderr=subprocess.PIPE, timeout=120, check=False)

        assert (result.returncode, limited.returncode) == (ExitCode.USAGE, ExitCode.USAGE)
        assert not registry.was_asked
        assert not (tmp_path / "receipt.xml").exists()


def test_reserved_file_is_removed_if_nothing_was_decided(
    desk_with: Callable[..., Any], tmp_path: Path
) -> None:
    """The command can be repeated unchanged, with `--request-id`."""
    receipt = tmp_path / "receipt.xml"
    with desk_with(hang_up) as registry:
        result = registry.run("--receipt", receipt)

        assert result.returncode == ExitCode.LATER
        assert not receipt.exists()


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        (NARROW, None),
        ({"PYTHONIOENCODING": "koi8-r:strict"}, "--json"),
    ],
)
def test_output_is_utf8_in_any_locale(
    desk_with: Callable[..., Any], tmp_path: Path, environ: dict[str, str], word: str | None
) -> None:
    """Neither code page has Kyrgyz letters; the receipt is verified and the data are shown."""
    receipt = tmp_path / "квитанция.xml"
    with desk_with() as registry:
        words = [word] if word else []
        result = registry.run(*words, "--receipt", receipt, environ=environ)

        assert result.returncode == ExitCode.OK, result.stderr
        assert SURNAME in result.stdout.decode("utf-8")
        assert receipt.exists()


def test_names_in_an_ascii_locale_are_sent_as_typed(
    desk_with: Callable[..., Any],
) -> None:
    """Python reads them as single bytes there, but the service gets the letters."""
    with desk_with() as registry:
        words = ("--surname", SURNAME, "--given-name", "Тест", "--case", "№ 7")
        result = registry.run(*words, environ=NARROW)

        assert result.returncode == ExitCode.OK, result.stderr
        (request,) = registry.service.requests
        assert request.child.findtext(".//{*}demographic/{*}surname") == SURNAME
        assert request.text("caseNumber") == "№ 7"


def test_an_error_is_printed_in_an_ascii_locale(desk_with: Callable[..., Any]) -> None:
    """The message is in the profile's language, Russian."""
    at = utc_now().replace(microsecond=0)
    no = FakeOperator(parties().operator, at).decide("REFUSED", codes=("CNS-05",), retry="N")
    with desk_with(no) as registry:
        result = registry.run(environ={**NARROW, "MAKUL_LANGUAGE": ""})

        assert result.returncode == ExitCode.NO
        assert "CNS-05 по-русски" in result.stderr.decode()


def request_id_in(stderr: bytes, registry: OperatorRegistry) -> bool:
    """Return whether standard error names the id of the request."""
    return registry.service.requests[-1].text("requestId").encode() in stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_a_closed_pipe_is_not_a_no(
    desk_with: Callable[..., Any], tmp_path: Path, *, as_json: bool
) -> None:
    """The pipe `| head -0` gives exit code 3, a stored receipt, and the id for the next run."""
    reader, writer = os.pipe()

    def reply(request: ReceivedRequest) -> tuple[int, bytes]:
        os.close(reader)
        return released()(request)

    receipt = tmp_path / "receipt.xml"
    with desk_with(reply) as registry:
        words = ["--json"] if as_json else []
        result = registry.run(*words, "--receipt", receipt, stdout=writer)
        os.close(writer)

        assert result.returncode == ExitCode.LATER, result.stderr
        assert request_id_in(result.stderr, registry)
        assert b"--request-id" in result.stderr or as_json
        assert b"Traceback" not in result.stderr
        assert receipt.read_bytes()


def test_a_removed_directory_is_not_a_no(desk_with: Callable[..., Any], tmp_path: Path) -> None:
    """The receipt's directory is gone when the answer comes, but the data are shown."""
    folder = tmp_path / "receipts"
    folder.mkdir()

    def reply(request: ReceivedRequest) -> tuple[int, bytes]:
        (folder / "receipt.xml").unlink()
        folder.rmdir()
        return released()(request)

    with desk_with(reply) as registry:
        result = registry.run("--receipt", folder / "receipt.xml")

        assert result.returncode == ExitCode.LATER, result.stderr
        assert SURNAME in result.stdout.decode()
        assert request_id_in(result.stderr, registry)


def test_a_full_standard_error_changes_nothing(desk_with: Callable[..., Any]) -> None:
    """No result depends on messages beside it."""
    with desk_with() as registry:
        closed = registry.run(redirection="2>&-")
        with Path("/dev/full").open("wb") as stream:
            full = registry.run(stderr=stream)

        for result in (closed, full):
            assert result.returncode == ExitCode.OK
            assert SURNAME in result.stdout.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_names_its_request(
    desk_with: Callable[..., Any], tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and `timeout` give neither a traceback nor a no, and the reserved file is removed."""
    receipt = tmp_path / "receipt.xml"

    def reply(request: ReceivedRequest) -> tuple[int, bytes]:
        running.get(timeout=60).send_signal(number)
        ended.wait(60)
        return hang_up(request)

    running: queue.Queue[subprocess.Popen[bytes]] = queue.Queue()
    ended = threading.Event()
    with desk_with(reply) as registry:
        argv = registry.words("--receipt", receipt)[3:]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with ClientProgram(*argv, **pipes) as process:
            running.put(process)
            stdout, stderr = process.communicate(timeout=120)
            ended.set()

        expected = ExitCode.LATER if number is signal.SIGINT else 128 + number
        assert process.returncode == expected, stderr
        assert stdout == b""
        assert request_id_in(stderr, registry)
        assert b"Traceback" not in stderr
        assert not receipt.exists()


def test_an_internal_error_is_not_a_no(desk_with: Callable[..., Any]) -> None:
    """An unexpected error after the answer: one line without the data, and exit code 3."""
    broken = (
        "import makul_client._internal.response_decoder as reading\n"
        "def person(read): raise KeyError(read.surname)\n"
        "reading.person = person\n" + PROGRAM
    )
    with desk_with() as registry:
        argv = [broken if word == PROGRAM else word for word in registry.words()]
        result = subprocess.run(argv, capture_output=True, timeout=120, check=False)

        assert result.returncode == ExitCode.LATER, result.stderr
        assert b"internal error at" in result.stderr
        assert b"--request-id" in result.stderr
        assert b"Traceback" not in result.stderr
        assert SURNAME.encode() not in result.stderr


@pytest.mark.parametrize("word", [None, "--json"])
def test_the_id_is_printed_before_and_after(
    desk_with: Callable[..., Any], word: str | None
) -> None:
    """An answer and a time-out have it, also if the id was given as an option."""
    request_id = uuid4()
    for reply in (released(), hang_up):
        with desk_with(reply) as registry:
            words = [] if word is None else [word]
            result = registry.run(*words, "--request-id", request_id)

            assert str(request_id).encode() in result.stderr
            assert registry.service.requests[-1].text("requestId") == str(request_id)


def test_a_refusals_receipt_is_stored_too(desk_with: Callable[..., Any], tmp_path: Path) -> None:
    """Procedure, cl. 11: every decision has one, and a refusal may be disputed too."""
    receipt = tmp_path / "receipt.xml"
    at = utc_now().replace(microsecond=0)
    no = FakeOperator(parties().operator, at).decide("REFUSED", codes=("CNS-05",), retry="N")
    with desk_with(no) as registry:
        result = registry.run("--receipt", receipt)

        assert result.returncode == ExitCode.NO
        assert b"REFUSED" in receipt.read_bytes()


def test_a_reserved_file_holds_only_the_receipt(tmp_path: Path) -> None:
    """Unused space is released, and only the owner can read the file."""
    file = tmp_path / "kept"
    with ReservedFile(file, max_bytes=100_000) as reserved:
        reserved.keep(b"content")

    assert file.read_bytes() == b"content"
    assert file.stat().st_mode & 0o077 == 0


def test_existing_files_are_never_removed(tmp_path: Path) -> None:
    """An unusable location is not changed."""
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for name in ("other", "folder", "other/x", "none/x", "dangling", "x" * 300, "nul\0", ""):
        with pytest.raises(OutputError):
            write_new(tmp_path / name, b"mine")

    assert not (tmp_path / "elsewhere").exists()
    assert (tmp_path / "other").read_bytes() == b"other"
    assert (tmp_path / "folder").is_dir()

"""A command ends, in one line, for any file under the name that it gets.

The table has every argument and option that names a file, and every path of the settings. A new one
that is missing fails `test_every_path_stands_in_the_table`.
"""

import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

from makul.admin.preflight import find_configuration_error
from makul.admin.runtime import Runtime
from makul.cli import build
from makul.cli.files.agreement import EXAMPLE
from makul.config.settings import Settings
from makul_testing.cli_runner import install
from makul_testing.hostile_messages import (
    NOT_FILES,
    certificates,
    contents_for,
    empty_directories,
    readable_certificates,
    run_apart,
)

BANK = "COM/60000001"
FILE = "FILE"
"""The placeholder of the hostile file in a command."""

HINT = "Nothing was changed."
DOCUMENTED = {0, 1, 2, 3}
WHY = ("--reason", "x")
PERIOD = ("--from", "2026-10-01", "--to", "2026-11-01")
OFFICIAL = ("--id", "P-1", "--name", "Head")

PATHS: dict[tuple[str, str], tuple[str, ...]] = {
    ("recipient certificate", "file"): ("recipient", "certificate", BANK, FILE),
    ("recipient withdraw", "file"): ("recipient", "withdraw", BANK, FILE, *WHY),
    ("recipient sealing-certificate", "file"): ("recipient", "sealing-certificate", BANK, FILE),
    ("recipient withdraw-sealing", "file"): ("recipient", "withdraw-sealing", BANK, FILE, *WHY),
    ("recipient official", "file"): ("recipient", "official", BANK, FILE, *OFFICIAL),
    ("recipient withdraw-official", "file"): ("recipient", "withdraw-official", BANK, FILE, *WHY),
    ("signatory add", "file"): (
        *("signatory", "add", BANK, FILE, "--role", "RECIPIENT"),
        *OFFICIAL,
    ),
    ("signatory withdraw", "file"): ("signatory", "withdraw", BANK, FILE, *WHY),
    ("agreement add", "file"): ("agreement", "add", FILE),
    ("agreement sign", "file"): ("agreement", "sign", FILE, "--key", "K", "--certificate", "C"),
    ("agreement sign", "key"): ("agreement", "sign", "C", "--key", FILE, "--certificate", "C"),
    ("agreement sign", "certificate"): (
        *("agreement", "sign", "C", "--key", "K", "--certificate", FILE),
    ),
    ("agreement submit", "file"): ("agreement", "submit", FILE),
    ("notice add", "ky"): ("notice", "add", "N", "--ky", FILE, "--ru", "T", "--en", "T"),
    ("notice add", "ru"): ("notice", "add", "N", "--ky", "T", "--ru", FILE, "--en", "T"),
    ("notice add", "en"): ("notice", "add", "N", "--ky", "T", "--ru", "T", "--en", FILE),
    ("notice sign", "file"): ("notice", "sign", FILE, "--key", "K", "--certificate", "C"),
    ("notice sign", "key"): ("notice", "sign", "C", "--key", FILE, "--certificate", "C"),
    ("notice sign", "certificate"): ("notice", "sign", "C", "--key", "K", "--certificate", FILE),
    ("notice approve", "file"): ("notice", "approve", FILE),
    ("person import", "file"): ("person", "import", FILE),
    ("document verify", "file"): ("document", "verify", FILE, "--anchors", "A"),
    ("document verify", "anchors"): ("document", "verify", "C", "--anchors", FILE),
    ("document verify", "intermediates"): (
        *("document", "verify", "C", "--anchors", "A", "--intermediates", FILE),
    ),
    ("document verify", "crl"): ("document", "verify", "C", "--anchors", "A", "--crl", FILE),
    ("document verify", "ocsp"): ("document", "verify", "C", "--anchors", "A", "--ocsp", FILE),
    ("document verify", "tsa_anchors"): (
        *("document", "verify", "C", "--anchors", "A", "--tsa-anchors", FILE),
    ),
    ("ledger witness", "key"): (
        *("ledger", "witness", "--log", "A", "--log-key", "V", "--key", FILE, "--state", "S"),
        "--once",
    ),
    ("ledger witness", "state"): (
        *("ledger", "witness", "--log", "A", "--log-key", "V", "--key", "W", "--state", FILE),
        "--once",
    ),
    ("ledger witness", "log_key"): (
        *("ledger", "witness", "--log", "A", "--log-key", FILE, "--key", "W", "--state", "S"),
        "--once",
    ),
    ("ledger witness", "also"): (
        *("ledger", "witness", "--log", "A", "--log-key", "V", "--key", "W", "--state", "S"),
        *("--also", FILE, "--once"),
    ),
    ("ledger witness", "new_key"): (
        *("ledger", "witness", "--new-key", FILE, "--name", "example/w1"),
    ),
    ("backup", "directory"): ("backup", FILE),
    ("restore", "copy"): ("restore", FILE, "--check"),
    ("ledger export", "directory"): ("ledger", "export", FILE),
    ("ledger export", "bundle"): ("ledger", "export", "--bundle", FILE),
    ("disclosure export", "output"): (
        *("disclosure", "export", "--month", "2026-11", "--reason", "x", "--output", FILE),
    ),
    ("sandbox issue", "csr"): ("sandbox", "issue", "bank", "--csr", FILE, "--output", "O"),
    ("sandbox issue", "public_key"): (
        *("sandbox", "issue", "bank", "--public-key", FILE, "--output", "O"),
    ),
    ("sandbox issue", "output"): ("sandbox", "issue", "bank", "--csr", "C", "--output", FILE),
    ("sandbox issue", "directory"): (
        *("sandbox", "issue", "bank", "--csr", "C", "--output", "O", "--dir", FILE),
    ),
    ("document verify", "tsa_crl"): (
        *("document", "verify", "C", "--anchors", "A", "--tsa-crl", FILE),
    ),
    ("month build", "output"): ("month", "build", "2026-10", "--output", FILE),
    ("month show", "output"): ("month", "show", "2026-10", "--output", FILE, "--recipient", BANK),
    ("month verify", "files"): ("month", "verify", FILE, "--certificate", "C"),
    ("month verify", "certificate"): ("month", "verify", "C", "--certificate", FILE),
    ("month report", "directories"): ("month", "report", FILE, "--out", "O", "--certificate", "C"),
    ("month report", "out"): ("month", "report", "A", "--out", FILE, "--certificate", "C"),
    ("month report", "pdf"): (
        *("month", "report", "A", "--out", "O", "--pdf", FILE, "--certificate", "C"),
    ),
    ("month report", "earlier"): (
        *("month", "report", "A", "--out", "O", "--earlier", FILE, "--certificate", "C"),
    ),
    ("month report", "answers"): (
        *("month", "report", "A", "--out", "O", "--answers", FILE, "--certificate", "C"),
    ),
    ("month report", "certificate"): ("month", "report", "A", "--out", "O", "--certificate", FILE),
    ("month report", "verify"): ("month", "report", "A", "--verify", FILE, "--certificate", "C"),
    ("month sample", "file"): ("month", "sample", FILE, "--certificate", "C"),
    ("month sample", "certificate"): ("month", "sample", "C", "--certificate", FILE),
    ("month sample", "verify"): ("month", "sample", "C", "--verify", FILE),
    ("case build", "out"): ("case", "build", BANK, *PERIOD, *WHY, "--out", FILE),
    ("case build", "months"): (
        *("case", "build", BANK, *PERIOD, *WHY, "--months", FILE, "--preview"),
    ),
    ("case verify", "file"): ("case", "verify", FILE, "--certificate", "C"),
    ("case verify", "certificate"): ("case", "verify", "C", "--certificate", FILE),
    ("case verify", "anchors"): ("case", "verify", "C", "--anchors", FILE),
    ("case verify", "tsa_anchors"): (
        *("case", "verify", "C", "--anchors", "A", "--tsa-anchors", FILE),
    ),
    ("case verify", "log_key"): ("case", "verify", "C", "--certificate", "C", "--log-key", FILE),
    ("officer add", "file"): (
        *("officer", "add", "GOV/70000010", FILE, "--role", "PROTECTION_OFFICER"),
        *OFFICIAL,
    ),
    ("officer withdraw", "file"): ("officer", "withdraw", FILE, *WHY),
    ("", "config"): ("--config", FILE, "key", "show"),
    ("init", "directory"): ("init", FILE, "--operator", "GOV/70000001", "--name", "X"),
}
"""The call with a hostile file, by command and parameter."""

STARTERS = {("sandbox", "directory"), ("demo", "directory")}
"""Commands that make a directory and run until they are stopped: tests/sandbox has them."""

TEXTS = {("ledger witness", "log_key"), ("ledger witness", "also")}
"""Parameters that are text for typer, and may name a file."""

DIRECTORIES = {
    ("document verify", each)
    for each in ("anchors", "intermediates", "crl", "ocsp", "tsa_anchors", "tsa_crl")
} | {("case verify", each) for each in ("anchors", "tsa_anchors")}
"""Parameters that name a directory, in which the hostile file lies."""

SAME_READER = {
    ("recipient withdraw", "file"),
    ("recipient official", "file"),
    ("recipient withdraw-official", "file"),
    ("signatory add", "file"),
    ("signatory withdraw", "file"),
    ("officer add", "file"),
    ("officer withdraw", "file"),
    ("agreement submit", "file"),
    ("notice sign", "file"),
    ("notice sign", "key"),
    ("notice sign", "certificate"),
    ("notice approve", "file"),
    ("notice add", "ru"),
    ("notice add", "en"),
    ("document verify", "intermediates"),
    ("document verify", "tsa_anchors"),
    ("document verify", "tsa_crl"),
}
"""Contents are tried once for each reader; these share theirs with a tested parameter."""

WRITTEN = {
    ("ledger witness", "new_key"),
    ("ledger witness", "state"),
    ("ledger export", "directory"),
    ("ledger export", "bundle"),
    ("disclosure export", "output"),
    ("init", "directory"),
    ("case build", "out"),
    ("case build", "months"),
    ("month build", "output"),
    ("month show", "output"),
    ("month report", "directories"),
    ("month report", "out"),
    ("month report", "pdf"),
    ("month report", "earlier"),
    ("sandbox issue", "output"),
    ("sandbox issue", "directory"),
    ("backup", "directory"),
    ("restore", "copy"),
}
"""Parameters that name what a command makes or a directory: no file is read there."""

CONTENT_PATHS = [each for each in PATHS if each not in SAME_READER | WRITTEN]

CERTIFICATES = [
    (f"recipient {each}", "file")
    for each in ("certificate", "sealing-certificate", "withdraw-sealing")
]


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """The end of a command: exit code and output."""

    what: str
    code: int | None
    out: str
    err: str
    broken: str | None

    @property
    def flaws(self) -> list[str]:
        """Return what no command may do."""
        found = []
        if self.broken is not None:
            found.append(self.broken)
        if "Traceback" in self.out + self.err or "internal error" in self.err:
            found.append("a traceback")
        if self.code not in DOCUMENTED | {64}:
            found.append(f"exit code {self.code}")
        if self.code in {1, 3} and not self.err and not self.out:
            found.append("not a word")
        lines = [line for line in self.err.splitlines() if not line.startswith(HINT)]
        if self.code in {1, 3} and len(lines) > 1:
            found.append("more than one line")
        if self.code == 0 and "Warning" in self.err:
            found.append("a warning of Python's")
        return found


@dataclass(frozen=True, slots=True)
class CommandEnvironment:
    """An installation with a bank, and other things that commands need besides the file."""

    directory: Path
    empty: Iterator[Path] = field(repr=False)

    def called(self, command: tuple[str, ...], what: str, path: Path) -> CommandEnd:
        names = {FILE: path, "S": next(self.empty) / "state"}
        names |= {name: self.directory / "spare" / name for name in ("A", "C", "K", "T", "V", "W")}
        arguments = [str(names.get(each, each)) for each in command]
        config = [] if "--config" in arguments else ["--config", str(self.directory / "makul.toml")]
        result = CliRunner().invoke(build(Runtime()), [*config, *arguments], prog_name="makul")
        broken = None
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            broken = f"{type(result.exception).__name__}: {str(result.exception)[:200]}"
        return CommandEnd(
            what, result.exit_code, result.stdout[-300:], result.stderr[-600:], broken
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> CommandEnvironment:
    """Build the installation; tests run commands in separate processes, without --apply."""
    base = tmp_path_factory.mktemp("hostile")
    installation = install(base / "installation")
    installation.run_json("recipient", "add", BANK, "--kind", "BANK", "--name", "Bank", "--apply")
    spare = installation.directory / "spare"
    (spare / "A").mkdir(parents=True)
    (spare / "T").write_text("text")
    (spare / "C").write_bytes((installation.directory / "keys" / "receipts.cert.pem").read_bytes())
    (spare / "A" / "root.pem").write_bytes((spare / "C").read_bytes())
    (spare / "K").write_bytes((installation.directory / "keys" / "receipts.key.pem").read_bytes())
    (spare / "K").chmod(0o600)
    installation("ledger", "witness", "--new-key", spare / "W", "--name", "example/w1")
    (spare / "V").write_bytes(next(installation.directory.rglob("*.pub")).read_bytes())
    return CommandEnvironment(installation.directory, empty_directories(base / "empty"))


def _paths(command: Any, name: str = "") -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        described = parameter.type_descriptor
        if described is not None and "Path" in str(described.annotation):
            yield name, parameter.name
    for each, below in getattr(command, "commands", {}).items():
        yield from _paths(below, f"{name} {each}".strip())


def test_every_path_stands_in_the_table() -> None:
    """A new option that names a file needs an entry with its call."""
    found = set(_paths(get_command(build(Runtime()))))

    assert found == PATHS.keys() - TEXTS | STARTERS


@pytest.mark.parametrize("path", PATHS, ids=[" ".join(each) for each in PATHS])
def test_a_special_file_ends_in_one_line(
    path: tuple[str, str], environment: CommandEnvironment
) -> None:
    """The command waits for no writer, and reads nothing endless."""

    def act() -> list[CommandEnd]:
        return [
            environment.called(PATHS[path], what, make(next(environment.empty)))
            for what, make in NOT_FILES.items()
        ]

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}


@pytest.mark.parametrize("path", CONTENT_PATHS, ids=[" ".join(each) for each in CONTENT_PATHS])
def test_an_unsuitable_file_ends_in_one_line(
    path: tuple[str, str], environment: CommandEnvironment
) -> None:
    """The content is not JSON, TOML, PEM or text, or is too long."""
    suffix = {"person import": ".jsonl", "document verify": ".pem"}.get(path[0], "")

    def act() -> list[CommandEnd]:
        ended = []
        for what, content in contents_for(path):
            file = next(environment.empty) / f"it{suffix}"
            file.write_bytes(content)
            file.chmod(0o600)
            named = file.parent if path in DIRECTORIES else file
            ended.append(environment.called(PATHS[path], what, named))
        return ended

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}


def _certified(
    path: tuple[str, str], environment: CommandEnvironment, installation: dict[str, bytes]
) -> list[CommandEnd]:
    def act() -> list[CommandEnd]:
        ended = []
        for what, content in installation.items():
            file = next(environment.empty) / "it.pem"
            file.write_bytes(content)
            ended.append(environment.called(PATHS[path], what, file))
        return ended

    return run_apart(act)


@pytest.mark.parametrize("path", CERTIFICATES, ids=[each[0] for each in CERTIFICATES])
def test_a_certificate_that_is_not_accepted_is_named(
    path: tuple[str, str], environment: CommandEnvironment
) -> None:
    """GOST, Ed25519, DSA, a curve by its parameters, and forms outside RFC 5280 are named."""
    ended = _certified(path, environment, certificates())

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}
    if path[0] != "recipient withdraw-sealing":  # for any key, the certificate is withdrawn
        assert {each.code for each in ended} == {1}
        gost = next(each for each in ended if each.what.startswith("GOST"))
        assert "it.pem: algorithm not accepted: its key is GOST R 34.10-2012" in gost.err


def test_an_unusual_certificate_is_read(environment: CommandEnvironment) -> None:
    """`&`, `_` and `@` in a PrintableString, as large CAs write, and version 1 without
    extensions.
    """
    for each in _certified(("recipient certificate", "file"), environment, readable_certificates()):
        assert (each.code, each.flaws) == (0, []), each


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("0001-01-01T00:00:00+06:00", "valid_from: the year is 1900 to 9000"),
        ("0001-01-01", "valid_from: the year is 1900 to 9000"),
        ("9999-12-31T23:59:59-06:00", "valid_from: the year is 1900 to 9000"),
        ("10000-01-01", "not TOML"),
    ],
)
def test_a_date_at_the_end_of_the_calendar_is_accepted(
    term: str, message: str, environment: CommandEnvironment
) -> None:
    file = next(environment.empty) / "bank.toml"
    file.write_text(EXAMPLE.replace("valid_from = 2026-01-01 ", f"valid_from = {term} "))

    ended = run_apart(lambda: environment.called(("agreement", "add", FILE), term, file))

    assert (ended.code, ended.flaws) == (1, [])
    assert message in ended.err


@pytest.mark.parametrize("option", ["--at", "--existed-at"])
@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+06:00", "9999-12-31T23:59:59-06:00", "7" * 5000]
)
def test_a_moment_at_the_end_of_the_calendar_is_accepted(
    option: str, text: str, environment: CommandEnvironment
) -> None:
    command = ("document", "verify", "C", "--anchors", "A", option, text)

    ended = run_apart(lambda: environment.called(command, text, Path("x")))

    assert (ended.code, ended.flaws) == (64, [])


# --- Settings ---------------------------------------------------------------------------------


def test_settings_with_a_byte_order_mark_are_read(environment: CommandEnvironment) -> None:
    """Notepad writes one."""
    settings = (environment.directory / "makul.toml").read_bytes()
    (environment.directory / "bom.toml").write_bytes(b"\xef\xbb\xbf" + settings)

    ended = run_apart(
        lambda: environment.called(
            ("--config", FILE, "key", "show"), "", environment.directory / "bom.toml"
        )
    )

    assert (ended.code, ended.err) == (0, "")


def _settings(model: type[BaseModel], name: str = "") -> Iterator[str]:
    for key, known in model.model_fields.items():
        for kind in (known.annotation, *typing.get_args(known.annotation)):
            for inner in (kind, *typing.get_args(kind)):
                if inner is Path:
                    yield f"{name}{key}"
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    yield from _settings(inner, f"{name}{key}.")


SETTINGS: dict[str, str] = {
    "store.database": '[store]\ndatabase = "{}"',
    "store.keys": '[store]\nkeys = "{}"',
    "receipts.certificate": '[receipts]\ncertificate = "{}"',
    "receipts.key": '[receipts]\nkey = "{}"',
    "receipts.password_file": '[receipts]\npassword_file = "{}"',
    "receipts.next": '[receipts]\nnext = "{}"',
    "receipts.retired": '[receipts]\nretired = "{}"',
    "receipts.pkcs11.module": '[receipts]\n-key\n[receipts.pkcs11]\nmodule = "{}"\n'
    'slot = 1\nkey_label = "k"\npin_env = "PIN"',
    "receipts.pkcs11.pin_file": '[receipts]\n-key\n[receipts.pkcs11]\nmodule = "/nowhere.so"\n'
    'slot = 1\nkey_label = "k"\npin_file = "{}"',
    "trust.anchors": '[trust]\nanchors = "{}"',
    "trust.intermediates": '[trust]\nintermediates = "{}"',
    "trust.crls": '[trust]\ncrls = "{}"',
    "trust.ocsp": '[trust]\nocsp = "{}"',
    "trust.wanted": '[trust]\nwanted = "{}"',
    "trust.archive": '[trust]\narchive = "{}"',
    "trust.tsa_anchors": '[trust]\ntsa_anchors = "{}"',
    "trust.tsa_crls": '[trust]\ntsa_anchors = "anchors"\ntsa_crls = "{}"',
    "trust.refresh.ocsp.issuer": '[trust]\nocsp = "anchors"\nwanted = "anchors"\n'
    '[[trust.refresh.ocsp]]\nurl = "http://127.0.0.1:1"\nissuer = "{}"',
    "logs.security": '[logs]\nsecurity = "{}"',
    "months.directory": '[months]\ndirectory = "{}"',
    "cases.directory": '[cases]\ndirectory = "{}"',
    "subject.jwks": '[subject]\nissuer = "i"\njwks = "{}"\nlevels = ["l"]\n'
    'minimum_level = "l"\nportals = [{{ code = "GOV/1", audience = "a" }}]',
    "subject.portals.certificates": '[subject]\nissuer = "i"\njwks = "CERT"\nlevels = ["l"]\n'
    'minimum_level = "l"\n'
    'portals = [{{ code = "GOV/1", audience = "a", certificates = "{}" }}]',
    "notifications.directory": '[notifications]\nlink_prefix = "https://p.example/"\n'
    'directory = "{}"',
    "notifications.webhook.secret": '[notifications]\nlink_prefix = "https://p.example/"\n'
    '[notifications.webhook]\nurl = "http://127.0.0.1:1"\nsecret = "{}"',
    "notifications.webhook.ca": '[notifications]\nlink_prefix = "https://p.example/"\n'
    '[notifications.webhook]\nurl = "http://127.0.0.1:1"\nsecret = "KEY"\nca = "{}"',
    "notifications.smtp.addresses": '[notifications]\nlink_prefix = "https://p.example/"\n'
    '[notifications.smtp]\nhost = "127.0.0.1"\nsender = "a@b.example"\naddresses = "{}"',
    "metrics.directory": '[metrics]\nbind = "127.0.0.1:1"\ndirectory = "{}"',
    "ledger.key": '[ledger]\nkey = "{}"',
    "ledger.publish": '[ledger]\npublish = "{}"',
    "ledger.witnesses.file": '[ledger]\nwitnesses = [{{ key = "VKEY", file = "{}" }}]',
    "listeners.tls.certificate": "[listeners.wsse]\n"
    'tls = {{ certificate = "{}", key = "KEY", client_ca = "CERT" }}',
    "listeners.tls.key": "[listeners.wsse]\n"
    'tls = {{ certificate = "CERT", key = "{}", client_ca = "CERT" }}',
    "listeners.tls.client_ca": "[listeners.wsse]\n"
    'tls = {{ certificate = "CERT", key = "KEY", client_ca = "{}" }}',
    "listeners.front_secret": '[listeners.wsse]\nchannel = "mtls"\n'
    'client_certificate = "header"\nfront_secret = "{}"',
    "listeners.proxy_certificates": '[listeners.wsse]\nchannel = "mtls"\n'
    'client_certificate = "header"\nproxy_certificates = "{}"\n'
    'tls = {{ certificate = "CERT", key = "KEY", client_ca = "CERT" }}',
}
"""By setting: the change in a good settings file; a line `-key` removes a key."""


def test_every_path_of_the_settings_stands_in_the_table() -> None:
    assert set(_settings(Settings)) == SETTINGS.keys()


def _changed(settings: str, change: str) -> str:
    """Return a settings file with these keys changed."""
    lines = settings.split("\n")
    section = ""
    for line in change.split("\n"):
        if line.startswith("["):
            section = line
            if section not in lines:
                lines += [section]
            continue
        start = lines.index(section) if section in lines else len(lines)
        key = line.removeprefix("-").partition(" =")[0]
        end = next(
            (at for at in range(start + 1, len(lines)) if lines[at].startswith("[")), len(lines)
        )
        lines[start:end] = [
            each for each in lines[start:end] if each.partition(" =")[0].strip() != key
        ]
        if not line.startswith("-"):
            lines.insert(start + 1, line)
    return "\n".join(lines)


REPRESENTATIVES = ("a fifo", "/dev/zero", "a directory", "a planted link", "nothing")
"""Special files for the settings; a reader that is tested above reads each of them."""

READERS: dict[str, Callable[[CommandEnvironment, Path], CommandEnd]] = {
    "key show": lambda environment, path: environment.called(
        ("--config", FILE, "key", "show"), "", path
    ),
    "trust status": lambda environment, path: environment.called(
        ("--config", FILE, "trust", "status"), "", path
    ),
    "trust refresh": lambda environment, path: environment.called(
        ("--config", FILE, "trust", "refresh", "--once"), "", path
    ),
    "ledger status": lambda environment, path: environment.called(
        ("--config", FILE, "ledger", "status"), "", path
    ),
    "ledger verify": lambda environment, path: environment.called(
        ("--config", FILE, "ledger", "verify"), "", path
    ),
    "notification send": lambda environment, path: environment.called(
        ("--config", FILE, "notification", "send", "--once"), "", path
    ),
    "serve": lambda _, path: CommandEnd(
        "", 1, "", (find_configuration_error(path, None) or "served") + "\n", None
    ),
}
"""Commands that read the settings' files, and end by themselves."""


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_names_a_special_file_ends_in_one_line(
    setting: str, environment: CommandEnvironment
) -> None:
    """A listener does not start either: a worker that waits for a pipe serves nobody."""
    good = (environment.directory / "makul.toml").read_text()
    keys = environment.directory / "keys"
    vkey = (environment.directory / "spare" / "W.pub").read_text().strip()

    def act() -> list[CommandEnd]:
        ended = []
        for what in REPRESENTATIVES:
            change = SETTINGS[setting].format(NOT_FILES[what](next(environment.empty)))
            change = change.replace("CERT", str(keys / "receipts.cert.pem"))
            change = change.replace("KEY", str(keys / "receipts.key.pem")).replace("VKEY", vkey)
            config = environment.directory / "changed.toml"
            config.write_text(_changed(good, change))
            for reader, read in READERS.items():
                result = read(environment, config)
                ended.append(
                    CommandEnd(
                        f"{reader}: {what}", result.code, result.out, result.err, result.broken
                    )
                )
        return ended

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_with_an_impossible_path_ends_in_one_line(
    setting: str, environment: CommandEnvironment
) -> None:
    """TOML can write a NUL, which no path may hold."""
    good = (environment.directory / "makul.toml").read_text()
    keys = environment.directory / "keys"
    vkey = (environment.directory / "spare" / "W.pub").read_text().strip()
    change = SETTINGS[setting].format("a\\u0000b")
    change = change.replace("CERT", str(keys / "receipts.cert.pem"))
    change = change.replace("KEY", str(keys / "receipts.key.pem")).replace("VKEY", vkey)
    config = environment.directory / "nul.toml"
    config.write_text(_changed(good, change))

    def act() -> list[CommandEnd]:
        return [read(environment, config) for read in READERS.values()]

    ended = run_apart(act)

    assert [(each.flaws, each.err) for each in ended if each.flaws] == []
    assert {each.code for each in ended} <= {1, 3}


# --- Arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("person", "show", "\udcff"), 2),
        (("person", "show", "20101199000123", "--reason", "\udcff", "--apply"), 2),
        (("recipient", "add", BANK, "--kind", "BANK", "--name", "Bank\udcc3", "--apply"), 2),
        (("recipient", "certificate", BANK, "\udcff.pem"), 2),
        (("document", "verify", "\udcff.xml", "--anchors", "A"), 64),
        (("key", "show", "--within", "9" * 30), 2),
        (("key", "show", "--within", "999999999"), 2),
    ],
    ids=["pin", "reason", "name", "file", "document", "days", "too many days"],
)
def test_a_malformed_argument_is_a_usage_error(
    arguments: tuple[str, ...], code: int, environment: CommandEnvironment
) -> None:
    """The bytes are no text in the terminal's encoding, or the numbers are in no calendar."""
    ended = run_apart(lambda: environment.called(arguments, "", Path("x")))

    assert (ended.code, ended.flaws) == (code, [])

"""Dockerfile and compose.yaml, compared with the programs, the settings and the files they name.

No container is started here: what could rot is compared, and the small programs are run.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest
from check_documents import is_setting
from container_files import (
    COMPOSE,
    DOCKERFILE,
    IMAGE,
    OURS,
    SERVICES,
    instructions,
    mounts,
    words_of,
)
from document_commands import Programs
from document_pages import Page

from makul.composition.service import PATHS
from makul.config.settings import Port
from makul_sandbox.data.pki import new_hierarchy
from makul_testing.distribution import metadata, packages_in, supported_versions
from makul_testing.external.nginx import fronting
from makul_testing.external.requirements import found, needs
from makul_testing.paths import ROOT
from makul_testing.processes.service import free_port
from makul_testing.servers.listeners import by_tls, write

OPERATORS = Page.of(ROOT / "docs" / "operators.md", ROOT)
NGINX_FILES = ("makul.conf", "makul-ledger.conf", "makul-oversight.conf", "makul-subject.conf")
SERVING = (("makul", "sockets"), ("oversight", "oversight-sockets"), ("subject", "subject-sockets"))
"""The services that answer requests, and the volume of their sockets."""
ADDRESS = "192.0.2.10:"
"""What `docs/operating/containers.md` takes out of the handed-out files of nginx."""


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs((ROOT / "Makefile").read_text(encoding="utf-8"))


# --- the image ---------------------------------------------------------------------------------


def test_what_is_copied_is_there_and_is_let_in() -> None:
    """Every source of COPY exists, and .dockerignore lets in these and nothing else."""
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for stage in ("build", "final")
        for name, words in instructions(stage)
        if name == "COPY" and not words[0].startswith("--from=")
        for source in words[:-1]
    }

    assert copied == let_in
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_every_package_is_copied() -> None:
    """A package that setup.cfg names and no COPY brings would stop the build."""
    copied = [words[0] for name, words in instructions("build") if name == "COPY"]
    directories = metadata()["options"]["package_dir"].split("\n")
    for directory in (line.split(" = ")[1] for line in directories if line):
        assert any(f"{directory}/".startswith(f"{each}/") for each in copied), directory


def test_everything_is_installed_with_hashes() -> None:
    """The installation uses a lock, or no index; the installer is removed."""
    runs = [words for name, words in instructions("build") if name == "RUN"]
    installed = [words for words in runs if words[1:4] == ["-m", "pip", "install"]]
    locks = [words[-1] for words in installed if "--requirement" in words]

    assert locks == ["requirements/build.txt", "requirements/service.txt"]
    for words in installed:
        assert "--no-build-isolation" in words
        assert "--require-hashes" in words or {"--no-deps", "--no-index"} <= set(words)
    [removed] = [set(words[5:]) for words in runs if words[1:4] == ["-m", "pip", "uninstall"]]
    tools = packages_in("build").keys() - packages_in("service").keys()
    assert removed == tools


def test_the_image_runs_our_program_as_nobody(programs: Programs) -> None:
    """A user by number, a program of the wheel, on a Python that is supported."""
    [program] = words_of("ENTRYPOINT")
    [default] = re.findall(r"^ARG PYTHON_VERSION=(.+)$", DOCKERFILE, re.MULTILINE)

    assert words_of("USER") == ["10001:10001"]
    assert ("COPY", ["--from=build", "/opt/makul", "/opt/makul"]) in list(instructions("final"))
    assert Path(program).parent == Path("/opt/makul/bin")
    assert Path(program).name in programs.trees
    assert programs.untrue([Path(program).name, *words_of("CMD")], whole=True) is None
    assert default in supported_versions()


# --- the services ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    """Not root, without capabilities, with a root filesystem that nobody writes."""
    service = SERVICES[name]

    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"] == {"core": 0}
    assert not service.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid"}


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_commands_that_there_are(name: str, programs: Programs) -> None:
    """The commands are those of this version's image, with their required options."""
    service = OURS[name]
    command = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in service.get("command", ())]

    assert service["image"] == IMAGE
    assert "entrypoint" not in service
    assert bool(command) is ("operator" not in service.get("profiles", ()))
    assert programs.untrue(["makul", *command], whole=bool(command)) is None


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_the_settings_that_there_are(name: str, programs: Programs) -> None:
    """The settings are in a mounted directory, with a password file of the service."""
    service = OURS[name]
    environment = service.get("environment", {})
    ours = {each for each in environment if each.startswith("MAKUL_")}

    assert [each for each in ours if each not in programs.variables and not is_setting(each)] == []
    places = mounts(service)
    if "MAKUL_CONFIG" in environment:
        assert str(Path(environment["MAKUL_CONFIG"]).parent) in places
    url = re.fullmatch(
        r"postgresql://(\w+)@(\w+)/makul",
        environment.get("MAKUL_DATABASE_URL", "postgresql://@/makul"),
    )
    if url is not None:
        assert f"CREATE ROLE {url[1]} LOGIN" in (ROOT / "deploy" / "roles.sql").read_text()
        assert set(service["networks"]) & set(SERVICES[url[2]]["networks"])
        [secret] = service["secrets"]
        assert environment["PGPASSFILE"] == f"/run/secrets/{secret}"


def test_duties_are_apart() -> None:
    """A user, a role and a directory for each; only a port and its fetcher share them."""
    users = {name: each["user"] for name, each in OURS.items()}
    roles = [
        each["environment"].get("MAKUL_DATABASE_URL")
        for each in OURS.values()
        if each.get("environment")
    ]

    assert users["makul"] == users["trust"]
    assert users["oversight"] == users["oversight-trust"]
    assert users["subject"] == users["subject-trust"]
    assert len({*users.values()}) == len(users) - 3
    assert len({role for role in roles if role}) == 6
    for fetcher in ("trust", "oversight-trust", "subject-trust"):
        assert "MAKUL_DATABASE_URL" not in SERVICES[fetcher]["environment"]


@pytest.mark.parametrize(("name", "volume"), SERVING)
def test_the_service_reaches_nothing_outside(name: str, volume: str) -> None:
    """It is reached by its sockets alone, in a directory that nginx enters by its group."""
    service, nginx = SERVICES[name], SERVICES["nginx"]
    user, group = service["user"].split(":")
    options = dict(
        each.split("=") for each in COMPOSE["volumes"][volume]["driver_opts"]["o"].split(",")
    )

    assert [COMPOSE["networks"][each] for each in service["networks"]] == [{"internal": True}]
    assert "ports" not in service
    assert volume in mounts(service).values()
    assert (options["uid"], options["gid"]) == (user, group)
    assert int(options["mode"], 8) & 0o027 == 0
    assert group in {nginx["user"].split(":")[1], *nginx["group_add"]}


def test_what_is_mounted_and_named_is_there() -> None:
    """Files of the repository, volumes, secrets, networks."""
    for service in SERVICES.values():
        for source in mounts(service).values():
            if source.startswith("./"):
                assert (ROOT / source).is_file(), source
            else:
                assert source.startswith("SITE/") or source in COMPOSE["volumes"], source
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
        assert service.get("depends_on", {}).keys() <= SERVICES.keys()
        for waited in service.get("depends_on", ()):
            assert "healthcheck" in SERVICES[waited]


# --- the proxy and the database ----------------------------------------------------------------


def handed_out() -> str:
    """The files of nginx that the page copies, as it copies them."""
    directory = ROOT / "docs" / "operating" / "nginx"
    texts = [(directory / name).read_text(encoding="utf-8") for name in NGINX_FILES]
    assert all(ADDRESS in text for text in texts)
    return "".join(texts).replace(ADDRESS, "")


def test_nginx_has_what_its_files_name() -> None:
    """Sockets, certificates and the published ledger are mounted; each port is published."""
    places = mounts(SERVICES["nginx"])
    text = handed_out()
    named = re.findall(r"(?:unix:|ssl_\w+ +|root +)(/[\w./-]+);", text)

    assert len(named) >= 8
    for path in named:
        assert any(Path(path).is_relative_to(place) for place in places), path
    listens = {f"{port}:{port}" for port in re.findall(r"listen (\d+) ssl;", text)}
    assert set(SERVICES["nginx"]["ports"]) == listens
    main = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert SERVICES["nginx"]["entrypoint"][:3] == ["nginx", "-c", "/etc/makul/nginx.conf"]
    assert places["/etc/makul/nginx.conf"] == "./deploy/nginx.conf"
    assert places["/srv/makul-ledger/published"] == "SITE/makul-ledger/published"
    for written in re.findall(r"(?:pid|_path) +(\S+);", main):
        assert str(Path(written).parent) in SERVICES["nginx"]["tmpfs"]


def test_nginx_forwards_the_paths_of_the_ports() -> None:
    """Each published file forwards the path of one port and no other."""
    directory = ROOT / "docs" / "operating" / "nginx"
    paths = {
        file.name: set(re.findall(r"location = (/v1/\w+) ", file.read_text(encoding="utf-8")))
        for file in directory.iterdir()
    }

    assert paths == {
        "makul.conf": {PATHS[Port.RECIPIENT]},
        "makul-xroad.conf": {PATHS[Port.RECIPIENT]},
        "makul-oversight.conf": {PATHS[Port.OVERSIGHT]},
        "makul-subject.conf": {PATHS[Port.SUBJECT]},
        "makul-ledger.conf": set(),
    }


@needs("nginx")
def test_nginx_understands_its_files(tmp_path: Path) -> None:
    """The main configuration with those that are handed out, at other places."""
    pair = write(
        tmp_path,
        "server",
        new_hierarchy(datetime.now(UTC)).server(member_code="GOV/1", host="127.0.0.1"),
    )
    (tmp_path / "client-cas.pem").write_bytes(pair[0].read_bytes())
    main = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"listen \d+", lambda _: f"listen 127.0.0.1:{free_port()}", handed_out())
    for name, content in (("nginx.main", main), ("makul.conf", text)):
        here = re.sub(r"(?:/etc/makul/nginx|(?<= )/tmp)/", f"{tmp_path}/", content)
        (tmp_path / name).write_text(here, encoding="utf-8")
    program = found("nginx")
    assert program is not None

    result = subprocess.run(
        [program, "-t", "-c", str(tmp_path / "nginx.main")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


@needs("nginx")
def test_nginx_publishes_the_ledger_and_nothing_else(tmp_path: Path) -> None:
    """A checkpoint is never kept by a cache, a tile is kept for ever."""
    published = tmp_path / "published"
    (published / "tile" / "0").mkdir(parents=True)
    for name in ("checkpoint", "tile/0/000", "secret"):
        (published / name).write_text(name, encoding="utf-8")
    tmp_path.chmod(0o755)
    server = new_hierarchy(datetime.now(UTC)).server(member_code="GOV/1", host="127.0.0.1")
    certificate, key = write(tmp_path, "server", server)
    port = free_port()
    places = {
        "/srv/makul-ledger/published": str(published),
        "/etc/makul/nginx/server.cert.pem": str(certificate),
        "/etc/makul/nginx/server.key.pem": str(key),
        "192.0.2.10:8445": f"127.0.0.1:{port}",
    }
    answers = {}
    with fronting(tmp_path, places, files=("makul-ledger.conf",)):
        for path in ("/checkpoint", "/tile/0/000", "/secret", "/"):
            connection = by_tls(port, None)
            connection.request("GET", path)
            answer = connection.getresponse()
            answers[path] = (answer.status, answer.headers["Cache-Control"])
            connection.close()

    assert answers == {
        "/checkpoint": (200, "no-store"),
        "/tile/0/000": (200, "public, max-age=31536000, immutable"),
        "/secret": (404, None),
        "/": (404, None),
    }


def test_the_database_gets_the_roles_of_the_manual() -> None:
    """Its statements are those of `docs/operators.md`, and its check asks for the owner."""
    [stated] = [block.text for block in OPERATORS.blocks() if block.language == "sql"]
    roles = (ROOT / "deploy" / "roles.sql").read_text(encoding="utf-8")

    assert [line for line in roles.splitlines() if line[:2] != "--"] == stated.splitlines()
    assert "makul_owner" in SERVICES["database"]["healthcheck"]["test"]
    assert "/docker-entrypoint-initdb.d/roles.sql" in mounts(SERVICES["database"])


# --- the health check --------------------------------------------------------------------------


class _Ready(BaseHTTPRequestHandler):
    """Answers /readyz with the status of its server, and everything else with 404."""

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/readyz" else 404)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b'{"state": "-"}')

    def log_message(self, *_: object) -> None:
        """Log nothing on stderr."""

    def address_string(self) -> str:
        return "unix"


@contextmanager
def service_that_answers(path: Path, status: int) -> Iterator[None]:
    with UnixStreamServer(str(path), _Ready) as server:
        server.status = status  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_the_health_check_asks_for_readiness(tmp_path: Path, status: int, code: int) -> None:
    """At a real socket: 200 alone is healthy."""
    with service_that_answers(tmp_path / "s", status):
        result = _checked(str(tmp_path / "s"))

    assert (result.returncode, result.stdout.strip()) == (code, '{"state": "-"}')


def test_the_health_check_of_a_service_that_does_not_answer(tmp_path: Path) -> None:
    """One line, and not a traceback."""
    result = _checked(str(tmp_path / "nothing"))

    assert result.returncode == 1
    assert result.stderr.strip() == "readiness: FileNotFoundError: the service does not answer"
    assert _checked().returncode == 2


def _checked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "readiness.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "listener"), [("makul", "WSSE"), ("oversight", "OVERSIGHT"), ("subject", "SUBJECT")]
)
def test_the_health_check_asks_the_socket_of_the_listener(name: str, listener: str) -> None:
    """The check uses only files of the image."""
    kind, python, script, path = SERVICES[name]["healthcheck"]["test"]
    bind = SERVICES[name]["environment"][f"MAKUL_LISTENERS__{listener}__BIND"]

    assert (kind, python) == ("CMD", "/opt/makul/bin/python")
    assert ("COPY", ["deploy/readiness.py", script]) in list(instructions("final"))
    assert bind == f"unix:{path}"
    assert str(Path(path).parent) in mounts(SERVICES[name])

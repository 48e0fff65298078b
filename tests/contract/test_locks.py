"""Each lock has hashes, one version of each package, and what it should have and no more."""

import re
import tomllib

import pytest
from document_commands import simple_commands
from document_pages import pages_in

from makul_testing.distribution import (
    LOCKS,
    metadata,
    packages_in,
    plain_name,
    supported_versions,
)
from makul_testing.paths import ROOT

NAMES = ("build", "client", "dev", "release", "report", "service")
EXTRAS = {
    "client": (),
    "service": ("service",),
    "report": ("service", "report"),
    "dev": ("service", "report", "dev"),
}
"""What each lock of ours serves."""


def required(lock: str) -> set[str]:
    """The packages that setup.cfg asks for by itself, as a lock of this name serves it."""
    extras = metadata()["options.extras_require"]
    texts = [metadata()["options"]["install_requires"], *(extras[each] for each in EXTRAS[lock])]
    lines = (line.strip() for text in texts for line in text.splitlines())
    pins = {line for line in lines if line and not line.startswith(("#", "makul["))}
    return {plain_name(line) for line in pins}


def entries(lock: str) -> list[str]:
    """Each package of a lock with all that belongs to it."""
    text = (LOCKS / f"{lock}.txt").read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return re.split(r"\n(?=\S)", bare)


@pytest.mark.parametrize("name", NAMES)
def test_every_package_has_a_version_and_hashes(name: str) -> None:
    """And nothing of where it was looked up: another index must serve the same files."""
    for entry in entries(name):
        first, *hashes = entry.split(" \\\n")
        assert re.fullmatch(r"[a-z0-9-]+==[\w.+]+(?: ; .+)?", first), first
        assert hashes
        assert all(re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}", each) for each in hashes), first
    assert "://" not in (LOCKS / f"{name}.txt").read_text(encoding="utf-8")


def test_there_are_these_locks_alone() -> None:
    """A new one is checked here too."""
    assert sorted(path.stem for path in LOCKS.glob("*.txt")) == sorted(NAMES)


def test_one_version_of_a_package() -> None:
    """What the tests ran with is what production installs."""
    versions: dict[str, set[str]] = {}
    for name in NAMES:
        for package, version in packages_in(name).items():
            versions.setdefault(package, set()).add(version)

    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_what_its_extras_ask_for(name: str) -> None:
    """The test finds a package that is added to setup.cfg without `make lock`."""
    assert required(name) - packages_in(name).keys() == set()


@pytest.mark.parametrize("name", EXTRAS)
def test_a_lock_has_the_versions_that_are_asked_for(name: str) -> None:
    """The exact pins of setup.cfg."""
    pins = dict(re.findall(r"^\s*([\w\[\],-]+)==([^\s;]+)", _setup(), re.MULTILINE))
    locked = packages_in(name)
    pinned = {plain_name(each): version for each, version in pins.items()}

    assert {package: pinned[package] for package in pinned if package in locked} == {
        package: locked[package] for package in pinned if package in locked
    }


def _setup() -> str:
    return (ROOT / "setup.cfg").read_text(encoding="utf-8")


def test_production_has_no_tool_of_the_tests() -> None:
    """And the client has nothing of the service."""
    tools = required("dev") - required("service")
    serving = required("service") - required("client")

    assert {"pytest", "mypy", "xmlsec"} <= tools
    assert tools & packages_in("service").keys() == set()
    drawing = required("report") - required("service")
    assert drawing == {"weasyprint"}
    assert drawing & packages_in("service").keys() == set()
    assert (tools - drawing) & packages_in("report").keys() == set()
    assert {"spyne", "gunicorn", "sqlalchemy"} <= serving
    assert serving & packages_in("client").keys() == set()


def test_builds_use_the_setuptools_that_is_locked() -> None:
    """`build-system` of pyproject.toml is read by others, who build without our lock."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [needed] = tomllib.loads(text)["build-system"]["requires"]

    assert needed == f"setuptools=={packages_in('build')['setuptools']}"


def test_every_supported_python_is_served() -> None:
    """`cgi` came with Python up to 3.12; a universal lock brings it to 3.13 alone."""
    assert supported_versions() == ["3.11", "3.12", "3.13"]
    assert metadata()["options"]["python_requires"] == ">=3.11,<3.14"
    [entry] = [each for each in entries("service") if each.startswith("legacy-cgi==")]
    assert entry.splitlines()[0] == "legacy-cgi==2.6.4 ; python_full_version >= '3.13' \\"


def test_documents_install_by_locks_that_there_are() -> None:
    """The commands have hashes and the locked builder, or no index."""
    lines = [
        words
        for page in pages_in(ROOT).values()
        for _, line in page.shell_lines(frozenset({"console", "sh"}))
        for words in simple_commands(line)
        if "install" in words[1:2] and words[0].endswith("pip")
    ]

    assert len(lines) >= 3
    for words in lines:
        if "--no-index" not in words:
            assert {"--require-hashes", "--no-build-isolation"} <= set(words), words
            assert (ROOT / words[words.index("--requirement") + 1]).parent == LOCKS


def test_documents_name_the_version_that_is_built() -> None:
    """The names of files and images contain it."""
    text = "".join(page.text for page in pages_in(ROOT).values())
    named = set(re.findall(r"\bmakul[:-]([0-9]+\.[0-9]+\.[0-9]+)\b", text))

    assert named == {metadata()["metadata"]["version"]}

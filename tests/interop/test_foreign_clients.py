"""Example clients in Node.js and Java understand the contract, against a running sandbox.

The kits install their own packages, so they run only on request: `make interop`. There a missing
tool is a failure, not a skip.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from makul_testing.external.foreign_software import Sandbox
from makul_testing.paths import ROOT

CLIENTS = ROOT / "clients"
INSTALL_SECONDS = 600
"""The time for a first Maven build, which fetches a hundred packages."""
ANSWER_SECONDS = 300

DONE, NO, WRONG_USE, REJECTED = 0, 1, 2, 5
"""Exit codes, as `makul-client --help` lists them."""


@dataclass(frozen=True, slots=True)
class Kit:
    """An example kit, with its commands for installing and running in its own directory."""

    name: str
    install: tuple[str, ...]
    ask: tuple[str, ...]

    @property
    def home(self) -> Path:
        return CLIENTS / self.name

    @property
    def tools(self) -> set[str]:
        return {self.install[0], self.ask[0]}


NODE = Kit("node", ("npm", "ci"), ("node", "get-person-data.mjs"))
JAVA = Kit(
    "java",
    ("mvn", "--batch-mode", "--quiet", "package"),
    ("java", "-jar", "target/makul-recipient-example.jar"),
)


@dataclass(frozen=True, slots=True)
class Foreigner:
    """An installed kit that sends requests to a running sandbox."""

    kit: Kit
    sandbox: Sandbox

    def ask(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.kit.ask, "--sandbox", str(self.sandbox.directory), *options],
            cwd=self.kit.home,
            capture_output=True,
            encoding="utf-8",
            timeout=ANSWER_SECONDS,
            check=False,
        )


@pytest.fixture(scope="session", params=[NODE, JAVA], ids=lambda kit: kit.name)
def kit(request: pytest.FixtureRequest, requested: None) -> Kit:
    """Install each kit with its own tool, from its own lock or pins, one after the other."""
    kit: Kit = request.param
    missing = sorted(tool for tool in kit.tools if shutil.which(tool) is None)
    if missing:
        pytest.fail(f"clients/{kit.name} needs {' and '.join(missing)}, found nowhere on the PATH")
    installed = subprocess.run(
        kit.install,
        cwd=kit.home,
        capture_output=True,
        encoding="utf-8",
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if installed.returncode != 0:
        output = installed.stdout + installed.stderr
        pytest.fail(f"clients/{kit.name}: {' '.join(kit.install)} failed:\n{output}")
    return kit


@pytest.fixture(scope="session")
def foreigner(kit: Kit, sandbox: Sandbox) -> Foreigner:
    return Foreigner(kit, sandbox)


def attributes(output: str) -> list[str]:
    """Return the attribute names on the line about the release."""
    return next(
        line.removeprefix("attributes: ").split()
        for line in output.splitlines()
        if line.startswith("attributes: ")
    )


def test_consented_data_are_released(foreigner: Foreigner) -> None:
    """Procedure, cl. 4 and 10: exactly the requested and consented data arrive, over X-Road."""
    answer = foreigner.ask("--paper", "bank-00-data")

    assert answer.returncode == DONE, answer.stderr
    assert answer.stdout.splitlines()[0] == "outcome: RELEASED"
    assert attributes(answer.stdout) == foreigner.sandbox.document("bank-00-data")["attributes"]


def test_data_are_printed_only_on_request(foreigner: Foreigner) -> None:
    """Procedure, cl. 15: names of attributes are printed, and values only with --reveal."""
    surname = foreigner.sandbox.index["citizens"][0]["surname"]["latin"]

    quiet = foreigner.ask("--paper", "bank-00-data")
    open_ = foreigner.ask("--paper", "bank-00-data", "--reveal")

    assert surname not in quiet.stdout + quiet.stderr
    assert surname in open_.stdout


def test_an_expired_consent_is_refused(foreigner: Foreigner) -> None:
    """Procedure, cl. 4: CNS-04, a normal answer with its reason and without data."""
    answer = foreigner.ask("--paper", "expired")

    assert answer.returncode == NO, answer.stderr
    assert answer.stdout.splitlines()[0] == "outcome: REFUSED"
    assert "reason: CNS-04 " in answer.stdout
    assert "attributes: " not in answer.stdout


def test_a_withheld_attribute_is_named(foreigner: Foreigner) -> None:
    """Procedure, cl. 14: RELEASED without the address, which is being corrected (REL-02)."""
    answer = foreigner.ask("--paper", "address-disputed")

    assert answer.returncode == DONE, answer.stderr
    assert "reason: REL-02 (address) " in answer.stdout
    assert attributes(answer.stdout) == ["surname", "givenName"]


def test_an_unknown_member_gets_a_fault(foreigner: Foreigner) -> None:
    """Procedure, cl. 7: a recipient without an agreement gets RCP-01 in the typed detail."""
    answer = foreigner.ask("--client", "KG-SANDBOX/COM/69999999/nobody")

    assert answer.returncode == REJECTED
    assert answer.stdout == ""
    assert answer.stderr.startswith("fault: RCP-01 ")


def test_usage_error_sends_nothing(foreigner: Foreigner) -> None:
    """A document that does not exist is an error before the network is used."""
    answer = foreigner.ask("--paper", "no-such-paper")

    assert answer.returncode == WRONG_USE
    assert answer.stdout == ""


@pytest.mark.parametrize("kit", [NODE], ids=lambda kit: kit.name, indirect=True)
def test_the_published_file_works_like_the_served_one(foreigner: Foreigner) -> None:
    """Procedure, cl. 9: the WSDL on disk finds its schemas; Java has both in its jar."""
    file = CLIENTS.parent / "wsdl" / "v1" / "recipient-xroad.wsdl"

    answer = foreigner.ask("--wsdl", str(file))

    assert answer.returncode == DONE, answer.stderr


def test_the_lock_names_no_registry() -> None:
    """Each package has a version and digest, and no address: each machine has its own registry."""
    lock = json.loads((CLIENTS / "node" / "package-lock.json").read_bytes())
    packages = {name: entry for name, entry in lock["packages"].items() if name}

    assert len(packages) > 1
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())

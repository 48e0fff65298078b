"""EU DSS validates our containers: TOTAL-PASSED at level LT, and not if a file is altered."""

from dataclasses import replace
from pathlib import Path

import pytest

from makul.trust.containers.asice_verification import verify_container
from makul.trust.containers.findings import ContainerFailure
from makul_testing.containers import a_container, changed, zip_of
from makul_testing.external.foreign_software import run
from makul_testing.pki.authorities import NOW
from makul_testing.signing_world import SigningWorld, build_signing_world

AT = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module", params=[False, True], ids=["P-256", "RSA"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SigningWorld:
    return build_signing_world(tmp_path_factory.mktemp("signing"), rsa=request.param)


def validate(java: list[str], world: SigningWorld, container: bytes, path: Path) -> dict[str, str]:
    """Return what DSS's default policy says, with our two test roots trusted."""
    (path / "case.asice").write_bytes(container)
    anchors = []
    for store in (world.directories, world.stamping_directories):
        anchors += [str(each) for each in sorted(store.anchors.iterdir())]
    command = [*java, "interop.Validate", str(path / "case.asice"), AT, *anchors]
    lines = run(command, cwd=path).splitlines()
    return dict(line.split(" ", 1) for line in lines if " " in line)


def test_dss_passes_our_container(java: list[str], world: SigningWorld, tmp_path: Path) -> None:
    """Names in Cyrillic and with spaces included; every algorithm by DSS's own policy."""
    found = validate(
        java, world, a_container(world.operator, prolong=world.prolongation()), tmp_path
    )

    assert (found["container"], found["signatures"]) == ("ASiC-E", "1")
    assert (found["indication"], found["level"]) == ("TOTAL_PASSED", "XAdES-BASELINE-LT"), found


def test_dss_and_we_refuse_an_altered_file(
    java: list[str], world: SigningWorld, tmp_path: Path
) -> None:
    container = a_container(world.operator, prolong=world.prolongation())
    altered = zip_of(changed(container, "case.xml", lambda e: replace(e, content=b"<Other/>")))

    found = validate(java, world, altered, tmp_path)

    assert (found["indication"], found["sub-indication"]) == ("TOTAL_FAILED", "HASH_FAILURE")
    with (tmp_path / "case.asice").open("rb") as file, pytest.raises(ContainerFailure):
        list(verify_container(file, {world.operator.fingerprint}).verify_files())

"""`document verify` trusts the time-stamping authorities of the settings, like the service."""

from datetime import timedelta
from pathlib import Path

import pytest

from makul.admin.document_verification import examine
from makul.admin.requests import DocumentVerificationRequest
from makul_sandbox.output.files import CONFIG
from makul_testing.sandbox_dir import SandboxDirectory, prepare_sandbox


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> SandboxDirectory:
    return prepare_sandbox(tmp_path_factory.mktemp("sandbox") / "made")


def report(prepared: SandboxDirectory, name: str, config: Path) -> bytes:
    question = DocumentVerificationRequest(
        config=config,
        document=prepared.world.documents[name].document,
        profile="consent",
        anchors=None,
        intermediates=None,
        crls=None,
        ocsp=None,
        tsa_anchors=None,
        at=prepared.world.made_at + timedelta(minutes=1),
        existed_at=None,
    )
    return examine(question)


@pytest.mark.parametrize(
    ("name", "indication"),
    [
        ("timestamped", b"TOTAL-PASSED"),
        ("not-timestamped", b"SIG-06"),
        ("timestamped-compromised", b"SIG-06"),
    ],
)
def test_timestamps_count_by_the_settings(
    prepared: SandboxDirectory, name: str, indication: bytes
) -> None:
    """ETSI EN 319 102-1, 5.5.4: a signature from before the revocation stays good."""
    assert indication in report(prepared, name, prepared.directory / CONFIG)


def test_timestamps_of_another_policy_prove_nothing(prepared: SandboxDirectory) -> None:
    """Only the policies of `trust.tsa_policies` count."""
    config = prepared.directory / CONFIG
    other = config.with_name("other-policy.toml")
    lines = [
        'tsa_policies = ["1.3.6.1.4.1.32473.7.10"]' if line.startswith("tsa_policies") else line
        for line in config.read_text().splitlines()
    ]
    other.write_text("\n".join(lines))

    assert b"SIG-06" in report(prepared, "timestamped", other)

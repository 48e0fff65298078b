"""The fuzzer runs without a finding on some hundred inputs, and finds a planted defect."""

from types import SimpleNamespace

import pytest
from lxml import etree

from fuzz import targets
from fuzz.run import TARGETS, shrunk
from fuzz.targets import FindingError
from makul.domain.disclosures import ProofStatus


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"guard", "message"}))
def test_some_inputs_cause_no_finding(name: str) -> None:
    """A few inputs of each target run in every test run; `make fuzz` runs for a given time."""
    target = targets.targets()[name]()

    for seed in [*target.seeds][:8]:
        target.run(seed)
    for number in range(40):
        target.run(number.to_bytes(4, "big"))


def test_a_planted_defect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier that accepts everything that parses is exposed by the first edit of a value."""
    cast, _ = targets._cast()
    targets._signed_contents()

    def gullible(document: bytes, *, at: object) -> object:
        root = etree.fromstring(document)
        return SimpleNamespace(proof=SimpleNamespace(status=ProofStatus.PASSED), signed=root)

    monkeypatch.setattr(targets, "_cast", lambda: (cast, SimpleNamespace(verify=gullible)))

    with pytest.raises(FindingError):
        targets.document_tree(b"any")


def test_every_target_is_listed() -> None:
    """`make fuzz` runs every target."""
    assert set(TARGETS) == set(targets.targets())


def test_findings_are_made_small() -> None:
    """A stored finding contains only what causes it."""
    assert shrunk(b"a" * 50 + b"!" + b"b" * 50, lambda tried: b"!" in tried) == b"!"

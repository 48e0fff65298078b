"""The fuzzing itself: it holds for some hundred inputs, and it would notice a hole."""

from types import SimpleNamespace

import pytest
from lxml import etree

from fuzz import targets
from fuzz.run import TARGETS, shrunk
from fuzz.targets import FindingError
from makul.domain.disclosures import ProofStatus


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"guard", "message"}))
def test_some_inputs(name: str) -> None:
    """A few of each, in every run of the tests; `make fuzz` tries for as long as it is told."""
    target = targets.targets()[name]()

    for seed in [*target.seeds][:8]:
        target.run(seed)
    for number in range(40):
        target.run(number.to_bytes(4, "big"))


def test_a_hole_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier that believes whatever parses is found out by the first edit of a value."""
    cast, _ = targets._cast()
    targets._signed_contents()

    def gullible(document: bytes, *, at: object) -> object:
        root = etree.fromstring(document)
        return SimpleNamespace(proof=SimpleNamespace(status=ProofStatus.PASSED), signed=root)

    monkeypatch.setattr(targets, "_cast", lambda: (cast, SimpleNamespace(verify=gullible)))

    with pytest.raises(FindingError):
        targets.document_tree(b"any")


def test_every_target_is_listed() -> None:
    """`make fuzz` runs what there is."""
    assert set(TARGETS) == set(targets.targets())


def test_findings_are_made_small() -> None:
    """What is kept is what matters."""
    assert shrunk(b"a" * 50 + b"!" + b"b" * 50, lambda tried: b"!" in tried) == b"!"

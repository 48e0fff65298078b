"""The sample of a month follows the published rule, and nobody chooses it (Procedure, cl. 11)."""

from hashlib import sha256
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.month_sample import SampleDraw, rank, sample_seed
from makul.domain.months import Month

BODY = b"log.example/makul\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
BANK = MemberCode("COM/60000001")
SEED = sample_seed(BANK, Month(2026, 10), BODY)


def draw(ids: list[UUID], size: int, seed: bytes = SEED) -> tuple[UUID, ...]:
    drawing = SampleDraw(seed, size)
    for each in ids:
        drawing.add(each, Outcome.RELEASED)
    return drawing.drawn()


def test_the_published_rule() -> None:
    """The seed and the rank are SHA-256 of the bytes that the rule names."""
    text = b"makul month sample/1\nCOM/60000001\n2026-10\n"
    disclosure = UUID("7d9a3c1e-0000-4000-8000-000000000001")

    assert sha256(text + BODY).digest() == SEED
    assert rank(SEED, disclosure) == sha256(SEED + disclosure.bytes).digest()


@given(st.lists(st.uuids(), unique=True, max_size=60), st.integers(0, 20), st.randoms())
def test_the_sample_is_the_smallest_ranks(ids: list[UUID], size: int, random: object) -> None:
    """It depends on the set of disclosures alone, and never on the order of the lines."""
    expected = tuple(sorted(ids, key=lambda each: rank(SEED, each))[:size])

    assert draw(ids, size) == expected
    assert draw(sorted(ids), size) == expected


@given(st.lists(st.uuids(), unique=True, min_size=20, max_size=40))
def test_another_checkpoint_draws_another_sample(ids: list[UUID]) -> None:
    """A changed decision changes the root, and so every rank."""
    other = sample_seed(BANK, Month(2026, 10), BODY.replace(b"AAA=", b"AAE="))

    assert [rank(SEED, each) for each in ids] != [rank(other, each) for each in ids]


def test_only_what_disclosed_is_drawn() -> None:
    """A refusal gave nothing, so its subject is not asked."""
    drawing = SampleDraw(SEED, 5)
    given_id, refused = UUID(int=1), UUID(int=2)
    drawing.add(given_id, Outcome.MATCHED)
    drawing.add(refused, Outcome.REFUSED)

    assert drawing.drawn() == (given_id,)

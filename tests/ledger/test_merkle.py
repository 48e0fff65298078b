"""Merkle trees and proofs (RFC 6962, 2.1; RFC 9162, 2.1)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.ledger.leaf import leaf_hash
from makul.ledger.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    node_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "rfc6962.json").read_text("utf-8"))
LEAVES = [leaf_hash(bytes.fromhex(data)) for data in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]
STRANGER = leaf_hash(b"not in the tree")


def proof_of(vector: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(node) for node in vector["proof"])


def name_of(vector: dict[str, Any]) -> str:
    return "-".join(str(value) for key, value in vector.items() if key != "proof")


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_reference_roots(size: int) -> None:
    """RFC 6962, 2.1: the Merkle tree hash, from the empty tree on."""
    assert tree_root(LEAVES[:size]) == ROOTS[size]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=name_of)
def test_inclusion_proofs_are_the_reference_proofs(vector: dict[str, Any]) -> None:
    """RFC 6962, 2.1.1: the audit path."""
    index, size = vector["index"], vector["size"]

    assert inclusion_proof(index, LEAVES[:size]) == proof_of(vector)
    assert verify_inclusion(
        LEAVES[index], index=index, size=size, proof=proof_of(vector), root=ROOTS[size]
    )


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=name_of)
def test_consistency_proofs_are_the_reference_proofs(vector: dict[str, Any]) -> None:
    """RFC 6962, 2.1.2: the proofs show that the ledger only grew."""
    old, new = vector["old_size"], vector["new_size"]

    assert consistency_proof(old, LEAVES[:new]) == proof_of(vector)
    assert verify_consistency(
        old_size=old,
        old_root=ROOTS[old],
        new_size=new,
        new_root=ROOTS[new],
        proof=proof_of(vector),
    )


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(bytes([number])) for number in range(count)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_every_small_tree_is_provable_only_at_its_index(size: int) -> None:
    """RFC 9162, 2.1.3.2: a proof is valid only for its leaf, index, size and root."""
    leaves = some_leaves(size)
    root = tree_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(index, leaves)
        assert verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)
        for elsewhere in range(-1, size + 1):
            held = verify_inclusion(leaf, index=elsewhere, size=size, proof=proof, root=root)
            assert held is (elsewhere == index)
        assert not verify_inclusion(STRANGER, index=index, size=size, proof=proof, root=root)
        assert not verify_inclusion(leaf, index=index, size=size, proof=proof, root=STRANGER)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_prefix_of_every_small_tree_is_consistent_with_it(size: int) -> None:
    """RFC 9162, 2.1.4.2: a prefix with another root or of another size is not consistent."""
    leaves = some_leaves(size)
    roots = [tree_root(leaves[:count]) for count in range(size + 1)]
    for old in range(1, size + 1):
        proof = consistency_proof(old, leaves)
        for claimed in range(1, size + 1):
            held = verify_consistency(
                old_size=claimed,
                old_root=roots[claimed],
                new_size=size,
                new_root=roots[size],
                proof=proof,
            )
            assert held is (claimed == old)


@given(st.data())
def test_a_mutated_proof_proves_nothing(data: st.DataObject) -> None:
    """A proof with a flipped bit, or a dropped, repeated, swapped or cut node is refused without an
    error.
    """
    leaves = some_leaves(data.draw(st.integers(3, 40)))
    index = data.draw(st.integers(0, len(leaves) - 1))
    old = data.draw(st.integers(1, len(leaves) - 1))
    inclusion = inclusion_proof(index, leaves)
    consistency = consistency_proof(old, leaves)
    root = tree_root(leaves)

    assert not verify_inclusion(
        leaves[index],
        index=index,
        size=len(leaves),
        proof=mutate(inclusion, data),
        root=root,
    )
    assert not verify_consistency(
        old_size=old,
        old_root=tree_root(leaves[:old]),
        new_size=len(leaves),
        new_root=root,
        proof=mutate(consistency, data),
    )


def mutate(proof: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    at = data.draw(st.integers(0, len(proof) - 1))
    node = proof[at]
    mutants = {
        "flipped bit": (*proof[:at], bytes([node[0] ^ 1]) + node[1:], *proof[at + 1 :]),
        "missing node": proof[:at] + proof[at + 1 :],
        "repeated node": proof[: at + 1] + proof[at:],
        "extra node": (*proof, STRANGER),
        "cut node": (*proof[:at], node[:-1], *proof[at + 1 :]),
        "longer node": (*proof[:at], node + b"\x00", *proof[at + 1 :]),
        "reversed": proof[::-1] if len(set(proof)) > 1 else (),
        "none": (),
    }
    return mutants[data.draw(st.sampled_from(sorted(mutants)))]


def test_a_rewritten_history_is_not_consistent() -> None:
    """Anybody with an old root finds an entry that was changed afterwards."""
    honest = some_leaves(7)
    rewritten = [*honest[:2], STRANGER, *honest[3:], STRANGER]

    assert not verify_consistency(
        old_size=7,
        old_root=tree_root(honest),
        new_size=8,
        new_root=tree_root(rewritten),
        proof=consistency_proof(7, rewritten),
    )


def test_hashes_of_other_lengths_are_refused() -> None:
    """Hashes of other lengths are refused, because the node's preimage could be split elsewhere."""
    left, right = some_leaves(2)
    joined = left + right
    root = node_hash(left, right)

    assert node_hash(joined[:16], joined[16:]) == root
    assert not verify_inclusion(joined[:16], index=0, size=2, proof=(joined[16:],), root=root)


def test_a_node_is_no_leaf() -> None:
    """RFC 6962, 2.1: prefixes distinguish the preimage of a node from an entry."""
    left, right = some_leaves(2)

    assert leaf_hash(left + right) != node_hash(left, right)


@pytest.mark.parametrize(
    ("old_root", "proof", "held"),
    [
        (EMPTY_ROOT, (), True),
        (STRANGER, (), False),
        (EMPTY_ROOT, (STRANGER,), False),
    ],
)
def test_every_tree_is_consistent_with_the_empty_tree(
    old_root: bytes, proof: tuple[bytes, ...], held: bool
) -> None:
    """RFC 9162, 2.1.4: the empty tree has one root and needs no proof."""
    found = verify_consistency(
        old_size=0, old_root=old_root, new_size=3, new_root=STRANGER, proof=proof
    )

    assert found is held


@pytest.mark.parametrize(("old_size", "new_size"), [(-1, 3), (4, 3), (3, -1)])
def test_impossible_sizes_prove_nothing(old_size: int, new_size: int) -> None:
    """A ledger cannot shrink."""
    assert not verify_consistency(
        old_size=old_size, old_root=STRANGER, new_size=new_size, new_root=STRANGER, proof=()
    )


def test_proofs_of_missing_leaves_are_not_made() -> None:
    """The holder of the tree gets errors for wrong arguments; verifiers never raise."""
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(index, some_leaves(3))
    for old_size in (-1, 0, 4):
        with pytest.raises(IndexError):
            consistency_proof(old_size, some_leaves(3))

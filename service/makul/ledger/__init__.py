"""The append-only log that commits to every decision: only hashes and proofs.

Pure code that uses only the standard library. `leaf` makes the leaf of a decision. `merkle` builds
the tree over the leaves (RFC 6962, 2.1; RFC 9162, 2.1) and proofs that anyone can check without the
operator.
"""

"""The append-only log that every decision is committed to: hashes, proofs, and nothing else.

Pure and standard library only. `commitment` makes a leaf of a decision, `merkle` the tree over the
leaves (RFC 6962, 2.1; RFC 9162, 2.1) and the proofs that anybody can check without the operator.
"""

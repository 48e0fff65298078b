"""The witness: a program that follows the log, believes nothing of it, and cosigns what only grew.

It runs elsewhere and for somebody else than the operator, with the log's public key, a key and a
state directory of its own, and nothing more. `judging` computes, `source` fetches, `state`
remembers over crashes, `program` does a round, `serving` shows the cosigned checkpoint.
"""

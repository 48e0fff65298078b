"""The witness: a program that follows the log and cosigns only a tree that was appended to.

It trusts nothing the log claims. It runs outside the operator's organisation, with only the log's
public key, a key of its own and a state directory. `consistency` computes, `log_source` fetches,
`state` stores across crashes, `witness` does a round, `http` serves the cosigned checkpoint and
`runtime` connects them.
"""

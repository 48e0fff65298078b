"""The history of a sandbox: requests of the last month, as recipients really sent them (cl. 11).

A month can be closed only after it has ended, so a sandbox without a past has nothing to close. The
requests are sent by the reference client over HTTP and decided by the whole service. Only the
clock of both shows moments of the last month. Nothing is written into the record in another way.
"""

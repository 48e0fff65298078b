"""Judging a signature check by check, and the report of it (ETSI EN 319 102-1)."""

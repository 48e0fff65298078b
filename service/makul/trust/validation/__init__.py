"""Validate a signature check by check and report the result (ETSI EN 319 102-1)."""

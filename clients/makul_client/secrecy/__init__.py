"""Secrecy of a recipient's employees, incidents and deletions (Procedure, cl. 15 and 16)."""

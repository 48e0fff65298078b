"""Copies of a store: how one is made, what is in it, and how it is restored.

No copy contains a key, and none is needed to make one. Without the store's keys a copy discloses
nothing about people.
"""

"""What an error comes to, in words of the system: no message of a library, which may quote data."""


def system_cause(error: BaseException) -> str | None:
    """Return what the system said beneath an error, such as "Connection refused"; None if nothing.

    Libraries wrap the system's error, some of them twice.
    """
    found: BaseException | None = error
    for _ in range(16):
        if found is None:
            return None
        if isinstance(found, TimeoutError):
            return "no answer in time"
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return None


def in_brackets(cause: str | None) -> str:
    """Return the cause as the end of a message; nothing where there is none."""
    return "" if cause is None else f" ({cause})"

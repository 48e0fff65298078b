"""Describe an error in the system's words.

A library's message is never used, because it may quote data.
"""


def system_cause(error: BaseException) -> str | None:
    """Return the system's error beneath an error, such as "Connection refused", or None.

    Libraries wrap the system's error, some of them twice.
    """
    link: BaseException | None = error
    for _ in range(16):
        if link is None:
            return None
        if isinstance(link, TimeoutError):
            return "no answer in time"
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__
    return None


def in_brackets(cause: str | None) -> str:
    """Return the cause in parentheses as the end of a message; an empty string if there is none."""
    return "" if cause is None else f" ({cause})"

"""Describe an error in the system's words.

A library's message is never used, because it may quote data.
"""

from makul.language.translation import mark


def system_cause(error: BaseException) -> str | None:
    """Return the system's error beneath an error, such as "Connection refused", or None.

    The text is in English; `translate_cause` translates it for people.

    Libraries wrap the system's error, some of them twice.
    """
    link: BaseException | None = error
    for _ in range(16):
        if link is None:
            return None
        if isinstance(link, TimeoutError):
            return mark("no answer in time")
        if isinstance(link, OSError) and link.strerror:
            return link.strerror
        link = link.__cause__ or link.__context__
    return None

"""Rules for the names of entries, and their URIs in references and in the manifest.

A name must lead to the same file on every system, and no two names to one file. So only names that
no file system reads in a special way are accepted: relative, in Unicode form C, without characters
that Windows reserves. Cyrillic letters and spaces are accepted.
"""

import re
import unicodedata
from urllib.parse import quote

from makul.trust.containers.findings import ContainerFailure, ContainerFinding

MAX_NAME_BYTES = 512
"""The maximum length of a name. Those of evidence files have below 200 bytes."""

MIMETYPE = "mimetype"
META_DIRECTORY = "META-INF/"
MANIFEST = "META-INF/manifest.xml"
SIGNATURE = "META-INF/signatures0.xml"

_RESERVED = frozenset('<>"|?*')
_DRIVE = re.compile(r"[^/]*:")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names that Windows reads as devices, also with a suffix."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that nobody can see, or that have no meaning yet."""


def require_safe_name(name: str) -> None:
    """Raise `ContainerFailure` unless a name is one that every system reads as the same file."""
    if name.startswith("/") or "\\" in name or _DRIVE.match(name) or ".." in name.split("/"):
        raise ContainerFailure(ContainerFinding.NAME_ESCAPES, name)
    if (
        not name
        or len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES
        or any(letter in _RESERVED or unicodedata.category(letter) in _HIDDEN for letter in name)
        or unicodedata.normalize("NFC", name) != name
        or not all(_is_plain_segment(segment) for segment in name.split("/"))
    ):
        raise ContainerFailure(ContainerFinding.NAME_MALFORMED, name)


def _is_plain_segment(segment: str) -> bool:
    if segment in {"", "."} or segment[-1] in ". " or segment[0] == " " or ":" in segment:
        return False
    return _DEVICE.fullmatch(segment) is None


class DistinctNames:
    """The names of a container so far, of which no two may lead to one file."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._directories: set[str] = set()

    def add(self, name: str) -> None:
        """Add a name. Raises `ContainerFailure` if it may be the file or directory of another."""
        key = _comparison_key(name)
        parts = key.split("/")
        parents = {"/".join(parts[:count]) for count in range(1, len(parts))}
        if key in self._files or key in self._directories or not parents.isdisjoint(self._files):
            raise ContainerFailure(ContainerFinding.NAME_REPEATED, name)
        self._files.add(key)
        self._directories |= parents


def _comparison_key(name: str) -> str:
    """Return what a file system compares that ignores case and Unicode form (Unicode, D146)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def uri_of(name: str) -> str:
    """Return the relative URI of a name (RFC 3986): percent-encoded UTF-8, in one form."""
    return quote(name, safe="/")

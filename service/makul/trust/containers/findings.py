"""Define what is wrong with a container, each fault by its own name."""

from enum import StrEnum

MAX_SHOWN_CHARACTERS = 120
"""The part of an entry's name that a message shows. A hostile name may have any length."""


class ContainerFinding(StrEnum):
    """The reason why a container is refused. Programs read these words."""

    NOT_A_ZIP = "NOT_A_ZIP"
    BYTES_BEFORE = "BYTES_BEFORE"
    BYTES_AFTER = "BYTES_AFTER"
    BYTES_BETWEEN = "BYTES_BETWEEN"
    """Bytes of the file that belong to no entry, for example an entry that the directory hides."""
    ZIP64 = "ZIP64"
    """Fields of ZIP64 where none are needed, or that contradict the others."""
    DIRECTORY_DIFFERS = "DIRECTORY_DIFFERS"
    """The central directory and a local header state different values."""
    ENCRYPTED = "ENCRYPTED"
    DATA_DESCRIPTOR = "DATA_DESCRIPTOR"
    """Sizes are stated after the content, so that two readers may see different content."""
    EXTRA_FIELD = "EXTRA_FIELD"
    UNKNOWN_FEATURE = "UNKNOWN_FEATURE"
    """A method, a flag, a comment or a disk that no evidence file has."""
    NOT_A_FILE = "NOT_A_FILE"
    """A symbolic link, a directory or a device."""
    NAME_ESCAPES = "NAME_ESCAPES"
    """A name that leads out of a directory: absolute, with `..`, with a backslash or a drive."""
    NAME_MALFORMED = "NAME_MALFORMED"
    NAME_REPEATED = "NAME_REPEATED"
    """Two names that a file system may take for one: equal, or but for case and Unicode form."""
    TOO_MANY_ENTRIES = "TOO_MANY_ENTRIES"
    TOO_LARGE = "TOO_LARGE"
    RATIO = "RATIO"
    """An entry that is compressed more than content of evidence can be."""
    CONTENT = "CONTENT"
    """An entry whose content does not decompress to the stated size and checksum."""
    MIMETYPE_MISSING = "MIMETYPE_MISSING"
    MIMETYPE_LATE = "MIMETYPE_LATE"
    MIMETYPE_COMPRESSED = "MIMETYPE_COMPRESSED"
    MIMETYPE_EXTRA_FIELD = "MIMETYPE_EXTRA_FIELD"
    MIMETYPE_OTHER = "MIMETYPE_OTHER"
    MANIFEST_MISSING = "MANIFEST_MISSING"
    MANIFEST_REPEATED = "MANIFEST_REPEATED"
    MANIFEST_DIFFERS = "MANIFEST_DIFFERS"
    """The manifest names other files or media types than the signature, or has another form."""
    SIGNATURE_MISSING = "SIGNATURE_MISSING"
    SIGNATURE_REPEATED = "SIGNATURE_REPEATED"
    SIGNATURE_MALFORMED = "SIGNATURE_MALFORMED"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    FOREIGN_SIGNER = "FOREIGN_SIGNER"
    UNTRUSTED_SIGNER = "UNTRUSTED_SIGNER"
    """No trusted path leads to the signer's certificate at the time of the timestamp."""
    TIMESTAMP_MISSING = "TIMESTAMP_MISSING"
    TIMESTAMP_INVALID = "TIMESTAMP_INVALID"
    UNSIGNED_FILE = "UNSIGNED_FILE"
    MISSING_FILE = "MISSING_FILE"
    ALTERED_FILE = "ALTERED_FILE"


class ContainerFailure(Exception):  # noqa: N818 - a finding about a container, not a broken machine
    """The container is refused. It names one finding and the entry, if it is about one."""

    def __init__(self, finding: ContainerFinding, entry: str | None = None, why: str = "") -> None:
        shown = "" if entry is None else f" ({entry[:MAX_SHOWN_CHARACTERS]!a})"
        super().__init__(f"{finding}{shown}{f': {why}' if why else ''}")
        self.finding = finding
        self.entry = entry

"""The layout of an encrypted field: format · master key id · wrapped data key · ciphertext and tag.

The first three are its head. A new master key changes the head, and never the ciphertext.
"""

from typing import Final

KEY_BYTES: Final = 32
"""AES-256 and HMAC-SHA256 keys."""

KEY_ID_BYTES: Final = 8
"""A key id is 4 random bytes in hexadecimal: a name, not a secret."""

FIELD_FORMAT: Final = b"\x01"
KEY_ID_END: Final = len(FIELD_FORMAT) + KEY_ID_BYTES
HEAD_BYTES: Final = KEY_ID_END + KEY_BYTES + 8  # RFC 3394 adds 8 bytes to the wrapped key
"""The length of the head; triggers hold it in SQL, so it changes only together with a migration."""

"""The layout of an encrypted field: format · master key id · wrapped data key · ciphertext and tag.

The first three parts are its head. A new master key changes the head, and never the ciphertext.
"""

from typing import Final

KEY_BYTES: Final = 32
"""The length of AES-256 and HMAC-SHA256 keys."""

KEY_ID_BYTES: Final = 8
"""The length of a key id: 4 random bytes in hexadecimal. It is a name, not a secret."""

FIELD_FORMAT: Final = b"\x01"
KEY_ID_END: Final = len(FIELD_FORMAT) + KEY_ID_BYTES
HEAD_BYTES: Final = KEY_ID_END + KEY_BYTES + 8  # RFC 3394 adds 8 bytes to the wrapped key
"""The length of the head; triggers contain it in SQL, so only a migration may change it."""

"""The messages of the pure package `makul.ledger` that people read, for the catalogs.

That package knows no language: its errors hold a template and its fields. A test compares these
messages with it.
"""

from typing import Final

from makul.language.translation import mark

LEDGER_MESSAGES: Final = (
    mark("a checkpoint has an origin, a size and a root, and no more"),
    mark("a checkpoint is not that long"),
    mark("a checkpoint's root is in base64"),
    mark("a checkpoint's root is not written in plain base64"),
    mark("a control character in a note"),
    mark("a key of a type that is not taken here"),
    mark("a key's id is {number} bytes long"),
    mark("a key's name is 1 to {number} bytes long"),
    mark("a key's name with a space, a plus sign or a control character"),
    mark("a log has at least no leaves, and fewer than 2 to the 63"),
    mark("a note has 1 to {number} signatures"),
    mark("a note longer than {number} bytes"),
    mark("a note that is not UTF-8"),
    mark("a note with more than {number} signatures"),
    mark("a note without a blank line between text and signatures"),
    mark("a root is 32 bytes long"),
    mark("a signature is 1 to {number} bytes long"),
    mark("a signature line without a signature"),
    mark("a signature line without its em dash"),
    mark("a text that does not end with a line feed"),
    mark("a verifier key is <name>+<id>+<base64>"),
    mark("a verifier key without a key"),
    mark("an Ed25519 key is {number} bytes long"),
    mark("an origin is a printable name without spaces and plus signs"),
    mark("base64 in another form than the canonical one"),
    mark("not base64"),
    mark("the id in a verifier key is not that of its name and key"),
    mark("{path} has another length than it should"),
)

"""`[receipts]` of the settings: the keys of the operator's receipts, in files or a token."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from makul.config.base import Section
from makul.language.translation import translate


class TokenSettings(Section):
    """A key in a PKCS#11 token. The settings never contain the PIN itself."""

    module: Path
    """The vendor's shared library, such as `/usr/lib/softhsm/libsofthsm2.so`."""
    token_label: str | None = None
    slot: Annotated[int, Field(ge=0)] | None = None
    key_label: str | None = None
    key_id: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2})+$")] | None = None
    """CKA_ID, in hexadecimal."""
    pin_file: Path | None = None
    """A file whose first line is the PIN; only its owner may read it."""
    pin_env: str | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.token_label is None) is (self.slot is None):
            raise ValueError(translate("name the token by token_label or by slot"))
        if self.key_label is None and self.key_id is None:
            raise ValueError(translate("name the key by key_label, key_id or both"))
        if (self.pin_file is None) is (self.pin_env is None):
            raise ValueError(translate("give the PIN by pin_file or by pin_env"))
        return self


class ReceiptSettings(Section):
    """The present and former keys with which the operator signs receipts."""

    certificate: Path
    key: Path | None = None
    password_file: Path | None = None
    """A file whose first line is the password of an encrypted `key`; only its owner may read it."""
    pkcs11: TokenSettings | None = None
    next: Path | None = None
    """The certificate that will follow this one: announced, and not used yet."""
    retired: Path | None = None
    """A directory of earlier certificates, and of marks of compromised keys."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.key is None) is (self.pkcs11 is None):
            raise ValueError(translate("give either key or [receipts.pkcs11]"))
        if self.password_file is not None and self.key is None:
            raise ValueError(translate("password_file belongs to key"))
        return self

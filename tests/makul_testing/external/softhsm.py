"""A software token (SoftHSM2) in a temporary directory."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from makul.trust.base.algorithms import PrivateKey
from makul.trust.keys.pkcs11 import TokenLocation
from makul_testing.external.requirements import found

PIN = "246813"
TOKEN = "makul"
KEY = "receipts"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)


@dataclass(frozen=True, slots=True)
class SoftToken:
    """An initialised token."""

    directory: Path

    @property
    def config(self) -> Path:
        """Return the file that SOFTHSM2_CONF must name."""
        return self.directory / "softhsm2.conf"

    @property
    def pin_file(self) -> Path:
        return self.directory / "pin"

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.config)}

    def place(self, **changes: object) -> TokenLocation:
        fields: dict[str, object] = {
            "module": module(),
            "token_label": TOKEN,
            "key_label": KEY,
            "pin_file": self.pin_file,
        }
        return TokenLocation(**(fields | changes))  # type: ignore[arg-type]

    def toml(self, certificate: str = "receipts.cert.pem") -> str:
        """Return the settings section of a service with its key here."""
        return (
            f'[receipts]\ncertificate = "{certificate}"\n'
            f'[receipts.pkcs11]\nmodule = "{module()}"\ntoken_label = "{TOKEN}"\n'
            f'key_label = "{KEY}"\npin_file = "{self.pin_file}"\n'
        )

    def store(self, key: PrivateKey, *, label: str = KEY, number: str = "01") -> None:
        """Store a private key."""
        file = self.directory / "imported.pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._run("--import", file, "--token", TOKEN, "--label", label, "--id", number)
        file.unlink()

    def take_out(self) -> None:
        """Remove the token, as if somebody had unplugged it."""
        (self.directory / "tokens").rename(self.directory / "away")
        (self.directory / "tokens").mkdir()

    def put_back(self) -> None:
        shutil.rmtree(self.directory / "tokens", ignore_errors=True)
        (self.directory / "away").rename(self.directory / "tokens")

    def _run(self, *arguments: object) -> None:
        util = found("softhsm2-util")
        assert util is not None
        command = [util, *map(str, arguments), "--pin", PIN]
        subprocess.run(command, env=os.environ | self.environment, check=True, capture_output=True)


def make_token(directory: Path) -> SoftToken:
    """Make an empty token, with its PIN in a file."""
    token = SoftToken(directory)
    (directory / "tokens").mkdir(parents=True)
    token.config.write_text(
        f"directories.tokendir = {directory / 'tokens'}\nobjectstore.backend = file\n"
        "log.level = ERROR\nslots.removable = true\n"
    )
    token.pin_file.write_text(PIN + "\n")
    token.pin_file.chmod(0o600)
    token._run("--init-token", "--free", "--label", TOKEN, "--so-pin", PIN)
    return token


def module() -> Path:
    """Return the library of the installed SoftHSM2."""
    return next(path for path in map(Path, _MODULES) if path.exists())

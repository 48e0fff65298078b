"""What an operator can mend, told in one line; and who the operator is."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from makul.app.ports import SignerUnavailableError, StoreUnavailableError
from makul.cli.house import HouseUnavailableError
from makul.logs import LogError
from makul.observing.spool import SpoolError
from makul.settings import Settings, SettingsError
from makul.store import Store, StoreKeys, StoreKeysError, open_store
from makul.trust.keys import KeyFileError
from makul.trust.material import TrustStoreError

MENDABLE = (
    SettingsError,
    StoreKeysError,
    KeyFileError,
    TrustStoreError,
    SignerUnavailableError,
    LogError,
    SpoolError,
)
"""What an operator can mend; each message is one line that says what to do."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn what can be mended into one line for the operator."""
    try:
        yield
    except MENDABLE as error:
        raise HouseUnavailableError(str(error)) from None
    except StoreUnavailableError as error:
        raise HouseUnavailableError(f"{error}") from None


def who() -> str:
    """Whom the desk's log names: the user of this machine, and the one behind sudo."""
    user = getpass.getuser()
    behind = os.environ.get("SUDO_USER")
    return f"{user} ({behind})" if behind and behind != user else user


def open_of(settings: Settings) -> Store:
    """The store of these settings, for this user."""
    return open_store(settings.place, StoreKeys.load(settings.store.keys), who=who())

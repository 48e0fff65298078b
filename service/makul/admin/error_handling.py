"""Translation of errors that an operator can correct, and the identity of the operator."""

from collections.abc import Iterator
from contextlib import contextmanager

from makul.admin.errors import OperatorUnavailableError
from makul.app.ports import SignerUnavailableError, StoreUnavailableError
from makul.config.settings import Settings, SettingsError
from makul.net.files import FileError
from makul.net.users import identify_operator
from makul.observability.logging_config import LogError
from makul.observability.multiprocess import WorkerMetricsError
from makul.store import Store, StoreKeys, StoreKeysError, open_store
from makul.trust.keys.files import KeyFileError
from makul.trust.pki.trust_material import TrustStoreError

MENDABLE = (
    SettingsError,
    StoreKeysError,
    KeyFileError,
    TrustStoreError,
    SignerUnavailableError,
    LogError,
    WorkerMetricsError,
    FileError,
)
"""Errors that an operator can correct. Each message is one line that says what to do."""


@contextmanager
def as_operator_error() -> Iterator[None]:
    """Translate the errors that an operator can correct into `OperatorUnavailableError`."""
    try:
        yield
    except MENDABLE as error:
        raise OperatorUnavailableError(str(error)) from None
    except StoreUnavailableError as error:
        raise OperatorUnavailableError(f"{error}") from None


def open_store_for(settings: Settings, *, mapped: bool = False) -> Store:
    """Open the store of these settings for this user; `mapped` is that of `open_store`."""
    keys = StoreKeys.load(settings.store.keys)
    return open_store(settings.place, keys, who=identify_operator(), mapped=mapped)

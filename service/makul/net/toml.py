"""TOML files that people write: settings and agreements."""

import tomllib
from pathlib import Path

from makul.net.files import FileError, read_bounded


def read_toml(path: Path, max_bytes: int) -> dict[str, object]:
    """Return the tables of a TOML file; raises `FileError`, which names the file and the fault.

    A byte order mark at the beginning is passed over: editors on Windows write it.
    """
    content = read_bounded(path, max_bytes)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FileError(path, "not TOML: it is not UTF-8. Save it as UTF-8.") from None
    except RecursionError:
        raise FileError(path, "not TOML: it is nested too deep.") from None
    except tomllib.TOMLDecodeError as error:
        raise FileError(path, f"not TOML: {error}") from None
    except ValueError:  # an integer of more digits than Python reads (sys.set_int_max_str_digits)
        raise FileError(path, "not TOML: a number in it is too long.") from None

"""Read TOML files that people write: settings and agreements."""

import re
import tomllib
from pathlib import Path
from typing import Final

from makul.language.translation import CATALOGS, translate
from makul.net.files import FileError, read_bounded
from makul_language.toml_faults import describe_toml_fault

_PART: Final = r"""(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_KEY: Final = re.compile(rf"(?<![\w-]){_PART}(?>[ \t]*+\.[ \t]*+{_PART}){{32}}")
"""A key of more than 32 parts.

The time of `tomllib` is quadratic in the parts: minutes for 64 KiB.
"""


def read_toml(path: Path, max_bytes: int) -> dict[str, object]:
    """Return the tables of a TOML file; raises `FileError`, which names the file and the fault.

    A byte order mark at the beginning is ignored: editors on Windows write it.
    """
    content = read_bounded(path, max_bytes)
    try:
        text = content.decode("utf-8-sig")
        if _DEEP_KEY.search(text):
            raise FileError(path, translate("not TOML: a key of more than 32 parts."))
        return tomllib.loads(text)
    except UnicodeDecodeError:
        raise FileError(path, translate("not TOML: it is not UTF-8. Save it as UTF-8.")) from None
    except RecursionError:
        raise FileError(path, translate("not TOML: it is nested too deep.")) from None
    except tomllib.TOMLDecodeError as error:
        problem = describe_toml_fault(error, CATALOGS)
        raise FileError(path, translate("not TOML: {problem}", problem=problem)) from None
    except ValueError:  # Python limits the digits of an integer (sys.set_int_max_str_digits)
        raise FileError(path, translate("not TOML: a number in it is too long.")) from None

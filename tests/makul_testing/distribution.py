"""What is installed: the metadata of setup.cfg and the packages of each lock."""

import configparser
import re
from collections.abc import Mapping

from makul_testing.paths import ROOT

LOCKS = ROOT / "requirements"


def metadata() -> configparser.ConfigParser:
    """Return setup.cfg."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def supported_versions() -> list[str]:
    """Return the versions of Python that the metadata name, the oldest first."""
    classifiers = metadata()["metadata"]["classifiers"]
    return re.findall(r"Python :: (3\.[0-9]+)$", classifiers, re.MULTILINE)


def packages_in(lock: str) -> Mapping[str, str]:
    """Return the version of each package of a lock, by its name."""
    text = (LOCKS / f"{lock}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==([^\s;]+)", text, re.MULTILINE))


def plain_name(requirement: str) -> str:
    """Return the name of a package as locks write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>;\s]", requirement)[0]).lower()

"""Import every submodule of the installed packages, to find what the wheel lacks.

Run it outside the checkout, with the interpreter of a virtual environment that holds only the
wheel. Arguments name the packages, for an installation without extras; without arguments all are
imported.
"""

import importlib
import importlib.util
import pkgutil
import sys

import makul_schemas
import makul_wsdl

RUN_BY_OTHERS = {"makul.__main__", "makul.store.schema.migrations.env"}
"""Modules that are scripts, which the interpreter and Alembic run. They only must exist."""

PACKAGES = tuple(sys.argv[1:]) or (
    "makul",
    "makul_sandbox",
    "makul_client",
    "makul_language",
    "makul_schemas",
    "makul_wsdl",
)


def main() -> None:
    """Import everything, and read one file of each package that contains data."""
    names = set(PACKAGES)
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        names |= {module.name for module in pkgutil.walk_packages(path, f"{package}.")}
    for name in sorted(names):
        if name in RUN_BY_OTHERS:
            assert importlib.util.find_spec(name) is not None, name
        else:
            importlib.import_module(name)
    makul_schemas.read("types.xsd")
    makul_wsdl.read("recipient.wsdl")
    print(f"{len(names)} modules import from the wheel")


if __name__ == "__main__":
    main()

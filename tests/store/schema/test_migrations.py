"""A released migration is frozen: no later change of the program changes its effect."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

import makul.store.schema.migrations
from makul.store.db.location import DatabaseLocation
from makul.store.db.sqlite import connect, driver
from makul.store.schema.version import VERSION
from makul_testing.external.postgres import Cluster

HERE = Path(makul.store.schema.migrations.__file__).parent

RELEASED: dict[str, tuple[str, str]] = {
    "0001": (
        "2d1fb25203cca5d623bed10a30bf52a296423ab5d88629d9cfc12244032ba5a7",
        "bf457045c36cc4ea6c4db3eafcab77b94d65f38826faee06c0f38518776f7a14",
    ),
    "0002": (
        "eb0f279ca1fe982b110678965c54c97d3aceb87ba93e9783f3bbf43b6fc0a992",
        "d52a654540ee65d39a0b54f1471a62b1414801be21362380d47e88e9751bfd7b",
    ),
    "0003": (
        "2e9a0c7a7202f54fb6b555f1dc600f8f58640d4152e449d9503e285a16b9dc9f",
        "3c2b10e0efb4abddc43366d6822b242276de3e19e515fa853e982ae1ece45ac5",
    ),
    "0004": (
        "2ba86df112d966e2e84cbe71136fa8fb00c579a3c29c1244aa6458efa2bffb7b",
        "0d478329c2e573c21a2541989d1190e41ed000388da960e70423e727441d7d1c",
    ),
    "0005": (
        "d231b4e90d6a62bacaa36238948bba2b5a9b390b6c575d23f41be3002320d6c3",
        "34afd92f924e3124ac069bc9887966feff8d17b9c256aa25ade83a2ebdfef3b5",
    ),
    "0006": (
        "3f39856cec6c5a7792eaa1740bf7809fce1c8648c6371b54439ce1fdd37a0786",
        "3f39856cec6c5a7792eaa1740bf7809fce1c8648c6371b54439ce1fdd37a0786",
    ),
    "0007": (
        "4f7dfc82c1e9cb0c2d5f43318d23d5b1ecb4115bbc6a6909df26ae153c9b184d",
        "afd088a84a054d46b0b158a5651c8540e8f41e848610d7cd4a358e96f46bbc5e",
    ),
    "0008": (
        "65d304bc839f4a87b0b1cd783c57268833ca3cbcb957c2cfae498d9242b9728c",
        "fd526bd9dc3b885a43dfb84cf95a4b9bdf06438510d13e0373582c662a9f0df5",
    ),
    "0009": (
        "56e0575532fa696da185ef5748dc1e7301f35397b13763d56b2f685254c5ca47",
        "1681e8ace3a0ac1b7429764fdbbb9caffaa3e4430320bb0dad8e3443f540b259",
    ),
    "0010": (
        "ac6ded29e5d5d0186c870387661e0e18941a7fa26c66b836594f80598b001318",
        "0e1936476530321c5bd8c387898edee868ad900c2093132a6a2518d3704d836c",
    ),
    "0011": (
        "093a6e5e02720369f8cb58749cab681e93e47721b883a717baf25ac2b9830682",
        "193f9164fa6fc4ccc81155b5dd50ca51c4eca2b20d64e8669705b63033acbf14",
    ),
    "0012": (
        "d2826f61eacae0ad36981469e2d1e11a8b1c2fd389447fc45df9fb4efcb43bc8",
        "0dfe4f688ec99b1de3e77003432865da7585d828e3f3437ab0077a7f125378e2",
    ),
    "0013": (
        "96b5936ecff2f64513aaae2019e60a65ce1ae522d2279d06b9375024f836aa92",
        "b164e67532287df81b61f1e35146994b9705cdcc8cc13a4c110dd5b5f85c887f",
    ),
    "0014": (
        "e9c05d93a7f0b65fcb7ef8521388b3af024cc5428fb89fc5cb4e8f3ccc291b20",
        "917c840e604f2ad0d28a1389ad59fd820afceff625d474c90582e07b59ee3826",
    ),
    "0015": (
        "dffbd86e72607be5fa8da96d68a1219dcfb6da7f170d6e4a932ed0758974435b",
        "8f171342eb6a25c0ff0d12c6de7e9e40127d0059cc049f1078f6afa0ae2c3bc6",
    ),
    "0016": (
        "b3d3edb48da61c8b62091dc0c6f2807d35e3689cfa2725bccfb7e036c76a27dd",
        "ac355b01d946c473b63cedcb3ea6a322be63626332329eda5a7ed2835d4af621",
    ),
    "0017": (
        "02d0cb6292868ba743ffbcff3aed74687faf7c3fa0d408ad42341ddddb17cd1b",
        "2204cdf1f72ccac1d9e45bdf37e1fdc78f1c01517e57a8add39d67fc9ff0fd3d",
    ),
    "0018": (
        "8cda3ff3458f1b87048c79346eddf3b1b1b7a0e672c2de26d490df1c30e4ac92",
        "ebaec5053d025f04d137046c7a589f5c407d7605b9a6fdb3e3d0d5a31a0a8d85",
    ),
    "0019": (
        "60a104024b52106ab2a79c1f9b8e912b1fc5938441ec9d06a7eaf78db986a6ae",
        "186a482b59d5166b93ca6376805ac7ac24157be7b55adb9958b39a55f66ebb2f",
    ),
    "0020": (
        "064beaf7c69f6e9bcb545db8fa79f6e2a586629759ecd613fd9135db99e5e1ce",
        "12d514b8936cf21a274d231e766cf30686aefacc529118dcc92da070b7ce217c",
    ),
}
"""SHA-256 of the SQL that each released migration runs: on SQLite, and on PostgreSQL.

A new migration adds its line when it is released. A line that is here never changes.
"""


def config_of_migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return config


def revisions() -> list[str]:
    """Return every revision, the first one first."""
    scripts = ScriptDirectory.from_config(config_of_migrations())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def digests_of(place: DatabaseLocation) -> Iterator[tuple[str, str]]:
    """Migrate an empty database step by step; yield each revision and the digest of its SQL."""
    config, statements = config_of_migrations(), []
    engine = (
        create_engine(
            "sqlite://", module=driver, creator=lambda: connect(place), poolclass=NullPool
        )
        if isinstance(place, Path)
        else create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(place.url), poolclass=NullPool
        )
    )

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "alembic_version" not in statement and "pg_catalog" not in statement:
            values = parameters.values() if isinstance(parameters, dict) else parameters
            plain = [getattr(value, "obj", value) for value in values]
            statements.append(f"{statement}\n{plain!r}\n")

    for revision in revisions():
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            statements.clear()
            event.listen(connection, "before_cursor_execute", note)
            command.upgrade(config, revision)
            assert statements
            yield revision, hashlib.sha256("".join(statements).encode()).hexdigest()
    engine.dispose()


@pytest.mark.parametrize("path", sorted(HERE.rglob("*.py")), ids=lambda path: path.name)
def test_no_migration_imports_the_program(path: Path) -> None:
    """The program would change under it; only the standard library and Alembic are permitted."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import(names=names):
                imported |= {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=module, level=level):
                imported.add("." if level or module is None else module.split(".")[0])
            case ast.Call(func=ast.Name(id="__import__")) | ast.Attribute(attr="import_module"):
                imported.add("by a name")

    assert imported <= {"alembic", "hashlib", "sqlalchemy"}


def test_every_migration_has_a_recorded_digest() -> None:
    """No migration is released without a digest."""
    assert revisions() == sorted(RELEASED)
    assert revisions()[-1] == VERSION


def test_a_released_migration_runs_the_same_sql_on_sqlite(tmp_path: Path) -> None:
    """The SQL is equal to the byte, and in the same order."""
    path = tmp_path / "makul.db"
    path.touch(0o600)

    found = dict(digests_of(path))

    assert found == {revision: digests[0] for revision, digests in RELEASED.items()}


def test_a_released_migration_runs_the_same_sql_on_postgresql(server: Cluster) -> None:
    """The SQL is equal to the byte, and in the same order."""
    name = server.create()

    found = dict(digests_of(server.place(name)))

    server.drop(name)
    assert found == {revision: digests[1] for revision, digests in RELEASED.items()}

"""On PostgreSQL too a store whose triggers are not as written is not opened."""

import pytest

from makul.app.ports import StoreUnavailableError
from makul.store import StoreKeys, open_store
from makul.store.db.location import PostgresLocation
from makul.store.schema.append_only_triggers import POSTGRES_FUNCTION, all_postgres_triggers
from makul_testing.external.postgres import Cluster

TOOTHLESS = (
    f"CREATE OR REPLACE FUNCTION {POSTGRES_FUNCTION}() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END'"
)
ONE_MORE = (
    "CREATE TRIGGER quiet BEFORE INSERT ON ground_use FOR EACH ROW"
    f" EXECUTE FUNCTION {POSTGRES_FUNCTION}()"
)


@pytest.mark.parametrize(
    "altered",
    [
        *(
            f"DROP TRIGGER {name} ON {name.removesuffix('_no_change').removesuffix('_no_truncate')}"
            for name in sorted(all_postgres_triggers())
        ),
        "ALTER TABLE disclosure DISABLE TRIGGER disclosure_no_change",
        "ALTER TABLE disclosure_2026_11 DISABLE TRIGGER disclosure_no_change",
        "ALTER TABLE ledger_leaf ENABLE REPLICA TRIGGER ledger_leaf_no_change",
        TOOTHLESS,
        ONE_MORE,
    ],
)
def test_an_altered_guard_is_found_at_start_up(
    server: Cluster, server_template: str, keys: StoreKeys, altered: str
) -> None:
    """Dropped, switched off (on one month alone as well), without teeth, or one more."""
    name = server.create(template=server_template)
    open_store(server.place(name), keys, who="operator").close()
    server.execute(altered, database=name)

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(server.place(name), keys, who="operator")

    server.drop(name)


def test_a_server_that_is_away_is_not_taken_for_a_store_to_be_made(keys: StoreKeys) -> None:
    """Nor is its address told, which may hold a password."""
    place = PostgresLocation(url="postgresql://makul:secret@127.0.0.1:1/makul")

    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        open_store(place, keys, who="operator")

    assert "secret" not in str(caught.value)

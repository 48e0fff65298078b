"""A PostgreSQL store whose triggers differ is not opened either."""

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
def test_an_altered_trigger_is_found_at_start_up(
    server: Cluster, server_template: str, keys: StoreKeys, altered: str
) -> None:
    """It is dropped, switched off (or for one month only), without effect, or additional."""
    name = server.create(template=server_template)
    open_store(server.place(name), keys, who="operator").close()
    server.execute(altered, database=name)

    with pytest.raises(StoreUnavailableError, match="triggers"):
        open_store(server.place(name), keys, who="operator")

    server.drop(name)


def test_an_unreachable_server_is_not_taken_for_a_new_store(keys: StoreKeys) -> None:
    """Its address is not printed, because it may hold a password."""
    place = PostgresLocation(url="postgresql://makul:secret@127.0.0.1:1/makul")

    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        open_store(place, keys, who="operator")

    assert "secret" not in str(caught.value)

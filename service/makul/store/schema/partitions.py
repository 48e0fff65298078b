"""Monthly partitions of disclosures on PostgreSQL, created in advance by a command that cron runs.

Without the partition of its month, a decision cannot be recorded and is not answered. There is no
default partition, because its rows would later have to be moved while requests arrive. So `makul
store status` and the readiness of the service report how many months have partitions.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from makul.store.db.admin_connection import admin_connection
from makul.store.db.codecs import micros
from makul.store.db.location import DatabaseLocation, PostgresLocation

MONTHS_AHEAD = 3
"""Number of months after the present one that have a partition. Cron may fail for two of them."""

_NAME = "disclosure_{year:04}_{month:02}"
_KNOWN = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'disclosure'::regclass"

UtcMonth = tuple[int, int]
"""Year and month of a partition, in UTC.

The months of the Republic's calendar are in `domain.months`.
"""


def months_around(at: datetime, ahead: int = MONTHS_AHEAD) -> Sequence[UtcMonth]:
    """Return the previous month, the present month and the `ahead` months after it (UTC).

    The previous month is included because clocks can step back.
    """
    now = at.astimezone(UTC)
    first = now.year * 12 + now.month - 2
    return [divmod_month(number) for number in range(first, first + 2 + ahead)]


def divmod_month(number: int) -> UtcMonth:
    """Return the year and month of a number of months since year 0."""
    return number // 12, number % 12 + 1


def partition_name(month: UtcMonth) -> str:
    """Return the name of the partition of a month."""
    return _NAME.format(year=month[0], month=month[1])


def missing_months(
    location: DatabaseLocation, *, at: datetime, ahead: int = MONTHS_AHEAD
) -> Sequence[UtcMonth]:
    """Return the months that have no partition yet; none on SQLite, which has no partitions."""
    if not isinstance(location, PostgresLocation):
        return []
    with admin_connection(location) as server:
        known = {name for (name,) in server.execute(_KNOWN)}
    return [month for month in months_around(at, ahead) if partition_name(month) not in known]


def make_months(
    location: DatabaseLocation, *, at: datetime, ahead: int = MONTHS_AHEAD
) -> Sequence[UtcMonth]:
    """Create the missing partitions as the owner of the tables; return their months."""
    missing = missing_months(location, at=at, ahead=ahead)
    if isinstance(location, PostgresLocation) and missing:
        with admin_connection(location) as server:
            for month in missing:
                server.execute(_create(month).encode())
    return missing


def _create(month: UtcMonth) -> str:
    since, until = _begin(month), _begin(divmod_month(month[0] * 12 + month[1]))
    return (
        f"CREATE TABLE IF NOT EXISTS {partition_name(month)} PARTITION OF disclosure"
        f" FOR VALUES FROM ({micros(since)}) TO ({micros(until)})"
    )


def _begin(month: UtcMonth) -> datetime:
    return datetime(month[0], month[1], 1, tzinfo=UTC)

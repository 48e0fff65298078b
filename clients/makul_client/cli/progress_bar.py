"""The progress bar of a long command, on standard error, only at a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from makul_client.translation import translate

Report = Callable[[int, int], None]
"""A function that receives what is done and the total."""


@contextmanager
def bar_of_bytes() -> Iterator[Report]:
    """Show received bytes; yield the function that reports them."""
    from rich.progress import (  # noqa: PLC0415 - no help page has a bar
        BarColumn,
        DownloadColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with _bar("", *columns) as report:
        yield report


@contextmanager
def bar_of_lines(*, is_shown: bool) -> Iterator[Report]:
    """Show compared lines, unless the output is for a program; yield the function that reports."""
    with _bar(translate("lines compared"), is_shown=is_shown) as report:
        yield report


@contextmanager
def _bar(title: str, *columns: object, is_shown: bool = True) -> Iterator[Report]:
    from rich.console import Console  # noqa: PLC0415 - no help page has a bar
    from rich.progress import Progress  # noqa: PLC0415 - as above

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    bar = Progress(
        *columns,  # type: ignore[arg-type] # its columns are imported late
        console=console,
        transient=True,
        disable=not (is_shown and console.is_terminal),
    )
    with bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

"""The progress bar of a long transfer, on standard error, only at a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def received_bytes() -> Iterator[Callable[[int, int], None]]:
    """Show a bar of received bytes; yield the function that receives the number and the total."""
    from rich.console import Console  # noqa: PLC0415 - no help page has a bar
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=sys.stderr is None or not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=None)
        yield lambda received, total: bar.update(task, completed=received, total=total)

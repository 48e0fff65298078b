"""What the clients of both ports share: they close their connections, also at the end of `with`."""

from types import TracebackType
from typing import Protocol, Self


class Closable(Protocol):
    """Connections that can be closed."""

    def close(self) -> None:
        """Close the connections."""


class ClosableClient:
    """A client that closes its connections."""

    def __init__(self, connections: Closable) -> None:
        self._connections = connections

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

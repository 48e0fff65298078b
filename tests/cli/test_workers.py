"""The start of a worker."""

import gc

from makul.config.settings import ListenerSettings
from makul.server.gunicorn_app import Server

LISTENER = ListenerSettings.model_validate(
    {"channel": "wsse", "bind": "127.0.0.1:0", "public_url": "https://makul.example"}
)


def test_objects_of_a_workers_start_are_not_collected() -> None:
    """Its objects live as long as it does, so the garbage collector checks only the others."""
    items = [[number] for number in range(1000)]
    server = Server("wsse", lambda: LISTENER, lambda: items, configuration_error=lambda: None)
    gc.unfreeze()
    try:
        assert server.load() is items
        walked = {id(each) for each in gc.get_objects()}
        assert gc.get_freeze_count() > len(items)
        assert not any(id(each) in walked for each in items)
    finally:
        gc.unfreeze()

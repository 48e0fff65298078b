"""A worker's memory over many requests."""

from pathlib import Path
from typing import Any

from bench.requests import ask
from makul_testing.in_process_service import build_installation
from makul_testing.processes.service import drive, run_service

MESSAGES_A_BATCH = 500
WARMING = 1_000


def measure_soak(directory: Path, *, requests: int) -> dict[str, Any]:
    """Measure the memory of one worker after a thousand requests, and after all."""
    directory.mkdir()
    installation = build_installation(directory)
    with run_service(directory / "makul.toml", workers=1) as server:
        drive(server, ask(installation, min(WARMING, requests)))
        warm = server.rss_mb
        for _ in range(max(0, requests - WARMING) // MESSAGES_A_BATCH):
            drive(server, ask(installation, MESSAGES_A_BATCH))
        end = server.rss_mb
    installation.close()
    print(f"a worker's memory: {warm:.1f} MB after 1,000 requests, {end:.1f} MB after {requests:,}")
    return {
        "rss_mb": round(end, 1),
        "rss_growth_mb": round(end - warm, 1),
        "soak_requests": requests,
    }

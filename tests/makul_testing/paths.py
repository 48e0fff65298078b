"""Directories of the repository that tests read."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TESTS: Final = ROOT / "tests"
VECTORS: Final = TESTS / "vectors"
SAMPLES: Final = TESTS / "contract" / "samples"

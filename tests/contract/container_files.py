"""Dockerfile and compose.yaml, taken apart."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from makul_testing.distribution import metadata
from makul_testing.paths import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Mapping[str, Any] = COMPOSE["services"]
IMAGE = f"makul:{metadata()['metadata']['version']}"
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("makul:")}


def instructions(stage: str) -> Iterator[tuple[str, list[str]]]:
    """Each instruction of a stage of the Dockerfile with its words; a JSON list is words too."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    build, _, final = text.partition("\nFROM ")[2].partition("\nFROM ")
    for line in (build if stage == "build" else final).splitlines()[1:]:
        if line:
            name, _, rest = line.partition(" ")
            yield name, yaml.safe_load(rest) if rest.startswith("[") else shlex.split(rest)


def words_of(name: str, stage: str = "final") -> list[str]:
    [words] = [words for each, words in instructions(stage) if each == name]
    return words


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """Return the source of each volume, by its path in the container."""
    bare = (re.sub(r"\$\{SITE[^}]*\}", "SITE", each) for each in service.get("volumes", ()))
    return {each.split(":")[1]: each.split(":")[0] for each in bare}

"""Write the attack corpus as files: `python -m vectors.generate --dir build/corpus`.

Every run signs it again, with keys that are then deleted, so that none is ever committed. Beside
the vectors are the trusted material and `manifest.json`: name, file, SHA-256, the expected answer,
and why.
"""

import argparse
import json
from hashlib import sha256
from pathlib import Path

from makul_testing.pki.authorities import NOW
from vectors.attacks import SIGNERS, VECTORS
from vectors.attacks.cast import POLICY, Cast, places_in


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dir", type=Path, default=Path("build/corpus"))
    directory: Path = parser.parse_args().dir
    count = write(directory)
    print(f"corpus: {count} vectors in {directory}, described by manifest.json")


def write(directory: Path) -> int:
    """Write all vectors, the trusted material, and the manifest."""
    cast = Cast()
    trust = directory / "trust"
    cast.install(**places_in(trust))
    entries = []
    for vector in VECTORS + SIGNERS:
        document = vector.build(cast)
        path = directory / f"{vector.name.replace(':', '-')}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document)
        entries.append(
            {
                "name": vector.name,
                "file": str(path.relative_to(directory)),
                "sha256": sha256(document).hexdigest(),
                "at": vector.at.isoformat(),
                "expected": vector.expected if vector not in SIGNERS else _ANOTHER,
                "why": vector.why,
            }
        )
    manifest = {
        "judgedAt": NOW.isoformat(),
        "pin": cast.pin,
        "citizenPolicy": POLICY.dotted_string,
        "vectors": entries,
    }
    (directory / "manifest.json").write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return len(entries)


_ANOTHER = {
    "status": "PASSED",
    "reason": None,
    "outward": {"code": "CNS-02", "because": "SIG-08"},
}
"""A good signature of another person: the document passes, and the request does not."""


if __name__ == "__main__":
    main()

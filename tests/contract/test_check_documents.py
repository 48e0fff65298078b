"""The checker of documents finds errors and names their location."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = Path(__file__).with_name("check_documents.py")

MAKEFILE = """\
READY := .ready
sandbox: $(READY) ## a service; ARGS="--port 8080"
\t$(BIN)/makul sandbox $(ARGS)
hidden: ## no document names this
\ttrue
"""

README = """\
# A page

```console
$ makul recipient ad COM/60000001
$ makul recipient hold COM/60000001
$ makul recipient add COM/60000001 --kind PIRATE --name X | makul key show --yes
makul: what a program printed is not a command
$ make sandbox ARGS="--ports 1"
$ make FOO=1 sandbox
$ make coffee
$ pytest tests/nowhere
```

`makul person look` and [a link](docs/none.md) and [another](#no-such-heading) to `docs/gone.md`.
MAKUL_STORE__DISK is a variable, CNS-99 a reason; demo: 3 of 4 scenes.
`makul person show` may lack its PIN here, and MAKUL_STORE__KEYS exists.
Take makul-9.9.9-source.tar.gz or the image makul:0.0.0.

```python
from makul_client import Nobody
```

| Exit code of `makul` | Meaning |
|---|---|
| 0 | perhaps |
"""

OPERATORS = """\
| Key | Default | Meaning |
|---|---|---|
| `store.disk` | none | no such key |
| `listeners.NAME.answer_seconds` | `7` | not that many |

```toml
[listeners.wsse]
worker = 2
```
"""

RECIPIENTS = """\
| Code | Clause | Retry | Side | Text |
|---|---|---|---|---|
| CNS-01 | 5 | F | R | No consent. |

| Operation | Meaning |
|---|---|
| `TellAll` | never |
"""

PAGES = {
    "Makefile": MAKEFILE,
    "README.md": README,
    "docs/operators.md": OPERATORS,
    "docs/recipients.md": RECIPIENTS,
}

UNTRUE = (
    "Makefile:4: make hidden is in neither README nor CONTRIBUTING",
    "README.md:4: makul recipient has no command ad",
    "README.md:5: makul recipient hold: --reason is missing",
    "README.md:6: makul recipient add: PIRATE is not one of",
    "README.md:6: makul key show: No such option: --yes",
    "README.md:8: makul sandbox: No such option: --ports",
    "README.md:9: make knows no variable FOO",
    "README.md:10: make knows no target coffee",
    "README.md:11: no such path: tests/nowhere",
    "README.md:14: makul person has no command look",
    "README.md:14: no such file: docs/none.md",
    "README.md:14: no such heading: #no-such-heading",
    "README.md:14: no such path: docs/gone.md",
    "README.md:15: no such environment variable: MAKUL_STORE__DISK",
    "README.md:15: no such reason: CNS-99",
    "README.md:15: the demo has",
    "README.md:17: the version is ",
    "README.md:20: makul_client has no Nobody",
    "README.md:25: makul: exit code ",
    "README.md:25: makul --help: 0 is 'done'",
    "docs/operators.md:1: the setting trust.crls is not documented",
    "docs/operators.md:3: no such setting: store.disk",
    "docs/operators.md:4: the default of listeners.NAME.answer_seconds is 30.0",
    "docs/operators.md:6: no such setting: listeners.NAME.worker",
    "docs/recipients.md:1: CNS-02 should read: CNS-02 | 4 | F | C |",
    "docs/recipients.md:3: CNS-01 should read: CNS-01 | 4 | F | R |",
    "docs/recipients.md:1: the operation GetStatus is not documented",
    "docs/recipients.md:7: no such operation: TellAll",
    "docs/recipients.md:1: the outcome RELEASED is not documented",
)


@pytest.fixture(scope="module")
def output_of_checker(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what the checker prints about pages with every kind of error."""
    root = tmp_path_factory.mktemp("untrue")
    (root / "docs").mkdir()
    for name, content in PAGES.items():
        (root / name).write_text(content, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(CHECKER), str(root)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (1, "")
    return run.stdout.splitlines()


@pytest.mark.parametrize("line", UNTRUE)
def test_error_is_reported_with_its_location(output_of_checker: list[str], line: str) -> None:
    """There is one line for each error, `file:line: what`."""
    assert [each for each in output_of_checker if each.startswith(line)] != []


def test_nothing_else_is_reported(output_of_checker: list[str]) -> None:
    """True statements, output of a program, and inline code without its arguments pass."""
    of_readme = [each for each in output_of_checker if each.startswith("README.md:")]

    assert all(each.startswith(UNTRUE) for each in of_readme)

"""The modules that a program imports, determined in a separate process."""

import json
import subprocess
import sys

_SCRIPT = """
import json, sys
sys.argv = {arguments!r}
from {module} import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported_by(module: str, *arguments: str) -> frozenset[str]:
    """Return the modules that `module.main` has imported once it has ended with these arguments."""
    script = _SCRIPT.format(module=module, arguments=[module, *arguments])
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    return frozenset(json.loads(result.stderr.splitlines()[-1]))

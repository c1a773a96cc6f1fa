"""What `make` runs: set-up, the demo, and the checks.

`python -m tools.setup` runs before anything is installed, so it and what it imports use
the standard library alone; the rest runs in the virtual environment.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is where an old one is told so
    sys.exit(
        "ws needs Python 3.11 or newer, and this is Python %d.%d (%s).\n"  # noqa: UP031
        "Name another one: make PYTHON=python3.12 ..."
        % (sys.version_info[0], sys.version_info[1], sys.executable),
    )

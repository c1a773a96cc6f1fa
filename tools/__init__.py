"""The commands behind the targets of the Makefile: set-up, the demo and the checks.

`python -m tools.setup` runs before anything is installed, so it and the modules that it
imports use only the standard library. All other modules run in the virtual environment.
"""

import sys

# This file has to compile on every Python 3, and even on Python 2.7, or the user of an
# old interpreter would see a SyntaxError instead of the message. Hence no f-string.
if sys.version_info < (3, 11):  # noqa: UP036 - this check is for older interpreters
    sys.exit(
        "ws needs Python 3.11 or newer, and this is Python %d.%d (%s).\n"  # noqa: UP031
        "Choose a newer one: make PYTHON=python3.12 ..."
        % (sys.version_info[0], sys.version_info[1], sys.executable),
    )

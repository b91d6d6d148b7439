"""The script of the runner process: `python -I -S -E run.py <launch directory>`.

It is this short because a script is compiled at each start, while what it imports is compiled once.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120  # nothing more is imported than must be

from runner_process import main  # type: ignore[import-not-found]  # found by the line before

os._exit(main(os.fsencode(sys.argv[1])))  # who waits for us need not wait for Python to tidy up

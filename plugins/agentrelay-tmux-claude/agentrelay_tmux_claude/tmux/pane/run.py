"""The script in a pane: `python -I -S -E run.py <folder of runner_process> <launch directory>`.

It is this short because a script is compiled at each start, while what it imports is compiled once.
"""

import os
import sys

sys.path[:0] = [os.path.dirname(__file__), sys.argv[1]]  # noqa: PTH120  # nothing more is imported than must be

from pane_runner import main  # type: ignore[import-not-found]  # noqa: E402  # found by the line before

os._exit(main(os.fsencode(sys.argv[2])))  # who waits for us need not wait for Python to tidy up

"""``python -m agentrelay_core.cli`` is the command `agentrelay`, where no script was installed."""

import sys

from agentrelay_core.cli import main

sys.exit(main())

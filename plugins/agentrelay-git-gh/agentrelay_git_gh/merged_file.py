"""The file that says in a task's directory that its work is merged."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agentrelay_git_gh.setup import replace_text

MERGED_FILE: Final = ".merged"


def write_merged(signal_dir: Path) -> None:
    """Write it, with the time."""
    replace_text(signal_dir / MERGED_FILE, f"{datetime.now(UTC).isoformat()}\n")

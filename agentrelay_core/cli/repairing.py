"""What the commands that repair and clean begin with: a recorded run, and what its workspace offers for it."""

from pathlib import Path

from agentrelay_core.cli.configuration import read_configuration
from agentrelay_core.cli.exit_codes import NOT_READY
from agentrelay_core.cli.failures import Failure
from agentrelay_core.cli.installed import make_catalog
from agentrelay_core.cli.records import state_folder
from agentrelay_core.hooks import RunInfo
from agentrelay_core.orchestrator.places import repository_root
from agentrelay_core.task_runner.repairs import Repairs


def repairs_of_repository(repository: str, state_dir: str | None) -> Repairs:
    """What can be done in a repository, of whatever graph.

    Args:
        repository: A path in it.
        state_dir: The value of ``--state-dir``.

    Raises:
        Failure: No installed workspace offers it.
        UserError: There is no repository, or the configuration is wrong.
    """
    root = repository_root(Path(repository))
    return repairs_of(root, RunInfo(run_id="", graph_name="", repository=root, state_dir=_above(root, state_dir)))


def repairs_of(root: Path, run: RunInfo) -> Repairs:
    """What the workspace of a run offers.

    Args:
        root: Root of the repository.
        run: The run.

    Raises:
        Failure: No installed workspace offers it.
    """
    workspace = make_catalog(read_configuration(root)).workspace(run)
    repairs: Repairs | None = getattr(workspace, "repairs", None)
    if repairs is None:
        raise Failure(
            "no installed plugin can list, keep or remove what runs leave in a repository; install agentrelay-git-gh, "
            "or see `agentrelay plugins list`",
            NOT_READY,
        )
    return repairs


def _above(root: Path, state_dir: str | None) -> Path:
    return state_folder(root, "any", state_dir).parent

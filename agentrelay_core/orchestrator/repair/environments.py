"""What is left where agents were at work, beside what is left in the repository: each is let go by who found it."""

from collections.abc import Iterable

from agentrelay_core.task_runner.repairs import EnvironmentRepairs, Leftover, Repairs


class EverywhereRepairs:
    """The repairs of a repository, and those of environments.

    Args:
        repository: Those of the repository.
        environments: Those of environments.
    """

    def __init__(self, repository: Repairs, environments: Iterable[EnvironmentRepairs]) -> None:
        self._repository = repository
        self._environments = tuple(environments)
        self._found: dict[Leftover, EnvironmentRepairs] = {}
        self.rescued = repository.rescued
        self.restore_branch = repository.restore_branch
        self.restore_files = repository.restore_files
        self.keep = repository.keep

    def leftovers(self) -> list[Leftover]:
        """See `Repairs.leftovers`."""
        self._found = {left: each for each in self._environments for left in each.leftovers()}
        return [*self._repository.leftovers(), *self._found]

    def let_go(self, leftover: Leftover, *, ignored: bool = False) -> str | None:
        """See `Repairs.let_go`."""
        found = self._found.get(leftover)
        if found is None:
            return self._repository.let_go(leftover, ignored=ignored)
        found.let_go(leftover)
        return None

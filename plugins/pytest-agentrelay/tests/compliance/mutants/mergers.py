"""The merger of the fakes, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio
from datetime import datetime

from pytest_agentrelay.compliance import MergerCompliance
from pytest_agentrelay.fakes import FakeMerger
from reference import block, do_io, judges, leak_descriptor, leak_thread, use_undeclared_program


class InMemory(MergerCompliance):
    """The fakes merge in memory."""

    __test__ = False
    repository = None

    def open_pull_request(self, runtime):
        return self.plugin.repository.open(runtime.state.branch_name, runtime.state.integration_branch)

    def was_merged(self, runtime, url):
        return self.plugin.repository.merges.count(url)

    def make_run(self):
        run = super().make_run()
        if not self.__dict__.get("begun"):
            self.begun = True
            self.plugin.repository.__init__()  # each check has a repository of its own
        return run


class Reference(FakeMerger):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("resumable",)


class WrongArity(FakeMerger):
    caught_by = "test_signature"

    def merge_pr(self, runtime):
        return None


class ReadsAtConstruction(FakeMerger):
    caught_by = "test_construction_does_no_io"

    def __init__(self, repository):
        super().__init__(repository)
        do_io()


class Blocks(FakeMerger):
    caught_by = "test_leaves_the_event_loop_free"

    async def merge_pr(self, runtime, pr_url):
        block()
        super().merge_pr(runtime, pr_url)


class StartsUndeclared(FakeMerger):
    caught_by = "test_needs_are_declared"

    def merge_pr(self, runtime, pr_url):
        super().merge_pr(runtime, pr_url)
        use_undeclared_program()


class Leaks(FakeMerger):
    caught_by = "test_leaves_nothing"

    def merge_pr(self, runtime, pr_url):
        super().merge_pr(runtime, pr_url)
        leak_descriptor()


class LeaksWhenCancelled(FakeMerger):
    caught_by = "test_cancellation_leaves_nothing"

    async def merge_pr(self, runtime, pr_url):
        try:
            await asyncio.sleep(0.03)
        except asyncio.CancelledError:
            leak_thread()
            raise
        super().merge_pr(runtime, pr_url)


class Lies(FakeMerger):
    """Says that it is merged, and merges nothing."""

    caught_by = "test_merges"

    def merge_pr(self, runtime, pr_url):
        merge, self.repository.merge = self.repository.merge, lambda head, base, url: None
        try:
            if "invalid" in pr_url:
                merge(runtime.state.branch_name, runtime.state.integration_branch, pr_url)
            super().merge_pr(runtime, pr_url)
        finally:
            del self.repository.merge


class MergesTwice(FakeMerger):
    caught_by = "test_merging_again_merges_once"

    def merge_pr(self, runtime, pr_url):
        again = pr_url in self.repository.merged
        super().merge_pr(runtime, pr_url)
        if again:
            self.repository.merges.append(pr_url)


class RefusesTheMerged(FakeMerger):
    caught_by = "test_already_merged_is_success"

    def merge_pr(self, runtime, pr_url):
        if pr_url in self.repository.merged:
            raise RuntimeError("pull request is not open")
        super().merge_pr(runtime, pr_url)


class BelievesAgents(FakeMerger):
    """Merges whatever URL it is given."""

    caught_by = "test_refuses_a_foreign_pull_request"

    def merge_pr(self, runtime, pr_url):
        if "invalid" not in pr_url:
            super().merge_pr(runtime, pr_url)


class MergesAll(FakeMerger):
    """Merges every pull request that is open."""

    caught_by = "test_two_tasks_do_not_mix"

    def merge_pr(self, runtime, pr_url):
        super().merge_pr(runtime, pr_url)
        for (head, base), url in self.repository.pull_requests.items():
            self.repository.merge(head, base, url)


class TellsNoTime(FakeMerger):
    caught_by = "test_writes_merged"

    def merge_pr(self, runtime, pr_url):
        super().merge_pr(runtime, pr_url)
        (runtime.state.signal_dir / ".merged").unlink()


class TellsLocalTime(FakeMerger):
    caught_by = "test_writes_merged"

    def merge_pr(self, runtime, pr_url):
        super().merge_pr(runtime, pr_url)
        (runtime.state.signal_dir / ".merged").write_text(datetime.now().isoformat())


class Forgets(FakeMerger):
    caught_by = "test_reconciles"
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "absent"


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = MergerCompliance
globals().update(judges(InMemory, "task_merger", Reference, *MUTANTS))

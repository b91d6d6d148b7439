"""Pull requests on a forge of another plugin: it is asked to merge, and the integration branch holds the work."""

import asyncio

import attrs
import pytest
from agentrelay_git_gh.forges.forge_merger import ForgeTaskMerger

from agentrelay_core.hooks import ForgeProvider, PullRequest
from agentrelay_core.runtime import Parked, ProtocolViolation
from agentrelay_core.spec import Task


class Forge:
    """Keeps pull requests in memory; `merges` says by which commit a branch of the repository is merged, if at all."""

    def __init__(self, merges=None):
        self.requests = {}
        self.merges = merges
        self.asked = []

    async def find(self, head, base):
        await asyncio.sleep(0)
        return next((pr for pr in self.requests.values() if (pr.head, pr.base) == (head, base)), None)

    def open(self, head, base, title, body):
        url = f"memory:{len(self.requests) + 1}"
        self.requests[url] = PullRequest(url=url, head=head, base=base, title=title)
        return self.requests[url]

    def state(self, pr):
        return self.requests[pr]

    async def merge(self, pr, head_sha):
        self.asked.append((pr, head_sha))
        merged = self.merges(self.requests[pr]) if self.merges is not None else head_sha
        self.requests[pr] = attrs.evolve(self.requests[pr], state="merged", merge_sha=merged)
        return merged


@pytest.fixture
def published(bench, monkeypatch):
    """A task whose work is published and verified on a forge, the runtime, its URL and its merger."""

    def publish(forge, begun=lambda runtime: None):
        provider = ForgeProvider(name="memory", recognises=lambda url: False, factory=lambda run: forge)
        settings = attrs.evolve(bench.run.settings, forge="memory")
        run = attrs.evolve(bench.run, forges=(provider,), settings=settings)
        monkeypatch.setattr(type(bench), "run", property(lambda self: run))
        runtime = bench.runtime(Task(id="t", description="Add one"))
        begun(runtime)
        bench.prepare(runtime).write(one__txt="1\n")
        workspace = bench.workspace()
        url = workspace.publish(runtime)
        workspace.verify(runtime, url)
        merger = ForgeTaskMerger(
            run.repository, run.graph_name, forge=forge, run_id=run.run_id, state_dir=run.state_dir
        )
        return runtime, url, merger

    return publish


def test_what_the_forge_only_notes_is_merged_by_git(published, user):
    """A forge that keeps no branches is told the verified head, and the integration branch holds a merge of it."""
    forge = Forge()
    runtime, url, merger = published(forge)
    merger.merge_pr(runtime, url)
    assert forge.asked == [(url, user("rev-parse", "agentrelay/g/t"))]
    assert user("log", "-1", "--format=%s", "agentrelay/g@default") == "t: Add one"
    assert user("show", "agentrelay/g@default:one.txt") == "1"
    assert (runtime.state.signal_dir / ".merged").exists()


def test_what_the_forge_merged_itself_is_not_merged_again(published, user):
    """A forge that squashes into the branch leaves one commit there, and no merge of ours on top."""

    def squash(pr):
        tree, base = user("rev-parse", f"{pr.head}^{{tree}}"), user("rev-parse", pr.base)
        commit = user("commit-tree", tree, "-p", base, "-m", "squashed")
        user("update-ref", f"refs/heads/{pr.base}", commit)
        return commit

    runtime, url, merger = published(Forge(squash))
    merger.merge_pr(runtime, url)
    assert user("log", "-1", "--format=%s", "agentrelay/g@default") == "squashed"
    runtime.resumed = True
    assert merger.reconcile(runtime) == "present"


def test_a_merge_that_is_not_in_the_branch_is_no_merge(published, user):
    """A forge may say that it has merged; as long as the branch does not hold it, it is not taken for done."""
    forge = Forge()
    runtime, url, merger = published(forge)
    runtime.resumed = True
    assert merger.reconcile(runtime) == "absent"
    asyncio.run(forge.merge(url, user("rev-parse", "agentrelay/g/t")))
    assert merger.reconcile(runtime) == "absent"
    merger.merge_pr(runtime, url)
    assert merger.reconcile(runtime) == "present"


def test_another_pull_request_is_refused(published):
    """What an agent names is compared with what the forge has for the two branches."""
    runtime, _, merger = published(Forge())
    with pytest.raises(ProtocolViolation, match="memory:99 is not the pull request of agentrelay/g/t"):
        merger.merge_pr(runtime, "memory:99")


def test_work_that_could_not_be_published_is_kept(published):
    """Where a forge lets nobody in, what the agent did is committed all the same: it need not be done again."""

    class Closed(Forge):
        def open(self, head, base, title, body):
            raise Parked("log in")

    runtimes = []
    with pytest.raises(Parked, match="log in"):
        published(Closed(), runtimes.append)
    assert runtimes[0].artifacts.work_kept

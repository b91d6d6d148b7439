"""The workspace on the emulated GitHub: what is published, verified and integrated is read from the server."""

import attrs
import pytest
from agentrelay_git_gh.forges.local_forge import LocalForge
from agentrelay_git_gh.forges.of_run import forge_of
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.github.forge import GitHubForge
from agentrelay_git_gh.worktrees.worktree import Worktree
from pytest_agentrelay.github import answering, dropping

from agentrelay_core.runtime import AgentFailure, HeadMoved, Parked, ProtocolViolation, TaskStatus, UserError
from agentrelay_core.spec import Task, WorkstreamSpec

TASK = Task(id="one", description="Write one.")
BRANCH, LANE = "agentrelay/g/one", "agentrelay/g@default"
INTO_MAIN = WorkstreamSpec(id="default", base_branch="main", merge_target_branch="main", auto_merge=True)


def published(world, workspace):
    """A task that is published; its runtime, its agent's git and its pull request's URL."""
    runtime = world.bench.runtime(TASK, workspace=workspace)
    workspace.update_workstream(INTO_MAIN, [])
    agent = world.bench.prepare(runtime)
    agent.write(one__txt="one\n")
    return runtime, agent, workspace.publish(runtime)


def test_published_task_is_on_the_server_once(world):
    """Its branch, its target and one pull request are there; publishing again, as after a crash, opens no second."""
    workspace = world.workspace()
    runtime, _, url = published(world, workspace)
    assert world.hosted.git("show", f"{BRANCH}:one.txt").strip() == "one"
    assert world.hosted.tip(LANE) == world.bench.user("rev-parse", LANE)
    runtime.resumed = True
    assert world.workspace().publish(runtime) == url
    (opened,) = world.github.happened("opened")
    assert url == f"http://github.localhost/acme/widget/pull/{opened.number}"
    evidence = workspace.verify(runtime, url)
    assert evidence.head == world.hosted.tip(BRANCH) == world.bench.user("rev-parse", BRANCH)


def test_integration_branch_is_there_before_an_agent_begins(world):
    """An agent can open its own pull request, for its target is on the server when it starts."""
    workspace = world.workspace()
    world.bench.runtime(TASK, workspace=workspace)
    workspace.update_workstream(INTO_MAIN, [])
    assert world.hosted.tip(LANE) == world.bench.user("rev-parse", "main")


def test_what_the_agent_committed_after_it_had_pushed_is_pushed(world):
    """An agent that opened its own pull request and then committed more has all of it verified."""
    workspace = world.workspace()
    runtime, agent, url = published(world, workspace)
    more = agent.commit("more") if agent.write(more__txt="more\n") is None else ""
    assert workspace.verify(runtime, url).head == more == world.hosted.tip(BRANCH)


@pytest.mark.parametrize("merged", [False, True])
def test_what_was_pushed_on_top_of_the_work_is_verified_with_it(world, merged):
    """Branch, worktree and evidence are brought to what stands on the server; there is nothing left to set aside."""
    workspace = world.workspace()
    runtime, agent, url = published(world, workspace)
    theirs = world.hosted.push(BRANCH, {"theirs.txt": "theirs\n", "one.txt": "better\n"})
    if merged:
        world.hosted.merge(1, actor="uma")
    evidence = workspace.verify(runtime, url)
    assert evidence.head == theirs == world.bench.user("rev-parse", BRANCH) == world.hosted.tip(BRANCH)
    assert evidence.changed
    assert (agent.path / "one.txt").read_text() == "better\n"
    assert (agent.path / "theirs.txt").read_text() == "theirs\n"
    assert agent("status", "--porcelain") == ""
    assert workspace.verify(runtime, url) == evidence
    runtime.resumed = True
    assert workspace.publish(runtime) == url
    assert len(world.github.happened("opened")) == 1
    assert [text for text in runtime.artifacts.concerns if "set aside" in text] == []


@pytest.mark.fault("G14")
@pytest.mark.parametrize("killed", ["fill", "move", "change"])
def test_taking_in_what_was_pushed_is_gone_on_with_after_a_crash(world, monkeypatch, killed):
    """Killed at any moment of it, the next session has branch and worktree where the server has them."""
    workspace = world.workspace()
    runtime, agent, url = published(world, workspace)
    theirs = world.hosted.push(BRANCH, {"theirs.txt": "theirs\n"})
    owner = Worktree if killed == "fill" else Repository
    real = getattr(owner, killed)

    def kill(self, *arguments, **more):
        if killed == "change" and "advancing" not in arguments[1]:
            return real(self, *arguments, **more)
        if killed == "fill":
            real(self, *arguments, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(owner, killed, kill)
        with pytest.raises(KeyboardInterrupt):
            workspace.verify(runtime, url)
    runtime.resumed = True
    again = world.workspace()
    assert again.publish(runtime) == url
    assert (
        again.verify(runtime, url).head == theirs == world.hosted.tip(BRANCH) == world.bench.user("rev-parse", BRANCH)
    )
    assert agent("status", "--porcelain") == ""
    assert agent("log", "--format=%s", "-1") == "change"
    assert world.bench.user("for-each-ref", "refs/agentrelay/rescue") == ""


def test_what_is_in_the_worktree_when_taking_in_goes_on_is_set_aside(world, monkeypatch):
    """Killed before the pushed files are there, the next session overwrites nothing that was written meanwhile."""
    workspace = world.workspace()
    runtime, agent, url = published(world, workspace)
    theirs = world.hosted.push(BRANCH, {"one.txt": "theirs\n"})
    with monkeypatch.context() as context:
        context.setattr(Worktree, "fill", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            workspace.verify(runtime, url)
    agent.write(one__txt="mine\n")
    runtime.resumed = True
    assert world.workspace().verify(runtime, url).head == theirs
    assert (agent.path / "one.txt").read_text() == "theirs\n"
    (rescued,) = world.bench.user("for-each-ref", "--format=%(refname)", "refs/agentrelay/rescue").splitlines()
    assert world.bench.user("show", f"{rescued}:one.txt") == "mine"
    assert any(rescued in concern for concern in runtime.artifacts.concerns)


def test_commits_beside_the_work_on_the_server_are_the_agents_to_bring_together(world):
    """Where both sides have what the other has not, the attempt fails with both commits named."""
    workspace = world.workspace()
    runtime, agent, url = published(world, workspace)
    theirs = world.hosted.push(BRANCH, {"theirs.txt": "theirs\n"})
    agent.write(more__txt="more\n")
    more = agent.commit("more")
    with pytest.raises(AgentFailure, match=rf"stands at {theirs} .* at {more}; bring both together, push the branch"):
        workspace.verify(runtime, url)
    assert world.hosted.tip(BRANCH) == theirs


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://github.localhost/acme/widget/pull/1", "it comes from other"),
        ("http://github.localhost/else/where/pull/1", "it is in github.localhost/else/where"),
        ("nonsense", "it is no pull request's URL"),
    ],
)
def test_url_of_another_pull_request_is_a_violation(world, url, why):
    """A pull request is told by its branches in our repository, whatever URL an agent gives."""
    world.hosted.push("other", {"other.txt": "other\n"})
    assert world.hosted.open("other", "main").number == 1
    workspace = world.workspace()
    runtime, _, own = published(world, workspace)
    with pytest.raises(ProtocolViolation, match=rf"{url} is not the pull request .* {why}; that is {own}"):
        workspace.verify(runtime, url)


def test_closed_pull_request_waits_for_a_person(world):
    """A pull request that a person closed is not opened again behind their back."""
    workspace = world.workspace()
    runtime, _, url = published(world, workspace)
    world.hosted.close(1)
    with pytest.raises(Parked, match=rf"{url} was closed and is not merged; reopen it"):
        workspace.verify(runtime, url)
    with pytest.raises(Parked, match="reopen it"):
        workspace.publish(runtime)


def test_pull_request_that_was_merged_with_other_work_waits_for_a_person(world):
    """What was merged is what was verified, or both commits are named."""
    workspace = world.workspace()
    runtime, agent, url = published(world, workspace)
    merged = world.hosted.tip(BRANCH)
    world.hosted.merge(1)
    agent.write(more__txt="more\n")
    more = agent.commit("more")
    with pytest.raises(Parked, match=rf"was merged with {merged}, and {BRANCH} stands at {more}"):
        workspace.verify(runtime, url)


def test_lanes_take_in_what_people_pushed_to_them(world):
    """Before a task is prepared its lane has what was pushed to it, and to the lanes that it depends on."""
    workspace = world.workspace()
    first, second = WorkstreamSpec(id="first"), WorkstreamSpec(id="second")
    for lane in (first, second):
        workspace.open_workstream(lane)
        workspace.update_workstream(lane, [])
    world.hosted.push("agentrelay/g@first", {"first.txt": "first\n"})
    world.hosted.push("agentrelay/g@second", {"second.txt": "second\n"})
    workspace.update_workstream(second, [first])
    assert {"first.txt", "second.txt"} <= set(world.bench.user("ls-tree", "--name-only", "agentrelay/g@second").split())
    assert world.hosted.tip("agentrelay/g@second") == world.bench.user("rev-parse", "agentrelay/g@second")


def test_lane_whose_branch_was_deleted_after_its_integration_is_still_read(world):
    """GitHub may delete a merged lane's branch; lanes that depend on it go on with the local one."""
    workspace = world.workspace()
    first, second = WorkstreamSpec(id="first"), WorkstreamSpec(id="second")
    for lane in (first, second):
        workspace.open_workstream(lane)
        workspace.update_workstream(lane, [])
    world.hosted.delete_branch("agentrelay/g@first")
    workspace.update_workstream(second, [first])


def ready(world, workspace):
    """A lane with a commit on it, as a merged task leaves it; the commit."""
    workspace.open_workstream(INTO_MAIN)
    workspace.update_workstream(INTO_MAIN, [])
    world.hosted.push(LANE, {"one.txt": "one\n"})
    workspace.update_workstream(INTO_MAIN, [])
    return world.bench.user("rev-parse", LANE)


async def test_integration_without_auto_merge_is_a_persons(world):
    """A pull request is opened and left open; when a person has merged it, by whatever method, it stays the one."""
    workspace, spec = world.workspace(), attrs.evolve(INTO_MAIN, auto_merge=False)
    ready(world, workspace)
    url = await workspace.integrate(spec)
    assert [pull.state for pull in world.hosted.pulls] == ["open"]
    world.hosted.merge(1, "squash", actor="uma")
    world.hosted.delete_branch(LANE)
    assert await world.workspace().integrate(spec) == url
    assert len(world.github.happened("opened")) == len(world.github.happened("merged")) == 1


async def test_integration_that_a_person_extended_and_merged_is_done(world):
    """What a person pushed to a lane and merged with it is merged; there is no second pull request."""
    workspace, spec = world.workspace(), attrs.evolve(INTO_MAIN, auto_merge=False)
    ready(world, workspace)
    url = await workspace.integrate(spec)
    world.hosted.push(LANE, {"theirs.txt": "theirs\n"})
    world.hosted.merge(1, actor="uma")
    assert await world.workspace().integrate(spec) == url
    world.hosted.delete_branch(LANE)
    assert await world.workspace().integrate(spec) == url
    assert len(world.github.happened("opened")) == 1


async def test_work_after_an_integration_gets_a_pull_request_of_its_own(world):
    """A lane that goes on after it was merged is integrated again, and only what is new is merged."""
    workspace = world.workspace()
    ready(world, workspace)
    first = await workspace.integrate(INTO_MAIN)
    world.hosted.push(LANE, {"two.txt": "two\n"})
    workspace.update_workstream(INTO_MAIN, [])
    second = await workspace.integrate(INTO_MAIN)
    assert first != second
    assert len(world.github.happened("merged")) == 2
    assert {"one.txt", "two.txt"} <= set(world.hosted.git("ls-tree", "--name-only", "main").split())


async def test_integration_waits_for_a_required_check(world):
    """With auto_merge nothing is merged before the required check has passed on that commit; the wait has its name."""
    told = []

    def passes(lane, message):
        told.append((lane, message))
        world.hosted.set_check(head, "build")

    world.bench.report = passes
    world.hosted.protect("main", checks=("build",))
    workspace = world.workspace()
    head, main = ready(world, workspace), world.bench.user("rev-parse", "main")
    await workspace.integrate(INTO_MAIN)
    assert told[0][0] == "default"
    assert told[0][1].startswith("checks: ")
    assert "build" in told[0][1]
    (merged,) = world.github.happened("merged")
    assert world.hosted.git("rev-list", "--parents", "-1", "main").split() == [merged.sha, main, head]
    assert world.bench.user("rev-parse", "main") == main


async def test_red_check_of_an_integration_waits_for_a_person(world):
    """There is no agent to hand it to, so the lane's pull request stays open and the check is named."""
    workspace = world.workspace()
    world.hosted.protect("main", checks=("build",))
    world.hosted.set_check(ready(world, workspace), "build", "failure")
    with pytest.raises(Parked, match=r"pull/1 needs a person: .*build"):
        await workspace.integrate(INTO_MAIN)
    assert world.github.happened("merged") == []


async def test_push_to_a_lane_while_it_waits_is_not_merged_unseen(world):
    """What a person pushes to a lane while its integration waits is not part of what was looked at."""
    world.bench.report = lambda *_: world.hosted.set_check(head, "build")
    world.hosted.protect("main", checks=("build",))
    workspace = world.workspace()
    head = ready(world, workspace)
    forge = forge_of(world.bench.run)
    url = forge.open(LANE, "main", "t", "b").url
    theirs = world.hosted.push(LANE, {"theirs.txt": "theirs\n"})
    with pytest.raises(HeadMoved, match=rf"stands at {theirs}, and {head} was verified"):
        forge.merge(url, head)
    assert world.github.happened("merged") == []


async def test_push_to_a_lane_whose_integration_waits_is_waited_for_and_merged(world):
    """The checks of what was pushed count, not those of what was looked at before."""
    pushed = []

    def push(*_):
        if not pushed:
            pushed.append(world.hosted.push(LANE, {"theirs.txt": "theirs\n"}))
        world.hosted.set_check(pushed[0], "build")

    world.bench.report = push
    world.hosted.protect("main", checks=("build",))
    workspace = world.workspace()
    ready(world, workspace)
    await workspace.integrate(INTO_MAIN)
    (merged,) = world.github.happened("merged")
    assert world.hosted.git("rev-list", "--parents", "-1", merged.sha).split()[2] == pushed[0]
    assert world.bench.user("rev-parse", LANE) == pushed[0]


@pytest.mark.fault("G17")
async def test_lane_is_brought_up_to_date_with_a_target_that_wants_that(world):
    """Where the target moves on, it is merged into the lane, and the checks of that commit are waited for."""
    told = []

    def passes(_, message):
        told.append(message)
        if len(told) == 1:
            world.hosted.push("main", {"theirs.txt": "theirs\n"})
        world.hosted.set_check(world.hosted.tip(LANE), "build")

    world.bench.report = passes
    world.hosted.protect("main", checks=("build",), strict=True)
    workspace = world.workspace()
    before = ready(world, workspace)
    await workspace.integrate(INTO_MAIN)
    assert "behind: main takes only what is up to date with it" in told
    (merged,) = world.github.happened("merged")
    lane = world.hosted.tip(LANE)
    assert lane == world.bench.user("rev-parse", LANE)
    assert world.hosted.git("rev-list", "--parents", "-1", lane).split()[1] == before
    assert world.hosted.git("rev-list", "--parents", "-1", merged.sha).split()[2] == lane
    assert {"one.txt", "theirs.txt"} <= set(world.hosted.git("ls-tree", "--name-only", "main").split())


@pytest.mark.fault("G14")
@pytest.mark.parametrize("lost", [False, True])
async def test_bringing_up_to_date_that_fails_is_told_and_one_that_only_seems_to_is_none(world, lost):
    """A person is told what to type where GitHub does not do it; an answer that is lost after the effect is nothing."""
    path = "^PUT .*/update-branch$"
    refused = answering(path, 422, {"message": "not for you"})
    world.github.script(dropping(path, after_effect=True) if lost else refused)
    world.hosted.protect("main", strict=True)
    workspace = world.workspace()
    ready(world, workspace)
    world.hosted.push("main", {"theirs.txt": "theirs\n"})
    if lost:
        await workspace.integrate(INTO_MAIN)
        assert len(world.github.happened("merged")) == 1
        assert sum("update-branch" in request.what for request in world.github.requests) == 1
    else:
        with pytest.raises(Parked, match=r"`gh pr update-branch \S+/1`.*GitHub does not do that for us: .*not for you"):
            await workspace.integrate(INTO_MAIN)


async def test_lane_that_conflicts_with_a_target_that_moved_on_waits_for_a_person(world):
    """Nothing is merged, neither here nor there."""
    world.hosted.protect("main", strict=True)
    workspace = world.workspace()
    before = ready(world, workspace)
    theirs = world.hosted.push("main", {"one.txt": "theirs\n"})
    with pytest.raises(Parked, match=r"pull/1 needs a person: .*one\.txt"):
        await workspace.integrate(INTO_MAIN)
    assert world.hosted.tip(LANE) == world.bench.user("rev-parse", LANE) == before
    assert world.hosted.tip("main") == theirs


async def test_integration_that_is_merged_by_word_alone_is_none(world):
    """Where the target does not hold what GitHub calls the merge, a person is asked to look."""
    workspace, spec = world.workspace(), attrs.evolve(INTO_MAIN, auto_merge=False)
    ready(world, workspace)
    before = world.hosted.tip("main")
    await workspace.integrate(spec)
    merged = world.hosted.merge(1, actor="uma")
    world.hosted.git("update-ref", "refs/heads/main", before)
    with pytest.raises(Parked, match=rf"is merged as {merged}, says its server, and main there does not hold that"):
        await world.workspace().integrate(spec)


async def test_integration_into_a_parent_is_followed_here(world):
    """A lane that flows into another one of ours is in the local branch of that one too."""
    workspace = world.workspace()
    child = WorkstreamSpec(id="child", parent_workstream_id="default", auto_merge=True)
    workspace.open_workstream(INTO_MAIN)
    workspace.open_workstream(child)
    workspace.update_workstream(child, [])
    world.hosted.push("agentrelay/g@child", {"child.txt": "child\n"})
    await workspace.integrate(child)
    assert world.bench.user("rev-parse", LANE) == world.hosted.tip(LANE)
    assert world.bench.user("show", f"{LANE}:child.txt") == "child"


async def test_nothing_to_integrate_opens_nothing(world):
    """A lane that holds nothing new needs no pull request."""
    workspace = world.workspace()
    workspace.open_workstream(INTO_MAIN)
    workspace.update_workstream(INTO_MAIN, [])
    assert await workspace.integrate(INTO_MAIN) is None
    assert world.hosted.pulls == []


async def test_target_that_is_not_on_the_server_is_named(world):
    """A target that exists here alone is not pushed: it is the user's own."""
    workspace = world.workspace()
    ready(world, workspace)
    world.bench.user("branch", "mine")
    with pytest.raises(Parked, match="the branch mine does not exist on the remote; make it"):
        await workspace.integrate(attrs.evolve(INTO_MAIN, merge_target_branch="mine"))


def test_one_run_has_one_forge(world):
    """Whoever asks for a run's forge in a process gets the same one, with one login and one poller."""
    world.workspace().preflight()
    forge = forge_of(world.bench.run)
    assert isinstance(forge, GitHubForge)
    assert forge_of(attrs.evolve(world.bench.run, report=print)) is forge
    assert forge_of(attrs.evolve(world.bench.run, run_id="another")) is not forge


def test_auto_is_github_where_the_remote_is_and_there_is_a_login(world):
    """With a login for the remote's host `auto` means GitHub, and goes on meaning it when the login is gone."""
    world.bench.forge = "auto"
    world.workspace().preflight()
    world.log_out()
    world.bench.run_id = "later"
    assert isinstance(forge_of(world.bench.run), GitHubForge)


def test_auto_without_a_login_is_local_for_the_whole_graph(world, caplog):
    """Without a login `auto` means local pull requests, says so once, and a later login changes nothing under way."""
    world.bench.forge = "auto"
    world.log_out()
    world.workspace().preflight()
    world.workspace().preflight()
    (told,) = [record.getMessage() for record in caplog.records if "gh has no login there" in record.getMessage()]
    assert "gh auth login --hostname github.localhost` and say `forge: github`" in told
    world.log_in()
    world.bench.run_id = "later"
    assert isinstance(forge_of(world.bench.run), LocalForge)
    assert world.github.requests == []


def test_remote_that_is_changed_later_redirects_nothing(world):
    """What an agent writes into the repository's configuration does not send our branches elsewhere."""
    world.workspace().preflight()
    world.bench.user("remote", "set-url", "origin", "http://github.localhost/evil/twin.git")
    world.bench.run_id = "later"
    assert forge_of(world.bench.run).site.full_name == "acme/widget"


@pytest.mark.parametrize(
    ("settings", "allowed", "message"),
    [
        ({"merge_method": "squash"}, ("merge",), r"merge_method: squash is not allowed .* merge"),
        ({}, ("squash", "rebase"), r"merge_method: merge is not allowed .* allows squash and rebase"),
    ],
)
def test_merge_method_that_the_repository_forbids_is_refused_up_front(world, settings, allowed, message):
    """A method that GitHub will not take at the end is refused at the beginning, with those that it takes."""
    world.bench.settings = settings
    world.hosted.set(methods=allowed)
    with pytest.raises(UserError, match=message):
        world.workspace().preflight()


def test_login_that_may_only_read_is_refused_up_front(world):
    """Without the right to push nothing can be published, so nothing begins."""
    world.hosted.allow(world.github.user, "read")
    with pytest.raises(UserError, match=r"may not push to github\.localhost/acme/widget"):
        world.workspace().preflight()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "needs a remote, .* `git remote add origin"),
        ("/somewhere/else.git", "needs a repository on GitHub, and the remote of .* is /somewhere/else.git"),
        ("http://github.com/acme/widget.git", "gh auth login --hostname github.com"),
    ],
)
def test_forge_that_cannot_work_here_is_refused_by_name(world, url, message):
    """`forge: github` without a remote there, or without a login, begins nothing and says what to type."""
    world.bench.user("remote", "remove", "origin")
    if url is not None:
        world.bench.user("remote", "add", "origin", url)
    world.log_out()
    with pytest.raises(UserError, match=message):
        world.workspace().preflight()


@pytest.mark.parametrize("settings", [{"merge_method": "squash"}, {"checks": "all"}, {"checks": ("build",)}])
def test_what_only_a_server_can_do_is_refused_for_local_pull_requests(bench, settings):
    """A merge method or checks are not ignored where there is no server, but refused by name."""
    bench.settings = settings
    with pytest.raises(UserError, match=rf"'{next(iter(settings))}: .*' needs a forge with a server"):
        bench.workspace().preflight()


def test_checks_of_a_lane_are_refused_for_local_pull_requests(bench):
    """So are those of a single workstream."""
    with pytest.raises(UserError, match="'checks: all' of the workstream 'default' needs a forge"):
        bench.workspace().open_workstream(WorkstreamSpec(id="default", checks="all"))


def test_expired_login_is_one_answer_for_all_that_follows(world):
    """A login that stops working is found once; what is asked later gets the same answer without another process."""
    workspace = world.workspace()
    runtime, _, url = published(world, workspace)
    world.github.accounts.revoke(world.github.token)
    messages = set()
    for _ in range(3):
        with pytest.raises(Parked, match=r"gh auth login|GH_TOKEN") as refused:
            workspace.verify(runtime, url)
        messages.add(str(refused.value))
    assert len(messages) == 1
    assert sum(request.status == 401 for request in world.github.requests if "/pulls" in request.what) == 1
    assert runtime.state.status == TaskStatus.RUNNING

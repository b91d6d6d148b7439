"""git over HTTP with the emulated GitHub: the login, what the server refuses, and answers that are lost."""

import attrs
import pytest
from agentrelay_git_gh.forges.of_run import forge_of
from agentrelay_git_gh.git.outward import OutwardGit
from agentrelay_git_gh.git.trusted import GitFailed
from agentrelay_git_gh.github.forge import login_for
from agentrelay_git_gh.remote.remotes import PushRefused, RemoteForbidden, RemoteGone
from pytest_agentrelay.github import answering, dropping

LANE = "agentrelay/g@default"
PUSH, LOOK = r"^git POST .*git-receive-pack", r"^git GET .*git-upload-pack"


@pytest.fixture
def forge(world):
    """The run's forge, with a lane that is not on the server yet."""
    from agentrelay_core.spec import WorkstreamSpec

    workspace = world.workspace()
    workspace.preflight()
    workspace.open_workstream(WorkstreamSpec(id="default"))
    return forge_of(world.bench.run)


@pytest.mark.fault("G14")
@pytest.mark.parametrize("fault", [dropping(PUSH), dropping(PUSH, after_effect=True), answering(PUSH, 502)])
def test_push_whose_answer_is_lost_happens_once(world, forge, fault):
    """A push that ended without an answer is made again, and finds what the first one did."""
    script = world.github.script(fault)
    tip = forge.share(LANE)
    assert script.met == 1
    assert world.hosted.tip(LANE) == tip == world.bench.user("rev-parse", LANE)
    assert [effect.branch for effect in world.github.happened("pushed")].count(LANE) == 1


def test_look_that_is_not_answered_is_made_again(world, forge):
    """A fetch that a server error ended is tried again."""
    script = world.github.script(answering(LOOK, 503))
    assert forge.tip("main") == world.hosted.tip("main")
    assert script.met == 1


@pytest.mark.fault("G19")
def test_branch_that_takes_no_pushes_is_named(world, forge):
    """A push that GitHub's rules refuse waits for a person, with what GitHub says."""
    world.hosted.protect(LANE, closed=True)
    with pytest.raises(PushRefused, match=r"refuses the push: .*type `agentrelay run`"):
        forge.share(LANE)


@pytest.mark.fault("G16")
def test_token_that_has_ended_is_told_apart(world, forge):
    """A login that git cannot use any more waits for a person at once, with what to type."""
    world.github.accounts.revoke(world.github.token)
    with pytest.raises(RemoteForbidden, match=r"gh auth login --hostname github\.localhost") as refused:
        forge.share(LANE)
    assert world.github.token not in str(refused.value)


def test_login_that_may_only_read_is_told_apart(world, forge):
    """A right to push that was taken away waits for a person."""
    world.hosted.allow(world.github.user, "read")
    with pytest.raises(RemoteForbidden, match="or get the right to push to"):
        forge.share(LANE)


@pytest.mark.fault("G19")
def test_repository_that_is_gone_is_named(world, forge):
    """A repository that is not there any more waits for a person, and nothing here is lost."""
    world.github.script(answering(r"^git ", 404, times=10))
    with pytest.raises(RemoteGone, match=r"there is no repository at http://github\.localhost/acme/widget\.git"):
        forge.share(LANE)
    assert world.bench.user("rev-parse", LANE)


def test_what_gh_knows_is_offered_to_git(world, gh_login, monkeypatch):
    """Over https git gets the user's login from gh, where nothing else that is configured has one."""
    for name in ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"):
        monkeypatch.delenv(name)
    world.workspace().preflight()
    git = OutwardGit(git_dir=world.bench.state / "repository.git", login=gh_login)
    asked = b"protocol=https\nhost=github.localhost\n\n"
    assert f"password={world.github.token}" in git.run("credential", "fill", stdin=asked).stdout.decode()
    with pytest.raises(GitFailed, match="could not read Username"):
        attrs.evolve(git, login=None).run("credential", "fill", stdin=asked)


@pytest.fixture
def gh_login():
    """The login of a remote that is named by https, as a run's forge has it."""
    return login_for("https://github.localhost/acme/widget.git")


def test_ssh_has_keys_of_its_own():
    """For an address by ssh gh is not asked."""
    assert login_for("git@github.com:acme/widget.git") is None
    assert login_for("ssh://git@github.com/acme/widget.git") is None

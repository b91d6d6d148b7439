"""What the doctor says of a repository on the emulated GitHub, by the real gh."""

import re

import attrs
import pytest
from agentrelay_git_gh.github.doctor import findings
from agentrelay_git_gh.workspace import GitWorkspace
from pytest_agentrelay.github import answering

from agentrelay_core.runtime import UserError
from agentrelay_core.spec import RunSettings, WorkstreamSpec

GITHUB = RunSettings(forge="github")
RULES = {"form": "ruleset"}


def found(world, settings=GITHUB):
    """Level, message and what to do, of each finding."""
    return [(one.level, one.message, one.mend) for one in findings(world.bench.user.path, settings)]


def said(world, settings=GITHUB, level=None):
    """The messages, with what to do, of the findings of a level."""
    return "\n".join(f"{message} -> {mend}" for kind, message, mend in found(world, settings) if level in (None, kind))


def refused(world):
    """The sentences by which a run is refused."""
    with pytest.raises(UserError) as raised:
        world.workspace().preflight()
    return str(raised.value)


def test_all_that_matters_is_told(world):
    """Where nothing is wrong, the notes name the remote, gh, the login, the repository, the branch and the plan."""
    world.hosted.protect("main", checks=("build", "lint"), reviews=2, strict=True, **RULES)
    world.hosted.use_queue("main")
    told = said(world)
    assert {level for level, *_ in found(world)} == {"note"}
    for words in (
        "the remote origin is http://github.localhost/acme/widget.git: the repository acme/widget of github.localhost",
        "gh 2.",
        f"logged in to github.localhost as {world.github.user} by the file ",
        "scopes repo, read:org, workflow",
        "acme/widget is private; the login may push and merge; merge methods: merge, squash, rebase",
        "main asks for the checks build, lint, 2 approvals, a source that is up to date and its merge queue",
        "of 5000 REST calls and ",
        "agentrelay/GRAPH@WORKSTREAM, by merge; the workstream's goes into main, by its merge queue",
        "a merge into main waits for build, lint; one into a workstream's for none",
    ):
        assert words in told


def test_both_gh_are_understood(emulated_github, gh, user, monkeypatch):
    """The old and the new gh give the same findings, but for themselves."""
    emulated_github.add_repository("acme", "widget", from_=user.path)
    user("remote", "add", "origin", emulated_github.remote_url("acme", "widget"))
    for name, value in emulated_github.environment("file").items():
        monkeypatch.setenv(name, value)
    told = [one.message for one in findings(user.path, GITHUB)]
    assert len(told) == 8
    assert told[1].startswith("gh 2.")
    assert told[2].endswith("scopes repo, read:org, workflow")


@pytest.mark.parametrize("login", ["token", "file"])
def test_no_token_is_shown(world, login):
    """Neither the login's token nor one in the remote's address is in any finding."""
    for name, value in world.github.environment(login).items():
        world.monkeypatch.setenv(name, value)
    hidden = f"http://octocat:{world.github.token}@github.localhost/acme/widget.git"
    world.bench.user("remote", "set-url", "origin", hidden)
    told = said(world)
    assert "by the variable GH_TOKEN" in told if login == "token" else "hosts.yml" in told
    assert world.github.token not in told


def test_abbreviated_address_is_read_by_the_users_configuration(world):
    """An `insteadOf` of the user's own configuration counts, and one in the repository does not."""
    user = world.bench.user
    user("remote", "set-url", "origin", "work:acme/widget.git")
    user("config", "url.http://github.localhost/evil/.insteadOf", "work:acme/")
    user("config", "--global", "url.http://github.localhost/.insteadOf", "work:")
    assert "turns into http://github.localhost/acme/widget.git: the repository acme/widget" in said(world)


REFUSALS = {
    "a revoked token": (lambda world: world.github.accounts.revoke(world.github.token), "does not work.*gh auth login"),
    "a scope that is missing": (
        lambda world: world.github.accounts.change(world.github.token, scopes=("read:org",)),
        "gh auth refresh --hostname github.localhost --scopes repo",
    ),
    "single sign-on": (lambda world: world.github.accounts.require_single_sign_on("acme"), "single sign-on.*/sso"),
    "no right to see it": (lambda world: world.hosted.allow(world.github.user, "none"), "is not there, or the login"),
    "no right to push": (lambda world: world.hosted.allow(world.github.user, "read"), "may not push"),
    "an archive": (lambda world: world.hosted.set(archived=True), "is archived"),
    "another merge method": (lambda world: world.hosted.set(methods=("squash",)), "say `merge_method: squash`"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_a_run_is_refused_for_is_an_error(world, case):
    """The doctor names as an error, with what to do, just what the beginning of a run is refused for."""
    spoil, words = REFUSALS[case]
    spoil(world)
    errors = [(message, mend) for level, message, mend in found(world) if level == "error"]
    assert len(errors) == 1
    assert errors[0][1]
    text = "; ".join(errors[0])
    assert re.search(words, text), text
    assert re.search(words, refused(world))


def test_scopes_are_judged_by_what_the_repository_needs(world):
    """Public work needs `public_repo` at least, which is no more than that; without it a run is refused."""
    world.hosted.set(private=False)
    world.github.accounts.change(world.github.token, scopes=("public_repo",))
    assert said(world, level="error") == ""
    assert "lacks the scope workflow" in said(world, level="note")
    world.workspace().preflight()
    world.github.accounts.change(world.github.token, scopes=("read:org",))
    assert "its scopes are read:org, and it needs repo" in said(world, level="error")
    assert "its scopes are read:org, and it needs repo" in refused(world)


def test_queue_that_no_rule_speaks_of_is_told(world):
    """A merge queue of a classic protection is in no ruleset, and is found all the same."""
    world.hosted.use_queue("main")
    world.github.script(answering("GET .*/rules/branches/main", 200, []))
    assert "main asks for no checks and its merge queue" in said(world)


def test_each_problem_is_named_at_once(world):
    """A run that is refused for two things names both, as the doctor does."""
    world.hosted.set(archived=True, methods=("rebase",))
    assert len([level for level, *_ in found(world) if level == "error"]) == 2
    text = refused(world)
    assert text.startswith("this graph cannot run here yet:\n")
    assert "is archived" in text
    assert "which allows rebase" in text


def test_neither_remote_nor_gh_are_both_named(world, tmp_path):
    """Without a remote and without gh both are errors, and a run is refused by both."""
    world.bench.user("remote", "remove", "origin")
    git = tmp_path / "only-git"
    git.mkdir()
    (git / "git").symlink_to("/usr/bin/git")
    world.monkeypatch.setenv("PATH", str(git))
    text = refused(world)
    assert "git remote add origin" in text
    assert "gh, which is not on PATH" in text
    assert said(world, level="error").count("\n") == 1


@pytest.mark.parametrize(("version", "level"), [("2.4.0", "error"), ("2.20.1", "warning")])
def test_old_gh_is_named(world, tmp_path, version, level):
    """A gh that is older than what was tried is told of, and one that cannot work is refused."""
    program = tmp_path / "bin" / "gh"
    real = world.bench.user.path.parent / "real-gh"
    program.rename(real)
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "gh version {version} (2022-11-01)" && exit\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    assert f"gh {version}" in said(world, level=level)
    assert "install" in said(world, level=level)


def test_offline_is_one_line(world):
    """Without a connection the doctor says so once, asks once, and a run is not refused for it."""
    for name in ("HTTP_PROXY", "http_proxy"):
        world.monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert said(world, level="error") == ""
    assert said(world, level="warning").startswith("github.localhost does not answer, so nothing more is known")
    assert said(world, level="warning").count("\n") == 0


def test_server_that_fails_is_asked_once(world):
    """An answer that is none ends the look: the doctor does not try for minutes."""
    fault = world.github.script(answering("GET /user", 502))
    assert "does not answer" in said(world, level="warning")
    assert fault.met == 1


def test_calls_that_are_nearly_used_up_are_told(world):
    """With less left than a run leaves to others, the doctor says until when."""
    world.github.quota.use_up("graphql")
    assert "nearly used up (GraphQL until" in said(world, level="warning")
    world.github.quota.use_up("core")
    assert "a run would wait as long" in said(world, level="warning")


def test_protection_that_is_told_to_administrators(world):
    """Reviews of a classic protection are told where the login is an administrator's, and otherwise it says so."""
    world.hosted.protect("main", reviews=1)
    assert "told to administrators alone" in said(world)
    world.hosted.allow(world.github.user, "admin")
    assert "main asks for no checks and an approval" in said(world)


def test_rules_that_stand_against_our_branches_are_told(world):
    """A ruleset that holds for branches called as ours are is a warning, for every push of a run is refused."""
    world.hosted.protect("agentrelay/doctor@default", **RULES)
    assert "changes need a pull request -> exclude `agentrelay/**/*`" in said(world, level="warning")


def test_methods_of_the_targets_rules_are_told(world):
    """A method that only the target's ruleset forbids is a warning that names one that it allows."""
    world.hosted.protect("main", methods=("squash",), **RULES)
    assert "-> say `merge_method: squash`" in said(world, level="warning")
    assert said(world, attrs.evolve(GITHUB, merge_method="squash"), level="warning") == ""


def test_target_that_is_not_there_is_told(world):
    """A target that is on this machine alone is a warning with the push to type."""
    world.bench.user("checkout", "-q", "-b", "mine")
    assert "-> type `git push origin mine`" in said(world, level="warning")


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ("required", "main asks for none, so no merge waits for a check -> to have merges wait"),
        ("all", "every merge waits for all checks"),
        ("none", "no merge waits for a check that GitHub does not ask for"),
        (("build", "lint"), "every merge waits for build, lint to pass"),
    ],
)
def test_what_merges_wait_for_is_told(world, checks, words):
    """The plan says what each policy means here."""
    assert words in said(world, attrs.evolve(GITHUB, checks=checks))


def test_auto_says_which_it_is_and_why(world):
    """`auto` is told as GitHub with a login, and as local with the reason without; neither is an error."""
    auto = RunSettings()
    assert "`forge: auto` means GitHub here" in said(world, auto)
    world.log_out()
    assert "`forge: auto` means local pull requests here: " in said(world, auto)
    assert "-> type `gh auth login --hostname github.localhost`" in said(world, auto)
    world.bench.user("remote", "set-url", "origin", "https://gitlab.com/acme/widget.git")
    assert "gh is not there, or has no login for gitlab.com -> \n" in f"{said(world, auto)}\n"
    world.bench.user("remote", "set-url", "origin", "https://github.com/acme/widget.git")
    assert "-> type `gh auth login --hostname github.com`" in said(world, auto)
    world.bench.user("remote", "remove", "origin")
    assert [level for level, *_ in found(world, auto)] == ["note"]
    assert "'checks: all' needs a forge with a server" in said(world, RunSettings(checks="all"), level="error")


def test_checks_of_a_lane_are_refused_up_front_for_local_pull_requests(world):
    """What a workstream asks of a server is refused before anything begins, with everything else."""
    world.bench.forge = "local"
    world.bench.settings = {"merge_method": "rebase"}
    run = attrs.evolve(world.bench.run, workstreams=(WorkstreamSpec(id="docs", checks=("build",)),))
    with pytest.raises(UserError) as raised:
        GitWorkspace(run).preflight()
    assert "merge_method: rebase" in str(raised.value)
    assert "'checks: build' of the workstream 'docs'" in str(raised.value)

"""The leak check, by tests that leak on purpose in a pytest of their own."""

from fnmatch import fnmatch

import pytest
from pytest_agentrelay.leaks.repositories import is_temporary

from agentrelay_core.processes import find_marked

pytest_plugins = ["pytester"]
QUIET = ("-p", "no:cacheprovider")
# Each test leaves one thing.
LEAKING = """
import asyncio, os, subprocess

kept = []


def test_a_process(leak_check):
    kept.append(subprocess.Popen(["sleep", "600"]))
    kept[-1].returncode = 0  # Popen does not complain of what is left; the check does


def test_a_child_without_the_mark(leak_check):
    kept.append(subprocess.Popen(["sleep", "601"], env={"PATH": os.environ["PATH"]}))
    kept[-1].returncode = 0


def test_a_daemon(leak_check):
    subprocess.run("MINE=leak-602 setsid sleep 602 >/dev/null 2>&1 &", shell=True, check=True)


def test_an_agent(leak_check, tmp_path):
    variables = {"AGENTRELAY_SIGNAL_DIR": str(tmp_path / "signals"), "PATH": os.environ["PATH"]}
    subprocess.run("setsid sleep 603 >/dev/null 2>&1 &", shell=True, check=True, env=variables)


def test_a_file(leak_check, tmp_path):
    os.open(tmp_path / "left", os.O_CREAT | os.O_WRONLY)


def test_a_loop(leak_check):
    kept.append(asyncio.new_event_loop())


def test_a_worktree(leak_check, git_repository, tmp_path):
    git_repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "left"))


def test_a_watched_worktree(leak_check, git_repository, tmp_path):
    git_repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "before"))
    leak_check.watch(git_repository.path)
    git_repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "after"))


def test_a_ref(leak_check, git_repository):
    git_repository.git("update-ref", "refs/agentrelay/tmp/left", "HEAD")
    git_repository.git("update-ref", "refs/agentrelay/pr/1", "HEAD")
"""
STARTED = "the test started it, and it still runs. Stop the agent by its address *"
SOCKET = "file descriptor * (socket:*): close the socket, or the connection or event loop that owns it"
# What is said of each, line by line.
SAID = {
    "a_process": [f"process * (sleep 600): {STARTED}"],
    "a_child_without_the_mark": [f"process * (sleep 601): {STARTED}"],
    "a_daemon": [f"process * (sleep 602): {STARTED}"],
    "an_agent": [f"process * (sleep 603): {STARTED}"],
    "a_file": ["file descriptor * (*/left): close what was opened, best by a with block"],
    "a_loop": ["file descriptor * (anon_inode:*eventpoll*): an event loop was not closed; *", SOCKET, SOCKET],
    "a_worktree": ["git worktree */left of *: close its workstream, or type `git -C * worktree remove */left`"],
    "a_watched_worktree": ["git worktree */after of *: close its workstream, or type `git -C * *`"],
    "a_ref": [
        "temporary ref refs/agentrelay/tmp/left of *: delete it *`git -C * update-ref -d refs/agentrelay/tmp/left`"
    ],
}


@pytest.mark.slow
def test_what_a_test_leaves_fails_it_and_is_ended(pytester):
    """Of each leak, and of nothing else, is said what it is and how to mend it; a process that is left is ended."""
    pytester.makepyfile(LEAKING)
    done = pytester.runpytest_subprocess(*QUIET)
    done.assert_outcomes(passed=len(SAID), errors=len(SAID))
    told = done.stdout.str().partition("short test summary")[0].split("left behind, when its fixtures were gone:")
    assert len(told) == len(SAID) + 1
    for before, after, (name, said) in zip(told, told[1:], SAID.items(), strict=False):
        assert before.endswith(f"::test_{name} ")
        lines = [line.removeprefix("  - ") for line in after.splitlines() if line.startswith("  - ")]
        assert len(lines) == len(said)
        for line, pattern in zip(lines, said, strict=True):
            assert fnmatch(line.replace("[", "("), pattern), line
    assert not find_marked("MINE", "leak-602")


def test_a_test_that_leaves_nothing_passes(pytester):
    """Processes that end, files that are closed, a run with git and a fake agent: nothing is left, and nothing said."""
    pytester.makepyfile(
        """
        import subprocess
        import pytest

        def test_programs(leak_check, tmp_path):
            subprocess.run("setsid sleep 0.1 >/dev/null 2>&1 &", shell=True, check=True)
            with (tmp_path / "file").open("w"):
                pass

        @pytest.mark.asyncio
        async def test_a_life(leak_check, run_steps):
            assert (await run_steps()).result.pr_url

        def test_multiprocessing(leak_check):
            from multiprocessing import get_context

            with get_context("spawn").Pool(1) as pool:
                assert pool.map(len, ["abc"]) == [3]
                pool.close()
                pool.join()

        def test_git(leak_check, git_repository):
            git_repository.git("worktree", "add", "--quiet", "--detach", "../tree")
            git_repository.git("worktree", "remove", "../tree")
            git_repository.git("branch", "tmp")
        """
    )
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=4)


def test_a_whole_run_of_a_graph_leaves_nothing(pytester):
    """The product's own orchestrator, with real git and agents in both environments, passes the check."""
    pytester.makepyfile(
        """
        import pytest
        from agentrelay_core import AgentConfig, Catalog, Task, TaskGraph, run_graph
        from agentrelay_core.builtin.environment import ProcessEnvironment
        from pytest_agentrelay.fakes import InProcess

        @pytest.mark.asyncio
        @pytest.mark.parametrize("environment", [InProcess(), ProcessEnvironment()])
        async def test_it(environment, leak_check, git_repository):
            agent = AgentConfig(framework="fake", environment=environment)
            graph = TaskGraph(name="g", tasks=(Task(id="a", description="Do it.", primary_agent=agent),))
            result = await run_graph(graph, repository=git_repository.path, catalog=Catalog.discover())
            assert result.tasks["a"].error is None
        """
    )
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=2)


ONE = """
    import os
    import pytest

    def test_plain(tmp_path):
        os.open(tmp_path / "left", os.O_CREAT | os.O_WRONLY)

    @pytest.mark.agentrelay_leak_check
    def test_marked(tmp_path):
        os.open(tmp_path / "left", os.O_CREAT | os.O_WRONLY)
"""


def test_a_marker_asks_for_it(pytester):
    """The marker, known under --strict-markers, has its test checked, and no other."""
    pytester.makepyfile(ONE)
    done = pytester.runpytest_subprocess("--strict-markers", *QUIET)
    done.assert_outcomes(passed=2, errors=1)
    assert "::test_marked left behind" in done.stdout.str()


def test_an_option_asks_for_it_everywhere(pytester):
    """``agentrelay_leak_check = true`` has all tests checked."""
    pytester.makeini("[pytest]\nagentrelay_leak_check = true\n")
    pytester.makepyfile(ONE)
    pytester.runpytest_subprocess("--strict-config", *QUIET).assert_outcomes(passed=2, errors=2)


def test_what_serves_other_tests_too_is_no_leak(pytester):
    """What a fixture of a wider scope opens is not the first test's."""
    pytester.makeini("[pytest]\nagentrelay_leak_check = true\n")
    pytester.makepyfile(
        """
        import subprocess
        import pytest

        @pytest.fixture(scope="module")
        def server():
            with subprocess.Popen(["sleep", "605"], stdout=subprocess.PIPE) as process:
                yield process
                process.kill()

        def test_one(server):
            pass

        def test_two(server):
            pass
        """
    )
    pytester.runpytest_subprocess(*QUIET).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("ref", "temporary"),
    [
        ("refs/heads/tmp", False),
        ("refs/tags/tmp", False),
        ("refs/agentrelay/pr/1", False),
        ("refs/agentrelay/rescue/run/template/0", False),
        ("refs/agentrelay/tmp/1", True),
        ("refs/agentrelay/fetch/tmp-7f", True),
        ("refs/mine/1", True),
    ],
)
def test_which_refs_are_temporary(ref, temporary):
    """Branches, tags and the product's records last; what has a namespace of its own, or says so, does not."""
    assert is_temporary(ref) is temporary

"""The fixture, as authors of plugins get it."""

pytest_plugins = ["pytester"]


def test_it_leaves_nothing(pytester):
    """A test that uses it, with its pushes, its merges and its threads, passes the kit's check for leaks."""
    pytester.makepyfile(
        """
        import os
        import subprocess

        def test_it(emulated_github, leak_check):
            emulated_github.add_repository("o", "r")
            hosted = emulated_github.repository("o/r")
            hosted.push("main", {"a": "a"})
            hosted.push("one", {"b": "b"})
            hosted.merge(hosted.open("one", "main").number)
            environment = {**os.environ, **emulated_github.environment()}
            subprocess.run(["git", "ls-remote", emulated_github.remote_url("o", "r")], env=environment, check=True)
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_without_what_it_needs(pytester):
    """Where graphql-core is not installed, the test that uses it fails and says what to type."""
    pytester.makeconftest('import sys\nsys.modules["graphql"] = None')
    pytester.makepyfile("def test_it(emulated_github): pass")
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*pip install 'pytest-agentrelay?github?'*"])


def test_its_user_is_nobody_else(pytester, monkeypatch):
    """Nothing of the login of whoever runs the tests is left in a test."""
    monkeypatch.setenv("GH_TOKEN", "a real one")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i a-real-key")
    pytester.makepyfile(
        """
        import os

        def test_it(emulated_github):
            assert not {"GH_TOKEN", "GIT_SSH_COMMAND"} & os.environ.keys()
            assert "GH_TOKEN" not in emulated_github.environment("file")
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)

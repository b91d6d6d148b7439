"""Which repository a remote's URL names, and whether gh has a login for its host, by the real gh."""

import os
from pathlib import Path

import pytest
from agentrelay_git_gh.github.environment import gh_environment, login_variable, without_tokens
from agentrelay_git_gh.github.sites import Site, has_login, parse, pull_request_of, recognises

OURS = Site(host="github.com", owner="acme", name="rockets")


@pytest.fixture(autouse=True)
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where gh keeps its logins; none of whoever runs the tests takes part."""
    for name in list(os.environ):
        if name.startswith(("GH_", "GITHUB_")):
            monkeypatch.delenv(name)
    directory = tmp_path / "gh"
    directory.mkdir()
    monkeypatch.setenv("GH_CONFIG_DIR", str(directory))
    return directory


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/rockets.git",
        "https://github.com/acme/rockets",
        "https://github.com/acme/rockets/",
        "https://uma:secret@github.com/acme/rockets.git",
        "https://GitHub.com/acme/rockets.git",
        "ssh://git@github.com/acme/rockets.git",
        "ssh://git@github.com:22/acme/rockets.git",
        "ssh://git@ssh.github.com:443/acme/rockets.git",
        "git://github.com/acme/rockets.git",
        "git@github.com:acme/rockets.git",
        "github.com:/acme/rockets",
    ],
)
def test_a_remote_in_any_form_names_its_repository(url):
    """https, ssh and the short form, with a port and a user or without, name the same repository."""
    assert parse(url) == OURS


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://code.example.org:8443/acme/rockets.git", "code.example.org"),
        ("git@acme.ghe.com:acme/rockets.git", "acme.ghe.com"),
        ("http://github.localhost/acme/rockets.git", "github.localhost"),
    ],
)
def test_a_remote_of_another_host_keeps_its_host(url, host):
    """An enterprise's host is read as github.com is."""
    assert parse(url) == Site(host=host, owner="acme", name="rockets")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/git/rockets.git",
        "../rockets",
        "file:///srv/git/acme/rockets.git",
        "https://github.com/acme",
        "https://github.com/acme/rockets/tree/main",
        "https://github.com/acme/..",
        "https://github.com/acme/roc kets",
        "https://[github.com/acme/rockets",
        "./a:b/c",
        "ext::sh -c x% acme/rockets",
    ],
)
def test_what_names_no_repository_of_a_host_is_none(url):
    """A path, another protocol, or a name that no repository can have is no site."""
    assert parse(url) is None


def test_a_pull_request_is_known_by_its_url():
    """The repository and the number are read from a pull request's URL, or from a page below it."""
    assert pull_request_of("https://github.com/acme/rockets/pull/12") == (OURS, 12)
    assert pull_request_of("https://github.com/acme/rockets/pull/12/files") == (OURS, 12)
    for url in (
        "",
        "12",
        "https://github.com/acme/rockets/issues/12",
        "https://github.com/acme/rockets/pull/0",
        "agentrelay+local:g/1",
        "https://[x/acme/rockets/pull/1",
        "ssh://github.com/acme/rockets/pull/1",
    ):
        assert pull_request_of(url) is None


def test_names_are_compared_as_github_does():
    """Letters' cases do not tell repositories apart; hosts do."""
    assert OURS.is_same(Site(host="github.com", owner="Acme", name="Rockets"))
    assert OURS.has("ACME/rockets")
    assert not OURS.is_same(Site(host="acme.ghe.com", owner="acme", name="rockets"))


@pytest.mark.usefixtures("gh")
def test_a_host_is_recognised_by_a_login(logins):
    """Without a login for its host no remote is recognised; with one in gh's keeping it is."""
    assert not recognises("git@code.example.org:acme/rockets.git")
    assert not recognises("git@github.com:acme/rockets.git")
    (logins / "hosts.yml").write_text(
        "code.example.org:\n    user: uma\n    oauth_token: abcdef0123456789\n    git_protocol: https\n"
    )
    assert recognises("git@code.example.org:acme/rockets.git")
    assert not recognises("git@github.com:acme/rockets.git")
    assert not recognises("/srv/git/acme/rockets.git")


@pytest.mark.usefixtures("gh")
def test_a_token_for_enterprises_makes_no_other_host_one(monkeypatch):
    """GH_ENTERPRISE_TOKEN is a login for the host that GH_HOST names, and not for whatever host a remote names."""
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "abcdef0123456789")
    assert not has_login("gitlab.com")
    monkeypatch.setenv("GH_HOST", "code.example.org")
    assert has_login("code.example.org")
    assert not has_login("gitlab.com")


@pytest.mark.usefixtures("gh")
def test_a_token_is_a_login_for_the_public_host(monkeypatch):
    """GH_TOKEN is a login for github.com, and for no enterprise's host."""
    monkeypatch.setenv("GH_TOKEN", "abcdef0123456789")
    assert has_login("github.com")
    assert not has_login("code.example.org")
    assert login_variable("github.com") == "GH_TOKEN"
    assert login_variable("code.example.org") is None


def test_without_gh_nothing_is_recognised(tmp_path, monkeypatch):
    """Where gh is not installed, no remote is recognised."""
    monkeypatch.setenv("GH_TOKEN", "abcdef0123456789")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not recognises("https://github.com/acme/rockets.git")


def test_gh_is_given_what_it_needs_and_no_more():
    """Its login, its proxies and its certificates reach gh; what changes its output or its repository does not."""
    user = {
        "PATH": "/bin", "HOME": "/h", "GH_TOKEN": "t", "GITHUB_TOKEN": "t", "GH_CONFIG_DIR": "/c", "GH_HOST": "h",
        "https_proxy": "p", "HTTPS_PROXY": "p", "SSL_CERT_FILE": "f", "LC_ALL": "C", "XDG_CONFIG_HOME": "/x",
        "GH_DEBUG": "api", "GH_FORCE_TTY": "80", "GH_REPO": "other/one", "GIT_DIR": "/g", "AWS_SECRET_KEY": "s",
        "LD_PRELOAD": "l", "GH_PAGER": "less",
    }  # fmt: skip
    given = gh_environment(user)
    assert given["GH_PAGER"] == "cat"
    assert given["GH_PROMPT_DISABLED"] == "1"
    assert {name for name in user if name not in given} == {
        "GH_DEBUG", "GH_FORCE_TTY", "GH_REPO", "GIT_DIR", "AWS_SECRET_KEY", "LD_PRELOAD",
    }  # fmt: skip


def test_tokens_do_not_reach_messages(monkeypatch):
    """The value of a login's variable, and what looks like a token of GitHub, become stars."""
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "opaque-value-1")
    text = "a opaque-value-1 b ghp_abcdefghijklmnopqrst0123456789 c github_pat_11ABCDEFG0123456789_x d"
    assert without_tokens(text) == "a *** b *** c *** d"

"""The real git over HTTP: clone, push and what refuses them."""

from pytest_agentrelay.github import answering, dropping


def _clone(git, github, login="file"):
    return git("clone", "--quiet", github.remote_url("o", "r"), "work", login=login)


def _commit(git, path, name):
    (path / name).write_text(f"{name}\n")
    git("add", name, cwd="work")
    assert git("commit", "--quiet", "-m", f"Write {name}", cwd="work").returncode == 0


def test_a_push_is_seen(git, emulated_github, hosted, tmp_path):
    """A push arrives in the bare repository, is counted with who pushed, and moves the head of a pull request."""
    assert _clone(git, emulated_github).returncode == 0
    number = hosted.open("one", "main").number
    git("switch", "--quiet", "one", cwd="work")
    _commit(git, tmp_path / "work", "more.txt")
    assert git("push", "--quiet", cwd="work").returncode == 0
    tip = git("rev-parse", "HEAD", cwd="work").stdout.strip()
    assert hosted.pull(number).head_sha == tip == hosted.git("rev-parse", f"refs/pull/{number}/head")
    [pushed] = [one for one in emulated_github.happened("pushed") if one.actor == emulated_github.user]
    assert (pushed.branch, pushed.sha) == ("one", tip)


def test_without_a_login(git, emulated_github, hosted):
    """Neither clone nor push is let in without credentials, and a token that died is none."""
    assert "could not read Username" in _clone(git, emulated_github, login="none").stderr
    emulated_github.accounts.revoke(emulated_github.token)
    assert _clone(git, emulated_github).returncode != 0


def test_rights(git, emulated_github, hosted, tmp_path):
    """Who may read may clone and not push; who may do nothing does not learn that there is a repository."""
    hosted.allow(emulated_github.user, "read")
    assert _clone(git, emulated_github).returncode == 0
    _commit(git, tmp_path / "work", "more.txt")
    assert "403" in git("push", cwd="work").stderr
    hosted.allow(emulated_github.user, "none")
    assert "Repository not found" in git("fetch", cwd="work").stderr
    assert [one.actor for one in emulated_github.happened("pushed")] == ["somebody"] * 3


def test_a_protected_branch(git, emulated_github, hosted, tmp_path):
    """A branch that takes no pushes refuses one in GitHub's words, and stays where it is."""
    assert _clone(git, emulated_github).returncode == 0
    hosted.protect("main", closed=True)
    before = hosted.tip("main")
    _commit(git, tmp_path / "work", "more.txt")
    assert "GH006: Protected branch update failed" in git("push", cwd="work").stderr
    assert hosted.tip("main") == before


def test_a_push_that_fails(git, emulated_github, hosted, tmp_path):
    """A push can be refused before it arrives, or cut off after it has."""
    assert _clone(git, emulated_github).returncode == 0
    _commit(git, tmp_path / "work", "more.txt")
    before = hosted.tip("main")
    emulated_github.script(answering(r"^git POST .*git-receive-pack", 503))
    assert git("push", cwd="work").returncode != 0
    assert hosted.tip("main") == before
    emulated_github.script(dropping(r"^git POST .*git-receive-pack", after_effect=True))
    assert git("push", cwd="work").returncode != 0
    assert hosted.tip("main") == git("rev-parse", "HEAD", cwd="work").stdout.strip()


def test_a_large_push(git, emulated_github, hosted, tmp_path):
    """What git sends in chunks, without saying how long it is, arrives whole."""
    assert _clone(git, emulated_github).returncode == 0
    (tmp_path / "work" / "large").write_bytes(
        bytes(range(256)) * 4096 + b"".join(hex(n).encode() for n in range(400_000))
    )
    git("config", "http.postBuffer", "65536", cwd="work")
    git("config", "core.compression", "0", cwd="work")
    git("add", "large", cwd="work")
    git("commit", "--quiet", "-m", "Write much", cwd="work")
    pushed = git("push", "--quiet", cwd="work")
    assert pushed.returncode == 0, pushed.stderr
    assert hosted.git("rev-parse", "main:large") == git("rev-parse", "HEAD:large", cwd="work").stdout.strip()

"""What is read and written without a git process is what git itself would read and write."""

import os
import subprocess
import threading

import attrs
import pytest
from agentrelay_git_gh.git import commits, loose, refs, walking
from agentrelay_git_gh.git.commits import Signature, commit_tree
from agentrelay_git_gh.git.merging import MergeMessage, merge_commit
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.setup import set_up
from agentrelay_git_gh.git.transfer import bring, send
from agentrelay_git_gh.inspection import inspect
from agentrelay_git_gh.names import head_ref

from agentrelay_core.runtime import AgentFailure, Internal

ADA = Signature(name="Ada", email="ada@example.org", date="1700000000 +0100")


@pytest.fixture(params=["sha1", "sha256"])
def repository(request, tmp_path):
    """A user's repository and ours, in both object formats."""
    root = tmp_path / "made"
    subprocess.run(["git", "init", "-q", f"--object-format={request.param}", str(root)], check=True)
    both = Repository(root=root, common=root / ".git", state_dir=tmp_path / "state")
    set_up(both, request.param)
    return both


@pytest.fixture
def git(repository):
    """Git in the user's repository."""

    def run(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(("git", *arguments), cwd=repository.root, input=stdin.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr
        return os.fsdecode(done.stdout).rstrip("\n")

    return run


def counted(monkeypatch, repository):
    """The commands that our git runs from now on."""
    seen = []
    run = type(repository.ours).run

    def recording(self, *arguments, **more):
        seen.append(arguments[0])
        return run(self, *arguments, **more)

    monkeypatch.setattr(type(repository.ours), "run", recording)
    return seen


@pytest.mark.parametrize(
    "signature",
    [
        ADA,
        attrs.evolve(ADA, name="Ada Lovelace, Jr"),
        attrs.evolve(ADA, name="Ada Lovelace Jr."),
        attrs.evolve(ADA, name=" 'Ada' "),
        attrs.evolve(ADA, name="Ädä \u4e2d", date="0 +0000"),
        attrs.evolve(ADA, date="1700000000 -0000"),
        attrs.evolve(ADA, date="1700000000 -0930"),
        attrs.evolve(ADA, email="ada.@example.org."),
        attrs.evolve(ADA, name="x", email="y"),
    ],
)
@pytest.mark.parametrize("message", ["subject\n\nbody\n\nA: b\n", "no newline", "\n\nblank lines first\n", ""])
def test_a_commit_is_what_git_would_make(repository, git, signature, message):
    """A commit has the hash that `git commit-tree` gives it, whatever is in its names, dates and message."""
    empty = git("mktree")
    parent = git("commit-tree", empty, stdin="first")
    bring(repository, [parent], [])
    made = commit_tree(repository.ours, empty, (parent,), message, signature, signature)
    people = {
        f"GIT_{role}_{field.upper()}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in attrs.asdict(signature, filter=lambda at, _: at.name != "date").items()
    }
    dates = {f"GIT_{role}_DATE": f"@{signature.date}" for role in ("AUTHOR", "COMMITTER")}
    expected = repository.ours.text(
        "commit-tree", empty, "-p", parent, stdin=message.encode(), extra={**people, **dates}
    )
    assert made == expected


def test_a_usual_commit_needs_no_process(repository, git, monkeypatch):
    """With usual names no git process runs, also where the signature is the user's."""
    empty = git("mktree")
    seen = counted(monkeypatch, repository)
    first = commit_tree(repository.ours, empty, (), "one\n", ADA, ADA)
    second = commit_tree(repository.ours, empty, (first,), "two\n")
    assert seen == []
    assert commits.read_commit(repository.ours, second).author.name == "Uma User"
    assert repository.ours.text("log", "--format=%s", second).split() == ["two", "one"]


def test_a_loose_object_is_git_s(repository, git):
    """Git reads an object that we wrote, and we one that git wrote."""
    algorithm = repository.algorithm
    ours = loose.write(repository.user_objects, "blob", b"made here\n", algorithm)
    assert git("cat-file", "blob", ours) == "made here"
    theirs = git("hash-object", "-w", "--stdin", stdin="made there\n")
    assert loose.read(repository.user_objects, theirs) == loose.Loose("blob", b"made there\n")
    assert loose.write(repository.user_objects, "blob", b"made there\n", algorithm) == theirs
    git("fsck", "--strict")


def test_a_damaged_object_is_an_error(repository, git):
    """A file that does not hold what it is called after is never taken for the object."""
    one, two = (git("hash-object", "-w", "--stdin", stdin=text) for text in ("one", "two"))
    place = repository.user_objects / one[:2] / one[2:]
    place.chmod(0o600)
    for content in ((repository.user_objects / two[:2] / two[2:]).read_bytes(), b"", b"no zlib"):
        place.write_bytes(content)
        with pytest.raises(Internal, match="damaged"):
            loose.read(repository.user_objects, one)


def test_only_small_loose_files_are_read(repository, git, tmp_path):
    """A large object, one that unpacks to much, a link, a FIFO and a packed object are left to git."""
    big = git("hash-object", "-w", "--stdin", stdin="x" * (loose.LARGEST + 1))
    assert loose.read(repository.user_objects, big) is None
    sha = git("hash-object", "-w", "--stdin", stdin="small")
    place = repository.user_objects / sha[:2] / sha[2:]
    kept = place.rename(tmp_path / "elsewhere")
    assert loose.read(repository.user_objects, sha) is None
    place.symlink_to(kept)
    assert loose.read(repository.user_objects, sha) is None
    place.unlink()
    os.mkfifo(place)
    assert loose.read(repository.user_objects, sha) is None


def filled(git, repository, **files):
    """Commit files, ``__`` in a name being a slash; the commit."""
    for name, content in files.items():
        path = repository.root / name.replace("__", "/")
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    git("add", "-A")
    git("commit", "-q", "-m", "change")
    return git("rev-parse", "HEAD")


def test_changes_are_those_of_diff_tree(repository, git):
    """What changed between two commits, files turned into directories included, is what git says."""
    one = filled(git, repository, a="1", b__c="2", b__d="3", e__f__g="4", h="5")
    two = filled(git, repository, a="other", b__c=None, e__f__g=None, h=None, h__i="6", j__k__l="7", z="8")
    found = walking.changes(repository.user_objects, one, two)
    raw = git("diff-tree", "-r", "-z", "--raw", "--no-renames", one, two).split("\0")
    expected = {
        (name, "" if status == "D" else mode, "" if status == "D" else sha)
        for fact, name in zip(raw[:-1:2], raw[1::2], strict=True)
        for _, mode, _, sha, status in [fact.split()]
    }
    assert {(os.fsdecode(name), mode.decode(), sha) for name, mode, sha in found} == expected
    assert len(found) == len(expected)


def test_an_inner_repository_is_found_without_a_process(repository, git, monkeypatch):
    """A commit among a tree's files is refused, also where no process looks for it."""
    one = filled(git, repository, a="1")
    git("update-index", "--add", "--cacheinfo", f"160000,{one},b/inner")
    two = git("commit-tree", git("write-tree"), "-p", one, stdin="inner")
    seen = counted(monkeypatch, repository)
    with pytest.raises(AgentFailure, match="b/inner is a git repository of its own"):
        inspect(attrs.evolve(repository.ours, git_dir=repository.common), one, two, sizes=False)
    assert seen == []


def sent(repository, git, known):
    """Make a commit in our repository alone, on top of one that both have, and send it."""
    new = {"one/new.txt": "new\n", "two/three/new.txt": "new as well\n"}
    index = attrs.evolve(repository.ours, index=repository.state_dir / "index")
    index.run("read-tree", known)
    for name, content in new.items():
        blob = index.text("hash-object", "-w", "--stdin", stdin=content.encode())
        index.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    commit = commit_tree(repository.ours, index.text("write-tree"), (known,), "new\n", ADA, ADA)
    send(repository, [commit], [known])
    git("update-ref", "refs/heads/sent", commit)
    for name, content in new.items():
        assert git("show", f"{commit}:{name}") == content.rstrip()
    assert "missing" not in git("fsck", "--strict", "--no-dangling")


def test_a_few_objects_are_sent_without_a_process(repository, git, monkeypatch):
    """What is new and loose is copied, and the user's repository is whole afterwards."""
    known = filled(git, repository, one__a="1", two__three__b="2")
    bring(repository, [known], [])
    seen = counted(monkeypatch, repository)
    sent(repository, git, known)
    assert "pack-objects" not in seen


@pytest.mark.parametrize("packed", ["ours", "user"])
def test_what_is_packed_is_sent_by_git(repository, git, packed):
    """Where either repository keeps objects in packs the result is the same."""
    known = filled(git, repository, one__a="1", two__three__b="2")
    bring(repository, [known], [], strict=packed != "ours")
    if packed == "user":
        git("gc", "-q")
    sent(repository, git, known)


def test_a_merge_is_what_merge_tree_gives(repository, git, monkeypatch):
    """Where the target has not moved, the merge commit is the one that `git merge-tree` would lead to."""
    base = filled(git, repository, a="1", b__c="2")
    git("branch", "target")
    head = filled(git, repository, a="other", d__e="3", b__c=None)
    bring(repository, [head], [])
    tree = repository.ours.text("merge-tree", "--write-tree", base, head)
    seen = counted(monkeypatch, repository)
    merged = merge_commit(repository, "target", head, MergeMessage(subject="both"))
    assert seen == ["update-ref"]
    assert git("rev-parse", f"{merged}^{{tree}}") == tree
    assert git("log", "-1", "--format=%P %s", merged) == f"{base} {head} both"


def test_refs_are_read_as_git_reads_them(repository, git, tmp_path):
    """Loose, packed, changed after packing, missing and checked out: each reads as `for-each-ref` says."""
    one = filled(git, repository, a="1")
    names = ["main", "agentrelay/g/t", "agentrelay/g@w", "packed", "both", "none", "main/none"]
    for name in names[1:5]:
        git("update-ref", head_ref(name), one)
    git("pack-refs", "--all")
    two = filled(git, repository, a="2")
    git("update-ref", head_ref("both"), two)
    git("worktree", "add", "-q", str(tmp_path / "elsewhere"), "packed")
    wanted = [head_ref(name) for name in names]
    read = repository.user_refs(*wanted)
    form = "--format=%(refname) %(objectname) %(worktreepath)"
    listed = [line.split(" ") for line in git("for-each-ref", form, *wanted).splitlines()]
    assert {name: [ref.sha, str(ref.checked_out or "")] for name, ref in read.items()} == {
        name: rest for name, *rest in listed
    }
    assert set(read) == {head_ref(name) for name in names[:5]}


def test_unusual_refs_are_left_to_git(repository, git, tmp_path):
    """A ref that names another, one that is a link, and one that is a FIFO are not read here."""
    sha = filled(git, repository, a="1")
    git("symbolic-ref", "refs/heads/symbolic", "refs/heads/main")
    heads = repository.common / "refs" / "heads"
    (tmp_path / "secret").write_text(f"{sha}\n")
    (heads / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(heads / "fifo")
    (heads / "broken").write_text("no hash\n")
    for name in ("symbolic", "link", "fifo", "broken"):
        assert refs.read_ref(repository.common, head_ref(name)) == refs.UNUSUAL
    (heads / "fifo").unlink()
    assert repository.user_refs("refs/heads/symbolic")["refs/heads/symbolic"].sha == sha


def test_our_refs_are_git_s(repository, git):
    """Git sees refs that we wrote ourselves, also in place of packed ones and of ones that are directories' names."""
    one, two = filled(git, repository, a="1"), filled(git, repository, a="2")
    bring(repository, [two], [])
    repository.set_ours({"refs/agentrelay/base/r/b": one, "refs/heads/b": one})
    repository.ours.run("pack-refs", "--all")
    repository.set_ours({"refs/heads/b": two})
    assert repository.our_refs("refs/heads/b", "refs/agentrelay/base/r/b") == {
        "refs/heads/b": two,
        "refs/agentrelay/base/r/b": one,
    }
    assert repository.our_refs("refs/heads/") == {"refs/heads/b": two}
    assert not list(repository.our_directory.glob("aside-*"))


def test_objects_are_written_by_many_at_once(repository):
    """Threads that write the same object do not disturb each other, and nothing half-made stays."""
    contents = [b"%d" % number for number in range(40)]

    def write_all() -> None:
        for content in contents:
            loose.write(repository.user_objects, "blob", content, repository.algorithm)

    threads = [threading.Thread(target=write_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not list(repository.user_objects.rglob("tmp_obj_*"))

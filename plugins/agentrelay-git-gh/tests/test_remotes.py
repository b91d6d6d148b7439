"""Branches on a remote: moved only from where they were seen, and each kind of refusal told apart."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest
from agentrelay_git_gh.git.outward import without_credentials
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.remote.patience import TRIES
from agentrelay_git_gh.remote.remotes import (
    PushRefused,
    RemoteForbidden,
    RemoteGone,
    RemoteMoved,
)

from agentrelay_core.runtime import Internal, Parked

HOOK = """#!/bin/sh
echo "no pushes on Fridays" >&2
exit 1
"""


def hook(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_branch_is_made_once_and_moved_forward_from_where_it_was_seen(places):
    """A branch is made on the remote where there is none, moved forward, and pushing the same again changes nothing."""
    remote, first = places.remote, places.here()
    assert remote.tip("new") is None
    remote.push("new", first, None)
    remote.push("new", first, None)
    assert remote.tip("new") == places.there("new") == first
    second = places.commit_here("one")
    take_over(places.repository, second)
    remote.push("new", second, first)
    assert places.there("new") == second


@pytest.mark.fault("G19")
def test_branch_that_somebody_made_meanwhile_is_not_taken(places):
    """A branch that was not there at our look and is there now stays as its maker pushed it."""
    theirs = places.push_other("file", branch="main")
    places.other("push", "-q", "origin", f"{theirs}:refs/heads/new")
    with pytest.raises(RemoteMoved, match="stale info"):
        places.remote.push("new", places.here(), None)
    assert places.there("new") == theirs


@pytest.mark.fault("G19")
def test_branch_that_somebody_moved_meanwhile_is_not_moved(places):
    """A branch that stands elsewhere than at our look stays there, also where ours would hold all of it."""
    first = places.here()
    places.remote.push("new", first, None)
    theirs = places.push_other("file", branch="new")
    second = places.commit_here("one")
    take_over(places.repository, second)
    with pytest.raises(RemoteMoved):
        places.remote.push("new", second, first)
    assert places.there("new") == theirs


@pytest.mark.fault("G19")
def test_push_that_would_lose_commits_is_not_even_tried(places):
    """A lease does not permit us to rewrite: what is there must be in what is pushed."""
    theirs = places.push_other("file", branch="main")
    assert places.remote.fetch("main") == theirs
    with pytest.raises(Internal, match="would be lost"):
        places.remote.push("main", places.here(), theirs)
    assert places.there("main") == theirs


def test_fetched_branch_is_whole_in_ours_and_nothing_of_it_in_the_users(places):
    """Fetching brings the commits into our repository and neither refs nor objects into the user's."""
    theirs = places.push_other("file", branch="main")
    refs = places.bench.user("for-each-ref")
    assert places.remote.fetch("main") == theirs
    assert places.repository.ours.text("show", f"{theirs}:file") == "theirs"
    assert places.bench.user("for-each-ref") == refs
    assert places.bench.user("cat-file", "-t", theirs, check=False) == ""


def test_names_within_names_are_fetched_one_after_the_other(places):
    """A branch may be called like the directory of one that was there before."""
    theirs = places.push_other("file", branch="main")
    places.other("push", "-q", "origin", f"{theirs}:refs/heads/release")
    assert places.remote.fetch("release") == theirs
    places.other("push", "-q", "origin", ":refs/heads/release", f"{theirs}:refs/heads/release/1")
    next_one = places.push_other("more", branch="release/1")
    assert places.remote.fetch("release") is None
    assert places.remote.fetch("release/1") == next_one


def test_branch_is_fetched_by_many_at_once(places):
    """Threads that take over the same new commits at one moment are not in each other's way."""
    theirs = ""
    for number in range(5):
        theirs = places.push_other(f"file{number}", branch="main")
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: places.remote.fetch("main"), range(8))) == {theirs}


@pytest.mark.fault("G19")
def test_refused_push_names_what_the_server_said(places):
    """A push that a rule of the server refuses waits for a person, with the server's own words."""
    hook(places.bare.path / "hooks" / "pre-receive", HOOK)
    with pytest.raises(PushRefused, match=r"no pushes on Fridays.*pre-receive hook declined.*type `agentrelay run`"):
        places.remote.push("new", places.here(), None)
    assert not places.there("new")


@pytest.mark.fault("G19")
def test_remote_that_is_gone_is_named(places):
    """Where there is no repository any more, fetching and pushing say so and wait for a person."""
    places.bare.path.rename(places.bare.path.with_name("elsewhere"))
    with pytest.raises(RemoteGone, match=r"there is no repository at .*remote\.git"):
        places.remote.fetch("main")
    with pytest.raises(RemoteGone):
        places.remote.push("new", places.here(), None)


def test_nobody_answering_is_tried_again_and_then_waits_for_a_person(places_of):
    """A server that cannot be reached is asked six times with growing pauses before a person is needed."""
    pauses: list[float] = []
    places = places_of(url="http://127.0.0.1:1/o/r.git", pause=pauses.append)
    with pytest.raises(Parked, match=r"http://127.0.0.1:1/o/r.git has not answered since .* UTC"):
        places.remote.fetch("main")
    assert len(pauses) == TRIES - 1
    assert all(0 <= pause <= 2**number for number, pause in enumerate(pauses, 1))


def test_answer_after_a_pause_is_taken(places):
    """A server that answers again after a while is not a person's affair."""
    answering = places.bare.path

    def back(seconds: float) -> None:
        hook.unlink()

    hook = places.bare.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")  # the server dies in the middle of a push
    hook.chmod(0o755)
    remote = attrs.evolve(places.remote, pause=back)
    remote.push("new", places.here(), None)
    assert places.there("new") == places.here()
    assert answering.is_dir()


def test_configuration_of_the_users_repository_takes_no_part(places, tmp_path):
    """What an agent planted in the repository's configuration neither redirects our git nor runs."""
    user, ran = places.bench.user, tmp_path / "ran"
    user("config", f"url.{tmp_path}/trap.insteadOf", str(places.bare.path))
    user("config", "credential.helper", f"!touch {ran}")
    user("config", "core.sshCommand", f"touch {ran}")
    hook(user.path / ".git" / "hooks" / "pre-push", f"#!/bin/sh\ntouch {ran}\n")
    hook(user.path / ".git" / "hooks" / "reference-transaction", f"#!/bin/sh\ntouch {ran}\n")
    places.remote.push("new", places.here(), None)
    assert places.remote.fetch("new") == places.here()
    assert not ran.exists()


def test_configuration_of_the_user_takes_part(bench, places_of):
    """How the user's own configuration leads to a server is how ours gets there."""
    places = places_of(url="https://example.org/o/r.git")
    bench.user("config", "--global", f"url.{places.bare.path}.insteadOf", "https://example.org/o/r.git")
    assert places.remote.fetch("main") == bench.user("rev-parse", "main")


@pytest.mark.parametrize("url", ["ext::touch RAN", "--upload-pack=touch RAN"])
def test_address_that_is_a_command_line_runs_nothing(places_of, tmp_path, url):
    """An address is never run, whatever it looks like."""
    ran = tmp_path / "ran"
    places = places_of(url=url.replace("RAN", str(ran)))
    with pytest.raises(Parked):
        places.remote.fetch("main")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://uma:ghp_secret@github.com:8443/o/r.git", "https://github.com:8443/o/r.git"),
        ("https://ghp_secret@github.com/o/r", "https://github.com/o/r"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("ssh://git@github.com/o/r.git", "ssh://git@github.com/o/r.git"),
    ],
)
def test_credentials_are_taken_out_of_an_address(url, shown):
    """A token in an address is not kept, shown or given to a program; the name that ssh needs stays."""
    assert without_credentials(url) == shown


def test_server_that_asks_for_a_login_is_told_apart(places_of, refusing_server):
    """A server that does not let us in waits for a person, at once, with what to type."""
    places = places_of(url=f"{refusing_server}/o/r.git", pause=pytest.fail)
    with pytest.raises(RemoteForbidden, match="log in to it, or get the right to push, then type `agentrelay run`"):
        places.remote.push("new", places.here(), None)


@pytest.fixture
def refusing_server() -> object:
    """A server on loopback that answers all with 401; its address."""
    import http.server
    import threading

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()

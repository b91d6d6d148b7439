"""A forge with a server in memory, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import secrets
import threading

import attrs
from pytest_agentrelay.compliance import ForgeCompliance
from reference import do_io, use_undeclared_program

from agentrelay_core.hooks import ForgeProvider, PullRequest, hookimpl


class Server:
    """Branches and pull requests, for as long as a check lasts."""

    def __init__(self):
        self.branches = {}
        self.requests = {}
        self.lock = threading.RLock()

    def commit(self, branch):
        self.branches[branch] = secrets.token_hex(20)
        return self.branches[branch]


class Remote:
    """Pull requests on a server."""

    needs = ()

    def __init__(self, server):
        self.server = server

    @staticmethod
    def recognises(url):
        return url.startswith("https://forge.invalid/")

    def among(self, head, base):
        return [pr for pr in self.server.requests.values() if (pr.head, pr.base) == (head, base)]

    def find(self, head, base):
        return next(reversed(self.among(head, base)), None)

    def open(self, head, base, title, body):
        with self.server.lock:
            found = self.find(head, base)
            return found if found is not None and found.state == "open" else self.create(head, base, title)

    def create(self, head, base, title):
        url = f"https://forge.invalid/pull/{len(self.server.requests) + 1}"
        pr = self.server.requests[url] = PullRequest(url=url, head=head, base=base, title=title)
        return pr

    def state(self, pr):
        return self.server.requests[pr]

    def merge(self, pr, head_sha):
        with self.server.lock:
            found = self.server.requests[pr]
            if found.merge_sha is not None:
                return found.merge_sha
            if self.server.branches[found.head] != head_sha:
                raise RuntimeError(f"{found.head} is not at {head_sha}")
            return self.do_merge(found, head_sha)

    def do_merge(self, found, head_sha):
        merge = self.server.commit(found.base)
        self.server.requests[found.url] = attrs.evolve(found, state="merged", head_sha=head_sha, merge_sha=merge)
        return merge


class Reference(Remote):
    """Keeps every promise, by plain methods."""


class AwaitedReference(Remote):
    """Keeps every promise, by methods that are awaited."""

    async def find(self, head, base):
        return super().find(head, base)

    async def open(self, head, base, title, body):
        with self.server.lock:
            found = super().find(head, base)
            return found if found is not None and found.state == "open" else self.create(head, base, title)

    async def state(self, pr):
        return super().state(pr)

    async def merge(self, pr, head_sha):
        return super().merge(pr, head_sha)


class WrongArity(Remote):
    caught_by = "test_signature"

    def open(self, head, base, title, body, reviewers):
        raise AssertionError("never called")


class HasNoState(Remote):
    caught_by = "test_signature"
    state = None


class CannotBeMade(Remote):
    caught_by = "test_signature"

    def __init__(self, server):
        raise RuntimeError("no login")


class BreaksOnOddRemotes(Remote):
    caught_by = "test_recognises_any_remote"

    @staticmethod
    def recognises(url):
        return url[0] == "h"


class GuessesAtRemotes(Remote):
    caught_by = "test_recognises_any_remote"

    @staticmethod
    def recognises(url):
        return None


class ConnectsToRemotes(Remote):
    caught_by = "test_recognises_any_remote"

    @staticmethod
    def recognises(url):
        do_io()
        return False


class InventsPullRequests(Remote):
    caught_by = "test_finds_none_where_there_is_none"

    def find(self, head, base):
        found = super().find(head, base)
        if found is None and head.endswith("/one") and base.endswith("@one"):
            return PullRequest(url="https://forge.invalid/new", head=head, base=base, state="closed")
        return found


class LosesTitles(Remote):
    caught_by = "test_what_is_opened_is_found"

    def create(self, head, base, title):
        return super().create(head, base, title.encode("ascii", "replace").decode())


class ShowsAnotherHead(Remote):
    caught_by = "test_what_is_opened_is_found"

    def state(self, pr):
        found = super().state(pr)
        return found if found.head_sha else attrs.evolve(found, head_sha="0" * 40)


class OpensAgain(Remote):
    caught_by = "test_opening_again_opens_no_second"

    def open(self, head, base, title, body):
        with self.server.lock:
            return self.create(head, base, title)


class LooksAtSourcesAlone(Remote):
    caught_by = "test_another_target_is_another"

    def among(self, head, base):
        return [pr for pr in self.server.requests.values() if pr.head == head]


class RemembersAlone(Remote):
    """Keeps what it opened in memory, where another session of the run does not find it."""

    caught_by = "test_a_forge_made_anew_knows_it"

    def __init__(self, server):
        super().__init__(server)
        self.mine = set()

    def among(self, head, base):
        return [pr for pr in super().among(head, base) if pr.url in self.mine]

    def create(self, head, base, title):
        pr = super().create(head, base, title)
        self.mine.add(pr.url)
        return pr


class CountsWithoutALock(Remote):
    """Takes its number, and some time until it is used."""

    caught_by = "test_opened_at_once_each_is_there"

    def __init__(self, server):
        super().__init__(server)
        self.all_are_here = threading.Barrier(4)

    def open(self, head, base, title, body):
        if "at-once" not in head:
            return super().open(head, base, title, body)
        number = len(self.server.requests) + 1
        self.all_are_here.wait(10)
        url = f"https://forge.invalid/pull/{number}"
        pr = self.server.requests[url] = PullRequest(url=url, head=head, base=base, title=title)
        return pr


class KnowsTheUnknown(Remote):
    caught_by = "test_the_unknown_is_a_key_error"

    def state(self, pr):
        return self.server.requests.get(pr) or PullRequest(url=pr, head="", base="", state="closed")


class BreaksOnTheUnknown(Remote):
    caught_by = "test_the_unknown_is_a_key_error"

    def state(self, pr):
        if pr not in self.server.requests:
            raise ValueError("404")
        return super().state(pr)


class StartsUndeclared(Remote):
    caught_by = "test_needs_are_declared"

    def find(self, head, base):
        use_undeclared_program()
        return super().find(head, base)


class SaysOnlyThatItMerges(Remote):
    caught_by = "test_merges"

    def do_merge(self, found, head_sha):
        before = dict(self.server.branches)
        merge = super().do_merge(found, head_sha)
        self.server.branches = before
        return merge


class GivesAShortHash(Remote):
    caught_by = "test_merges"

    def merge(self, pr, head_sha):
        return super().merge(pr, head_sha)[:12]


class ForgetsTheMergeCommit(Remote):
    caught_by = "test_merges"

    def state(self, pr):
        return attrs.evolve(super().state(pr), merge_sha=None)


class MergesTwice(Remote):
    caught_by = "test_merging_again_changes_nothing"

    def merge(self, pr, head_sha):
        return self.do_merge(self.server.requests[pr], head_sha) if self.merged(pr) else super().merge(pr, head_sha)

    def merged(self, pr):
        return self.server.requests[pr].state == "merged"


class RefusesTheMerged(Remote):
    caught_by = "test_merging_again_changes_nothing"

    def merge(self, pr, head_sha):
        if self.server.requests[pr].state != "open":
            raise RuntimeError("405: pull request is not open")
        return super().merge(pr, head_sha)


class MergesAgainInAnotherSession(Remote):
    caught_by = "test_merging_again_changes_nothing"

    def __init__(self, server):
        super().__init__(server)
        self.mine = set()

    def merge(self, pr, head_sha):
        found = self.server.requests[pr]
        known = pr in self.mine
        self.mine.add(pr)
        return self.do_merge(found, head_sha) if found.merge_sha and not known else super().merge(pr, head_sha)


class MergesWhateverIsThere(Remote):
    """Does not look which commit was named."""

    caught_by = "test_another_head_is_refused"

    def merge(self, pr, head_sha):
        return super().merge(pr, self.server.branches[self.server.requests[pr].head])


class MergesAndComplains(Remote):
    """Merges first, and looks afterwards."""

    caught_by = "test_another_head_is_refused"

    def merge(self, pr, head_sha):
        found = self.server.requests[pr]
        tip = self.server.branches[found.head]
        merge = super().merge(pr, tip)
        if tip != head_sha:
            raise RuntimeError(f"{tip} was merged instead of {head_sha}")
        return merge


class FindsTheOpenAlone(Remote):
    caught_by = "test_what_is_merged_is_found"

    def find(self, head, base):
        found = super().find(head, base)
        return found if found is not None and found.state == "open" else None


class MergesAll(Remote):
    caught_by = "test_two_do_not_mix"

    def do_merge(self, found, head_sha):
        for pr in list(self.server.requests.values()):
            if pr.state == "open" and pr.url != found.url:
                super().do_merge(pr, self.server.branches[pr.head])
        return super().do_merge(found, head_sha)


class InMemory(ForgeCompliance):
    """Branches are made on the server, which each check has of its own."""

    __test__ = False
    forge = "memory"
    repository = None

    @property
    def server(self):
        if "_server" not in self.__dict__:
            self._server = self.plugin.server = Server()
        return self._server

    def offer(self, head, base):
        if base not in self.server.branches:
            self.server.commit(base)
        return self.server.commit(head)

    def tip(self, branch):
        return self.server.branches[branch]

    def make_run(self):
        assert self.server is self.plugin.server
        return super().make_run()


class MemoryPlugin:
    """A plugin with the forge ``memory``.

    Args:
        forge: Its class.
    """

    server = None

    def __init__(self, forge):
        self.forge = forge

    @hookimpl
    def agentrelay_forges(self):
        kind = self.forge
        factory = lambda run: kind(self.server)  # noqa: E731  # a record's field, as authors write it
        return [ForgeProvider(name="memory", recognises=kind.recognises, factory=factory, needs=kind.needs)]


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = ForgeCompliance
for each in (Reference, AwaitedReference, *MUTANTS):
    globals()[f"Test{each.__name__}"] = type(
        f"Test{each.__name__}",
        (InMemory,),
        {"__module__": __name__, "__test__": True, "plugin": MemoryPlugin(each)},
    )

"""The adapter, by the real gh against a server that answers what a test writes down."""

import json
import os
from pathlib import Path

import pytest
from agentrelay_git_gh.github.answers import parse_included
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import Ambiguous, LoginRefused, Refused
from agentrelay_git_gh.github.sites import Site
from agentrelay_git_gh.remote.patience import PATIENCE, TRIES

from agentrelay_core.runtime import Parked, Throttled, UserError

from .conftest import HOST, TOKEN, RecordedGh, Reply, ScriptedServer, TestClock

SITE = Site(host=HOST, owner="acme", name="rockets")
REPOSITORY = "repos/acme/rockets"
BROKEN = [
    pytest.param(Reply(status=502, body=b'{"message": "Server Error"}'), id="502"),
    pytest.param(Reply(status=503, body=b"<html>unicorn</html>"), id="503 with a page"),
    pytest.param(Reply(broken=-1), id="reset"),
    pytest.param(Reply(body=b'{"number": 1, "title": "x"}', broken=9), id="broken off"),
]


@pytest.fixture
def api(server: ScriptedServer, clock: TestClock, tmp_path: Path) -> GitHubApi:
    """The adapter, on a clock of the test's own, with the longest pauses."""
    return GitHubApi(SITE, directory=tmp_path, clock=clock, pause=clock.pause, jitter=lambda longest: longest)


def test_a_read_gives_status_headers_and_body(gh, server, api):
    """What GitHub answered arrives as it was, and the query as it was meant, whatever stands in it."""
    server.will(200, '{"a": "x\\r\\n\\r\\ny"}', ETag='W/"1"', X_GitHub_Request_Id="7")
    answer = api.read(f"{REPOSITORY}/pulls", query={"head": "acme:repo", "base": "a{branch}&b"})
    assert (answer.status, answer.json(), answer.etag) == (200, {"a": "x\r\n\r\ny"}, 'W/"1"')
    assert answer.headers["x-github-request-id"] == "7"
    assert server.asked == [f"GET {REPOSITORY}/pulls?head=acme%3Arepo&base=a%7Bbranch%7D%26b"]


def test_what_has_not_changed_is_an_answer(gh, server, api):
    """A read with an ETag takes 304 for an answer, at the price of one call."""
    server.will(304, "", ETag='"1"')
    assert api.read(f"{REPOSITORY}/pulls/1", etag='"1"').status == 304
    assert server.requests[0].headers["If-None-Match"] == '"1"'
    assert len(server.requests) == 1


def test_a_write_says_everything_through_the_standard_input(gh: RecordedGh, server, api, tmp_path):
    """The body reaches GitHub whole, and neither it nor the token is on the command line; the directory is neutral."""
    server.will(201, '{"number": 1}')
    body = "a secret plan\n" * 10_000
    assert api.write("POST", f"{REPOSITORY}/pulls", {"title": "{owner} @x", "body": body}).status == 201
    assert json.loads(server.requests[0].body) == {"title": "{owner} @x", "body": body}
    (line,) = gh.command_lines
    assert f"api --hostname {HOST} --include --method POST --input - {REPOSITORY}/pulls" in line
    assert TOKEN not in line
    assert "secret plan" not in line
    assert str(tmp_path) in gh.surroundings.splitlines()
    assert f"GH_TOKEN={TOKEN}" in gh.surroundings.splitlines()


@pytest.mark.parametrize("reply", BROKEN)
def test_a_read_that_got_no_answer_is_tried_again(gh, server, api, clock, reply):
    """5xx, a reset and an answer that breaks off are tried again, with growing pauses, until there is an answer."""
    server.replies += [reply, reply]
    server.will(200, '{"number": 1}')
    assert api.read(f"{REPOSITORY}/pulls/1").json() == {"number": 1}
    assert len(server.requests) == 3
    assert clock.pauses == [2, 4]


def test_a_host_that_does_not_answer_parks(gh, server, api, clock):
    """After six tries a person is told since when GitHub does not answer and what it said last."""
    server.replies += [Reply(status=502, body=b'{"message": "Server Error"}')] * (TRIES + 1)
    with pytest.raises(
        Parked, match=r"has not answered since 2027-01-15 08:00:00 UTC \(6 tries\).*HTTP 502 Server Error"
    ):
        api.read(f"{REPOSITORY}/pulls/1")
    assert len(server.requests) == TRIES
    assert sum(clock.pauses) < PATIENCE


def test_tries_end_after_five_minutes(new_gh, server, api, clock):
    """Where each try takes long, the five minutes end them before the sixth."""
    server.replies += [Reply(status=502)] * TRIES
    slow = GitHubApi(SITE, clock=clock, pause=clock.pause, jitter=lambda _: PATIENCE / 2)
    with pytest.raises(Parked, match=r"\(3 tries\)"):
        slow.read("user")
    assert len(server.requests) == 3


def test_no_connection_parks(gh, server, api, monkeypatch):
    """Where nobody listens, what gh says of it is told."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(Parked, match="connection refused"):
        api.read(f"{REPOSITORY}/pulls/1")
    with pytest.raises(Ambiguous, match="connection refused"):
        api.write("POST", f"{REPOSITORY}/pulls", {})


@pytest.mark.parametrize("reply", BROKEN)
def test_a_write_without_an_answer_is_ambiguous_and_not_repeated(gh, server, api, clock, reply):
    """After 5xx, a reset or half an answer nobody knows whether a change happened; it is asked for once."""
    server.replies += [reply]
    with pytest.raises(Ambiguous):
        api.write("PUT", f"{REPOSITORY}/pulls/1/merge", {"sha": "0" * 40})
    assert len(server.requests) == 1
    assert clock.pauses == []


def test_a_call_that_takes_too_long_is_ended(gh, server, clock):
    """At its deadline gh is ended: a read is tried again, a change is ambiguous."""
    api = GitHubApi(SITE, clock=clock, pause=clock.pause, deadline=1.0)
    server.replies += [Reply(late=True), Reply(body=b'{"number": 1}'), Reply(late=True)]
    assert api.read(f"{REPOSITORY}/pulls/1").json() == {"number": 1}
    with pytest.raises(Ambiguous, match="no answer within 1 s"):
        api.write("POST", f"{REPOSITORY}/pulls", {})
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (
            Reply(status=401, body=b'{"message": "Bad credentials"}'),
            "Bad credentials; give GH_TOKEN a token that works",
        ),
        (
            Reply(
                status=403,
                body=b'{"message": "Resource protected by organization SAML enforcement."}',
                headers={"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso?authorization_request=A1"},
            ),
            "acme wants single sign-on .*open https://github.com/orgs/acme/sso[?]authorization_request=A1, then type",
        ),
        (
            Reply(status=403, body=b'{"message": "Resource not accessible by personal access token"}'),
            "may not do that: Resource not accessible by personal access token; give GH_TOKEN a token that may",
        ),
    ],
)
def test_a_login_that_does_not_do_is_asked_for_once(gh: RecordedGh, server, api, reply, text):
    """A refused login parks with what to type; every later call gets the same at once, without a process."""
    server.replies += [reply]
    for call in (
        lambda: api.read(f"{REPOSITORY}/pulls/1"),
        lambda: api.read("user"),
        lambda: api.write("POST", f"{REPOSITORY}/pulls", {}),
        lambda: api.ask("query{viewer{login}}"),
    ):
        with pytest.raises(LoginRefused, match=text) as refused:
            call()
        assert TOKEN not in str(refused.value)
    assert len(server.requests) == len(gh.command_lines) == 1


def test_no_login_is_told_with_what_to_type(gh, server, api, monkeypatch):
    """Without a login gh asks nobody, and the message names the host."""
    monkeypatch.delenv("GH_TOKEN")
    with pytest.raises(LoginRefused, match=f"gh has no login for {HOST}; type `gh auth login --hostname {HOST}`, then"):
        api.read("user")
    assert server.requests == []


def test_a_login_that_expires_during_a_run_closes_the_circuit(new_gh, server, api):
    """What worked before is refused from the moment on at which the token is."""
    server.will(200, "{}")
    server.will(401, '{"message": "Bad credentials"}')
    api.read("user")
    for _ in range(3):
        with pytest.raises(LoginRefused, match="Bad credentials"):
            api.read("user")
    assert len(server.requests) == 2


def test_a_repository_that_is_not_seen_is_no_missing_page(new_gh, server, api):
    """After 404 the repository is asked for: where it is there a page is missing, else the login may not see it."""
    server.will(404, '{"message": "Not Found"}')
    server.will(200, '{"full_name": "acme/rockets"}')
    with pytest.raises(Refused, match="Not Found") as missing:
        api.read(f"{REPOSITORY}/pulls/9")
    assert missing.value.status == 404
    server.will(404, '{"message": "Not Found"}')
    server.will(404, '{"message": "Not Found"}')
    with pytest.raises(LoginRefused, match=f"{HOST}/acme/rockets is not there, or the login"):
        api.read(f"{REPOSITORY}/pulls/9")


def test_a_missing_scope_is_named(new_gh, server, api, monkeypatch):
    """GitHub hides from a token without scope what it may not change; the scope and the command are told."""
    monkeypatch.delenv("GH_TOKEN")
    hosts = Path(os.environ["GH_CONFIG_DIR"]) / "hosts.yml"
    hosts.write_text(f"{HOST}:\n    user: uma\n    oauth_token: {TOKEN}\n    git_protocol: https\n")
    server.will(404, '{"message": "Not Found"}', X_OAuth_Scopes="gist, read:org")
    server.will(200, '{"permissions": {"push": true}}')
    with pytest.raises(LoginRefused) as refused:
        api.write("POST", f"{REPOSITORY}/pulls", {})
    assert "its scopes are gist, read:org, and it needs repo" in str(refused.value)
    assert f"type `gh auth refresh --hostname {HOST} --scopes repo`, then `agentrelay run`" in str(refused.value)


def test_a_login_that_may_only_read_is_named(new_gh, server, api):
    """A change that is not found, by somebody who may only read, is refused for that reason."""
    server.will(404, '{"message": "Not Found"}', X_OAuth_Scopes="repo")
    server.will(200, '{"permissions": {"push": false, "pull": true}}')
    with pytest.raises(LoginRefused, match=r"may not change .*: it may only read"):
        api.write("POST", f"{REPOSITORY}/pulls", {})


def test_expected_statuses_are_answers(new_gh, server, api):
    """A caller that is prepared for "not found" and "forbidden" gets them, and the circuit stays open."""
    server.will(403, '{"message": "Must have admin rights to Repository."}')
    server.will(404, '{"message": "Branch not protected"}')
    path = f"{REPOSITORY}/branches/main/protection"
    assert [api.read(path, accept=(403, 404)).status for _ in range(2)] == [403, 404]
    server.will(403, '{"message": "API rate limit exceeded"}', Retry_After=5)
    with pytest.raises(Throttled):
        api.read(path, accept=(403, 404))


def test_single_sign_on_is_never_an_expected_status(new_gh, server, api):
    """That the organization wants single sign-on is told also to who is prepared for "forbidden"."""
    server.will(403, "{}", X_GitHub_SSO="required; url=https://github.com/orgs/acme/sso")
    with pytest.raises(LoginRefused, match="single sign-on"):
        api.read("user", accept=(403,))


def test_an_archived_repository_is_no_matter_of_the_login(new_gh, server, api):
    """What nobody may change is refused with GitHub's words and what to type then, and reading goes on."""
    server.will(403, '{"message": "Repository was archived so is read-only."}')
    with pytest.raises(Refused, match=r"Repository was archived so is read-only\..*type `agentrelay run`"):
        api.write("POST", f"{REPOSITORY}/pulls", {})
    server.will(200)
    assert api.read("user").status == 200


@pytest.mark.parametrize("write", [False, True])
def test_a_limit_is_told_and_kept(new_gh, server, api, clock, write):
    """A limit is raised with its seconds, costs no try more, and ends when GitHub said."""
    server.will(403, '{"message": "You have exceeded a secondary rate limit"}', Retry_After=30)
    with pytest.raises(Throttled) as limited:
        api.write("POST", f"{REPOSITORY}/pulls", {}) if write else api.read("user")
    assert limited.value.retry_after == 30
    with pytest.raises(Throttled):
        api.read("user")
    assert len(server.requests) == 1
    clock.now += 30
    server.will(200)
    assert api.read("user").status == 200


def test_budgets_are_read_from_answers(new_gh, server, api, clock):
    """What is left of REST's and GraphQL's budgets is known from each answer."""
    headers = {"X_RateLimit_Limit": 5000, "X_RateLimit_Reset": int(clock.now + 600)}
    server.will(200, X_RateLimit_Remaining=4321, **headers)
    server.will(200, '{"data": {}}', X_RateLimit_Remaining=1234, X_RateLimit_Resource="graphql", **headers)
    api.read("user")
    api.ask("query{viewer{login}}")
    assert api.limits.budget("core").remaining == 4321
    assert api.limits.budget("core").resets_at == clock.now + 600
    assert api.limits.budget("graphql").remaining == 1234


def test_a_refusal_carries_what_github_says(gh, server, api):
    """405, 409 and 422 are the caller's to decide; their status and words are there, the list of errors too."""
    server.will(
        422, '{"message": "Validation Failed", "errors": [{"message": "A pull request already exists for a:b."}]}'
    )
    with pytest.raises(Refused) as refused:
        api.write("POST", f"{REPOSITORY}/pulls", {})
    assert refused.value.status == 422
    assert refused.value.said == "Validation Failed; A pull request already exists for a:b."
    server.will(307, '{"message": "Moved Permanently"}', Location="https://api.github.com/repositories/1")
    with pytest.raises(Refused, match="Moved Permanently"):
        api.write("POST", f"{REPOSITORY}/pulls", {})
    server.will(422, '{"message": "Validation Failed", "errors": [{"message": "was submitted too quickly"}]}')
    with pytest.raises(Throttled, match="too quickly"):
        api.write("POST", f"{REPOSITORY}/pulls", {})


def test_a_list_is_read_to_its_end(new_gh, server, api):
    """All pages of a list are asked for, and no more."""
    server.will(
        200, "[1, 2]", Link=f'<http://api.{HOST}/x?page=2>; rel="next", <http://api.{HOST}/x?page=2>; rel="last"'
    )
    server.will(200, "[3]", Link=f'<http://api.{HOST}/x?page=1>; rel="first"')
    assert api.read_all(f"{REPOSITORY}/pulls", query={"state": "all"}) == [1, 2, 3]
    assert server.asked == [f"GET {REPOSITORY}/pulls?per_page=100&state=all&page={page}" for page in (1, 2)]


def test_a_graphql_query_gives_its_data(gh, server, api):
    """Variables reach GitHub beside the query, and what is not there is None in the data."""
    server.will(200, '{"data": {"a": {"id": 1}, "b": null}, "errors": [{"type": "NOT_FOUND", "message": "no b"}]}')
    assert api.ask("query($n: Int!){a b}", {"n": 1}) == {"a": {"id": 1}, "b": None}
    assert json.loads(server.requests[0].body) == {"query": "query($n: Int!){a b}", "variables": {"n": 1}}
    assert server.asked == ["POST graphql"]


def test_a_query_that_costs_more_than_is_left_stops_queries_alone(new_gh, server, api, clock):
    """GraphQL's limit, also while points are left, lasts until its reset, and REST goes on."""
    limited = '{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit already exceeded"}]}'
    reset = int(clock.now + 1000)
    server.will(200, limited, X_RateLimit_Limit=5000, X_RateLimit_Remaining=3, X_RateLimit_Reset=reset)
    with pytest.raises(Throttled) as refused:
        api.ask("query{viewer{login}}")
    assert refused.value.retry_after == 1001
    server.will(200)
    assert api.read("user").status == 200
    with pytest.raises(Throttled, match="until 08:16:41 UTC"):
        api.ask("query{viewer{login}}")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("errors", "error", "text"),
    [
        ('[{"type": "RATE_LIMITED", "message": "API rate limit already exceeded"}]', Throttled, "already exceeded"),
        ('[{"message": "You have exceeded a secondary rate limit."}]', Throttled, "secondary rate limit"),
        ('[{"type": "FORBIDDEN", "message": "Resource not accessible"}]', LoginRefused, "Resource not accessible"),
        (
            '[{"type": "FORBIDDEN", "message": "Resource protected by organization SAML"}]',
            LoginRefused,
            "single sign-on",
        ),
        ('[{"type": "INSUFFICIENT_SCOPES", "message": "needs read:org"}]', LoginRefused, "needs read:org"),
        ('[{"message": "Parse error on }"}]', Refused, "Parse error"),
    ],
)
def test_errors_of_a_graphql_query_have_their_classes(new_gh, server, api, errors, error, text):
    """What GraphQL says with a good status is as much a refusal as by REST."""
    server.will(200, f'{{"data": null, "errors": {errors}}}')
    with pytest.raises(error, match=text):
        api.ask("query{viewer{login}}")
    assert len(server.requests) == 1


def test_a_graphql_query_is_tried_again_and_a_mutation_is_not(new_gh, server, api):
    """Where GraphQL failed inside, a query is asked again and a mutation is ambiguous; a missing thing refuses it."""
    failed = '{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}'
    server.will(200, failed)
    server.will(200, '{"data": {"viewer": {"login": "uma"}}}')
    assert api.ask("query{viewer{login}}") == {"viewer": {"login": "uma"}}
    server.will(200, failed)
    with pytest.raises(Ambiguous):
        api.change("mutation{x}")
    server.will(502)
    with pytest.raises(Ambiguous):
        api.change("mutation{x}")
    server.will(200, '{"data": {"x": null}, "errors": [{"type": "NOT_FOUND", "message": "no such node"}]}')
    with pytest.raises(Refused, match="no such node"):
        api.change("mutation{x}")
    assert len(server.requests) == 5


def test_without_gh_a_user_is_told_to_install_it(server, api, monkeypatch, tmp_path):
    """Where gh is not installed, the message says so."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match="gh is not installed"):
        api.read("user")


@pytest.mark.parametrize(
    "output", [b"", b"nonsense", b"HTTP/1.1 200 OK\n", b"HTTP/1.1 200 OK\nA: b\r\n", b"HTTP/2.0 999 X\n\r\n"]
)
def test_what_is_no_answer_is_none(output):
    """Output that begins with no whole status and headers is no answer."""
    assert parse_included(output) is None


def test_answers_without_a_reason_or_headers_are_read():
    """A status line of HTTP/2 has no reason, and there may be no header."""
    answer = parse_included(b"HTTP/2.0 204 \n\r\n")
    assert answer is not None
    assert (answer.status, answer.headers, answer.body) == (204, {}, b"")
    assert parse_included(b"HTTP/2.0 200\nA: b\r\n\r\nx\r\n\r\n").body == b"x\r\n\r\n"

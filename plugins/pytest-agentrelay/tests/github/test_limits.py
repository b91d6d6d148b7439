"""Budgets, tokens and rights: who is refused, how that is told, and when it is over."""

import pytest

QUERY = "query { viewer { login } }"


def test_headers(ask, emulated_github, hosted):
    """Every answer tells what is left, of which budget, for whom, and what the token may be used for."""
    answer = ask("GET", "/repos/o/r")
    told = {name.removeprefix("x-ratelimit-"): answer.headers[name] for name in answer.headers if "ratelimit" in name}
    budget = emulated_github.quota.budget("core")
    assert told == {
        "limit": "5000",
        "remaining": "4999",
        "used": "1",
        "resource": "core",
        "reset": str(int(budget.resets_at)),
    }
    assert answer.headers["x-oauth-scopes"] == "repo, read:org, workflow"
    assert answer.headers["x-github-request-id"]
    assert ask("GET", "/rate_limit").body["resources"]["core"]["used"] == 1


def test_an_hour_is_used_up(ask, emulated_github, hosted):
    """Both APIs refuse for the rest of the hour, each in its own way, and serve again in the next one."""
    emulated_github.quota.use_up("core")
    emulated_github.quota.use_up("graphql")
    rest = ask("GET", "/repos/o/r")
    assert (rest.status, rest.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "API rate limit exceeded" in rest.body["message"]
    graphql = ask("POST", "/graphql", {"query": QUERY})
    assert (graphql.status, graphql.body["errors"][0]["type"]) == (200, "RATE_LIMITED")
    assert ask("GET", "/rate_limit").status == 200
    emulated_github.clock.advance(3601)
    assert ask("GET", "/repos/o/r").status == 200
    assert ask.graphql(QUERY)["data"]["viewer"]["login"] == emulated_github.user


@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_limit(ask, emulated_github, hosted, status):
    """It says how long to wait, and is over then."""
    emulated_github.quota.slow_down(60, status=status)
    refused = ask("GET", "/repos/o/r")
    assert refused.status == status
    assert int(refused.headers["retry-after"]) in (59, 60)
    assert "secondary rate limit" in refused.body["message"]
    assert ask("POST", "/graphql", {"query": QUERY}).status == status
    emulated_github.clock.advance(61)
    assert ask("GET", "/repos/o/r").status == 200


def test_a_clock_of_the_tests_own(tmp_path):
    """An emulator goes by the clock that it is given, in its headers as well."""
    from pytest_agentrelay.github import EmulatedGitHub

    with EmulatedGitHub(tmp_path, clock=lambda: 1_000_000_000.0) as github:
        assert github.clock() == 1_000_000_000.0
        github.clock.advance(1)
        assert github.quota.budget("core").resets_at == 1_000_003_601.0


def test_tokens(ask, emulated_github, hosted):
    """A token that is unknown, or dies while it is used, is refused by 401 in both APIs."""
    assert ask("GET", "/user").body["login"] == emulated_github.user
    emulated_github.accounts.revoke(emulated_github.token)
    for answer in (ask("GET", "/user"), ask("POST", "/graphql", {"query": QUERY})):
        assert (answer.status, answer.body["message"]) == (401, "Bad credentials")


def test_single_sign_on(ask, emulated_github, hosted):
    """An organization's repository is closed to a token that is not authorized, with the place where to do so."""
    emulated_github.accounts.require_single_sign_on("o")
    refused = ask("GET", "/repos/o/r")
    assert refused.status == 403
    assert refused.headers["x-github-sso"].startswith("required; url=http://github.localhost/orgs/o/sso")
    answer = ask("POST", "/graphql", {"query": 'query { repository(owner: "o", name: "r") { id } }'})
    assert answer.body["errors"][0]["extensions"] == {"saml_failure": True}
    assert answer.headers["x-github-sso"] == refused.headers["x-github-sso"]
    emulated_github.accounts.authorize(emulated_github.token, "o")
    assert ask("GET", "/repos/o/r").status == 200


def test_scopes_and_rights(ask, emulated_github, hosted, pull):
    """A token without the scope does not see the repository; who may only read may open, and not merge."""
    emulated_github.accounts.change(emulated_github.token, scopes=("read:org",))
    assert ask("GET", "/repos/o/r").status == 404
    reader = emulated_github.add_user("reader")
    assert ask("GET", "/repos/o/r", token=reader).status == 404
    hosted.allow("reader", "read")
    body = {"title": "Write two", "head": "two", "base": "main"}
    assert ask("POST", "/repos/o/r/pulls", body, token=reader).status == 201
    refused = ask("PUT", "/repos/o/r/pulls/1/merge", {}, token=reader)
    assert (refused.status, refused.body["message"]) == (403, "Resource not accessible by personal access token")
    [first, _] = hosted.pulls
    merge = f'mutation {{ mergePullRequest(input: {{pullRequestId: "{first.node_id}"}}) {{ clientMutationId }} }}'
    answer = ask("POST", "/graphql", {"query": merge}, token=reader)
    assert answer.body["errors"][0]["type"] == "FORBIDDEN"
    assert emulated_github.happened("merged") == []

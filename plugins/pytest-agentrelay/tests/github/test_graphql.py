"""The GraphQL API, asked directly."""

# What a poller asks of each pull request.
WATCHED = """
id number state isDraft merged mergeable mergeStateStatus mergeCommit { oid } headRefOid headRefName baseRefName
baseRefOid reviewDecision mergeQueueEntry { state position } autoMergeRequest { enabledAt } isCrossRepository
headRepository { nameWithOwner }
commits(last: 1) { nodes { commit { oid statusCheckRollup { state contexts(first: 100) {
  pageInfo { hasNextPage endCursor }
  nodes {
    __typename
    ... on CheckRun {
      name status conclusion databaseId detailsUrl startedAt completedAt
      checkSuite { app { slug } workflowRun { databaseId } }
    }
    ... on StatusContext { context state targetUrl }
  }
} } } } }
"""


def test_many_pull_requests_at_once(ask, emulated_github, hosted):
    """One request tells all that a poller wants of many pull requests, for one point; what is not there is an error."""
    hosted.open("one", "main")
    hosted.open("two", "main", draft=True)
    hosted.protect("main", checks=("ci",))
    sha = hosted.tip("one")
    hosted.set_check(sha, "ci", "failure")
    hosted.set_status(sha, "licence", "pending", url="http://licence")
    asked = [
        f'p{n}: repository(owner: "o", name: "r") {{ pullRequest(number: {n}) {{ {WATCHED} }} }}' for n in (1, 2, 3)
    ]
    others = "rateLimit { cost remaining used limit resetAt } viewer { login }"
    told = ask.graphql(f"query Poll {{ {' '.join(asked)} {others} }}")
    first, second = told["data"]["p1"]["pullRequest"], told["data"]["p2"]["pullRequest"]
    assert told["data"]["p3"] == {"pullRequest": None}
    [error] = told["errors"]
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["p3", "pullRequest"])
    assert (first["mergeStateStatus"], second["mergeStateStatus"]) == ("BLOCKED", "DRAFT")
    rollup = first["commits"]["nodes"][0]["commit"]["statusCheckRollup"]
    assert rollup["state"] == "FAILURE"
    run, status = rollup["contexts"]["nodes"]
    assert (run["name"], run["status"], run["conclusion"]) == ("ci", "COMPLETED", "FAILURE")
    assert status == {
        "__typename": "StatusContext",
        "context": "licence",
        "state": "PENDING",
        "targetUrl": "http://licence",
    }
    assert second["commits"]["nodes"][0]["commit"]["statusCheckRollup"] is None
    assert told["data"]["rateLimit"]["cost"] == 1
    assert told["data"]["viewer"] == {"login": emulated_github.user}
    assert emulated_github.requests[-1].what == "graphql query Poll repository,rateLimit,viewer"


def test_what_it_costs(ask, emulated_github, hosted):
    """Lists within lists are counted by GitHub's formula."""
    rollup = "statusCheckRollup { contexts(first: 10) { totalCount } }"
    commits = (
        "query($last: Int) { %s { pullRequests(first: 100) { nodes { commits(last: $last) { nodes { %s } } } } } }"
    )
    query = commits.replace("%s", 'repository(owner: "o", name: "r")', 1).replace("%s", f"commit {{ {rollup} }}")
    ask.graphql(query, last=1)
    assert emulated_github.requests[-1].cost == 3  # 1 + 100 + 100 lists
    ask.graphql(query, last=5)
    assert emulated_github.requests[-1].cost == 7  # 1 + 100 + 500
    assert emulated_github.quota.budget("graphql").used == 10


def test_pages(ask, hosted):
    """A list is read page by page, from either end."""
    for number in range(5):
        hosted.push(f"branch{number}", {f"{number}.txt": "x\n"})
        hosted.open(f"branch{number}", "main")
    query = """query($first: Int, $after: String, $last: Int) { repository(owner: "o", name: "r") {
        pullRequests(first: $first, after: $after, last: $last, orderBy: {field: CREATED_AT, direction: ASC}) {
            totalCount nodes { number } pageInfo { hasNextPage endCursor } } } }"""

    def page(**bounds):
        found = ask.graphql(query, **bounds)["data"]["repository"]["pullRequests"]
        assert found["totalCount"] == 5
        return [node["number"] for node in found["nodes"]], found["pageInfo"]

    numbers, info = page(first=2)
    assert (numbers, info["hasNextPage"]) == ([1, 2], True)
    assert page(first=2, after=info["endCursor"])[0] == [3, 4]
    numbers, info = page(first=3, after="3")
    assert (numbers, info["hasNextPage"]) == ([4, 5], False)
    assert page(last=2)[0] == [4, 5]


def test_by_branches(ask, hosted):
    """Pull requests are found by head, base and state."""
    hosted.open("one", "main")
    hosted.open("two", "main")
    hosted.merge(2)
    query = """query($states: [PullRequestState!]) { repository(owner: "o", name: "r") {
        pullRequests(headRefName: "two", baseRefName: "main", states: $states, first: 9) { nodes { number } } } }"""

    def found(*states):
        return ask.graphql(query, states=list(states))["data"]["repository"]["pullRequests"]["nodes"]

    assert found("OPEN") == []
    assert found("OPEN", "MERGED") == [{"number": 2}]


def test_a_pinned_merge(ask, emulated_github, hosted, pull):
    """A merge that is pinned to another head is an error at its path, and to the head a merge."""
    [wanted] = hosted.pulls
    merge = """mutation($id: ID!, $head: GitObjectID) {
        mergePullRequest(input: {pullRequestId: $id, mergeMethod: SQUASH, expectedHeadOid: $head}) {
            pullRequest { state mergeCommit { oid } } } }"""
    stale = ask.graphql(merge, id=wanted.node_id, head="0" * 40)
    assert stale["data"] == {"mergePullRequest": None}
    assert stale["errors"][0]["message"] == "Head branch was modified. Review and try the merge again."
    done = ask.graphql(merge, id=wanted.node_id, head=hosted.tip("one"))
    merged = {"state": "MERGED", "mergeCommit": {"oid": hosted.tip("main")}}
    assert done["data"]["mergePullRequest"]["pullRequest"] == merged
    assert len(emulated_github.happened("merged")) == 1


def test_the_queue(ask, hosted, pull):
    """A pull request enters the queue, has a place in it, and leaves it."""
    hosted.use_queue("main")
    [wanted] = hosted.pulls
    enter = (
        "mutation($id: ID!) { enqueuePullRequest(input: {pullRequestId: $id}) { mergeQueueEntry { position state } } }"
    )
    entry = ask.graphql(enter, id=wanted.node_id)["data"]["enqueuePullRequest"]["mergeQueueEntry"]
    assert entry == {"position": 1, "state": "AWAITING_CHECKS"}
    leave = "mutation($id: ID!) { dequeuePullRequest(input: {id: $id}) { clientMutationId } }"
    assert "errors" not in ask.graphql(leave, id=wanted.node_id)
    assert hosted.queued("main") == []


def test_queries_that_are_wrong(ask, hosted):
    """A field that GitHub has not, or a document that cannot be read, is an error with status 200."""
    unknown = ask.graphql('query { repository(owner: "o", name: "r") { wings } }')
    assert "Cannot query field 'wings' on type 'Repository'" in unknown["errors"][0]["message"]
    assert ask("POST", "/graphql", {"query": "query {"}).status == 200
    assert ask.graphql("query {")["errors"]


def test_introspection(ask):
    """Clients may ask which fields there are."""
    told = ask.graphql('query { __type(name: "PullRequest") { fields { name } } }')
    assert "mergeStateStatus" in {field["name"] for field in told["data"]["__type"]["fields"]}

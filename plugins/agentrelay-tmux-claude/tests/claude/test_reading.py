"""What Claude Code says, read without the program: limits, streams, hooks, and what an end means."""

import json
import subprocess
from datetime import UTC, datetime

import attrs
import pytest
from agentrelay_tmux_claude.claude.dialogs import DIALOGS, dialog_on
from agentrelay_tmux_claude.claude.events import EventReader, HookEvent, standing_after
from agentrelay_tmux_claude.claude.framework import ClaudeFramework
from agentrelay_tmux_claude.claude.hook_program import EVENTS_DIRECTORY, hooks
from agentrelay_tmux_claude.claude.limits import reset_in
from agentrelay_tmux_claude.claude.memory import Memory, Turn, read_memory, unstarted_turn, write_memory
from agentrelay_tmux_claude.claude.stream import TurnFacts, last_turn, lines_of
from agentrelay_tmux_claude.claude.verdict import Again, Ending, Limited, judge

from agentrelay_core import AgentFailure, Catalog, Parked, RunInfo, StepContext, Task, TaskRuntime, Transient
from agentrelay_core.hooks.options import structure_options
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import AgentConfig

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("You've hit your limit · resets 2:59pm (UTC)", (2026, 11, 24, 14, 59)),
        ("You've hit your limit · resets 9am (UTC)", (2026, 11, 25, 9, 0)),
        ("resets 12am (UTC)", (2026, 11, 25, 0, 0)),
        ("You've hit your weekly limit · resets Nov 27, 9am (UTC)", (2026, 11, 27, 9, 0)),
        ("resets at Jan 2 at 1:30pm (UTC)", (2027, 1, 2, 13, 30)),
        ("resets 3pm (Europe/Berlin)", (2026, 11, 24, 14, 0)),
        ("resets 11:55am (UTC)", (2026, 11, 24, 11, 55)),
        ("resets 13:70pm (Nowhere/None)", None),
        ("try again later", None),
    ],
)
def test_a_limit_s_end_is_read_from_its_words(text, due):
    """A time of day is the end of the next such minute, in the zone that is told; what says no time gives none."""
    assert reset_in(text, NOON) == (None if due is None else datetime(*due, tzinfo=UTC).timestamp() + 60)


def result(**more):
    return {"type": "result", "subtype": "success", "is_error": False, "result": "Done.", "uuid": "u", **more}


def stream(*lines):
    return b"\n".join([b"not json", b"{broken", *(json.dumps(line).encode() for line in lines)])


def test_the_last_turn_of_a_stream_counts():
    """Earlier turns, rubbish and lines that are cut do not; refusals, successes and usage of the last one do."""
    tool = {
        "type": "user",
        "message": {"content": [{"type": "tool_result"}, {"type": "tool_result", "is_error": True}]},
    }
    denial = {"tool_name": "Bash", "tool_input": {"command": "rm -rf x\x1b[31m"}}
    facts = last_turn(
        lines_of(
            stream(
                {"type": "system", "subtype": "init"},
                tool,
                result(is_error=True, uuid="first"),
                {"type": "system", "subtype": "init"},
                tool,
                result(permission_denials=[denial], total_cost_usd=0.5, usage={"output_tokens": 7}, num_turns=2),
            )
        )
    )
    assert (facts.result, facts.error, facts.succeeded, facts.denied) == (True, "", 1, ("Bash(rm -rf x)",))
    assert {name: (used.output_tokens, used.cost_usd) for name, used in facts.used.items()} == {"u": (7, 0.5)}


def test_a_stream_of_hostile_values_raises_nothing():
    """Numbers that are texts, endless depth and wrong kinds are passed over."""
    deep = b'{"type": "result", "usage": ' + b"[" * 100_000
    lines = [
        {"type": "result", "usage": "x", "total_cost_usd": float("nan"), "permission_denials": {"a": 1}},
        {"type": "result", "modelUsage": {"m": 1, "n": {"outputTokens": "7"}}, "uuid": "u"},
        {"type": "result", "modelUsage": [], "uuid": "v"},
        {"type": "assistant", "message": 3, "error": 4},
        {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": "soon"}},
        {"type": 7},
    ]
    facts = last_turn(lines_of(stream(*lines) + b"\n" + deep))
    assert facts.resets_at is None
    assert not any(attrs.evolve(used, turns=0) for used in facts.used.values())


def ending(*, exit_code=0, **facts):
    more = {name: facts.pop(name) for name in ("told", "unwatched", "worked", "asks", "last_line") if name in facts}
    return Ending(facts=TurnFacts(result=facts.pop("result", True), **facts), exit_code=exit_code, **more)


def test_a_turn_without_a_signal_is_told_once():
    """Then work that was seen counts as done, to be checked; and nothing seen is a failure."""
    assert isinstance(judge(ending(succeeded=1)), Again)
    told = frozenset({"nudge"})
    assert judge(ending(succeeded=1, told=told)).outcome == "done"
    assert judge(ending(worked=True, told=told)).outcome == "done"
    assert judge(ending(told=told)).outcome == "failed"


def test_a_killed_program_died_unless_nobody_watched():
    """Who watched its death tells it; who finds it dead lets the session go on, once."""
    assert judge(ending(result=False, exit_code=-9)).ended == "died"
    assert judge(ending(result=False, exit_code=129)).error == "Claude Code was ended by SIGHUP (exit 129)"
    found = judge(ending(result=False, exit_code=143, unwatched=True))
    assert isinstance(found, Again)
    assert found.reason == "interrupted"
    assert judge(ending(result=False, exit_code=-9, unwatched=True, told=frozenset({"interrupted"}))).ended == "died"


@pytest.mark.parametrize(
    ("facts", "error", "words"),
    [
        ({"error": "authentication_failed", "text": "Invalid API key"}, Parked, "no login that works .Invalid API key"),
        ({"error": "billing_error", "text": "Credit balance is too low"}, Parked, "cannot be billed"),
        ({"error": "server_error", "text": "529 Overloaded"}, Transient, "could not reach its model: 529"),
        ({"denied": ("Bash(make)",), "asks": True}, Parked, r"needs your permission for Bash\(make\)"),
        (
            {"result": False, "exit_code": 1, "last_line": "unknown option"},
            AgentFailure,
            "before its first turn: unknown",
        ),
        ({"result": False, "exit_code": 1, "last_line": "cannot be used with root/sudo"}, Parked, "bypass to root"),
    ],
)
def test_what_a_person_or_time_must_mend_is_no_failure_of_the_agent(facts, error, words):
    """Each has the class of its policy, and says what to do."""
    with pytest.raises(error, match=words):
        judge(ending(**facts))


@pytest.mark.parametrize("facts", [{"text": "No conversation found with session ID: x", "error": "unknown"}, {}])
def test_a_session_of_which_nothing_was_kept_is_begun_anew(facts):
    """Once, with its instructions; a second time it is a failure."""
    more = {"last_line": "No conversation found with session ID: x", "result": bool(facts), "exit_code": 1}
    assert judge(ending(**facts, **more)).reason == "anew"
    told = frozenset({"anew"})
    if facts:
        assert judge(ending(**facts, **more, told=told)).outcome == "failed"
    else:
        with pytest.raises(AgentFailure, match="No conversation found"):
            judge(ending(**facts, **more, told=told))


def test_a_turn_that_was_never_started_is_found(tmp_path):
    """Where the session still lives as before the turn it was not started; elsewhere it was."""
    run = RunInfo(run_id="r", graph_name="g", repository=None, state_dir=tmp_path)
    context = StepContext(runtime=TaskRuntime(Task(id="a"), run_id="r"), run=run)
    assert unstarted_turn(context, "process:1") is None
    first = Turn(reason="first", started=True)
    write_memory(context, Memory(turns=(first, Turn(reason="gate", prompt="mend", after="process:1"))))
    assert unstarted_turn(context, "process:1").prompt == "mend"
    assert unstarted_turn(context, "process:2") is None
    assert read_memory(context).turns[-1].started
    assert read_memory(context).told == {"gate"}


def test_limits_of_the_task_and_of_the_account_are_told_apart():
    """A usage limit is waited for until its end; the task's own limit is a failure that names the option."""
    limited = judge(ending(error="rate_limit", text="resets 9am (UTC)", exit_code=1))
    assert isinstance(limited, Limited)
    assert limited.until is not None
    assert judge(ending(error="unknown", status=429, resets_at=5.0, exit_code=1)).until == 5.0
    assert "max_turns" in judge(ending(error="unknown", subtype="error_max_turns", exit_code=1)).error


def event(kind, at=0.0, **data):
    return HookEvent(kind=kind, at=at, data=data)


def test_a_stop_while_sub_agents_work_is_no_end():
    """Only the stop after their end, with nothing left in the background, ends the turn."""
    begun = [event("SessionStart"), event("UserPromptSubmit"), event("SubagentStart", agent_id="x")]
    assert standing_after([*begun, event("Stop")], asks=True).ended is None
    after = [*begun, event("SubagentStop", agent_id="x")]
    assert standing_after([*after, event("Stop", background_tasks=[{"id": 1}])], asks=True).ended is None
    assert standing_after([*after, event("Stop", background_tasks=[])], asks=True).ended is not None


def test_a_question_is_open_until_the_work_goes_on():
    """A tool's end or a new prompt closes it; where nobody is asked it counts as refused."""
    asked = [event("UserPromptSubmit"), event("PermissionRequest", tool_name="Bash", tool_input={"command": "make"})]
    assert standing_after(asked, asks=True).question is asked[1]
    assert standing_after([*asked, event("PostToolUse")], asks=True).question is None
    refused = standing_after(asked, asks=False)
    assert (refused.question, refused.refused) == (None, ("Bash(make)",))


def test_the_hook_writes_each_event_whole_and_answers_where_nobody_is_asked(tmp_path):
    """The shell of the machine runs it: a file by rename for each event, and a refusal on standard output."""
    for permissions, answered in (("ask", False), ("deny", True)):
        command = hooks(permissions)["PermissionRequest"][0]["hooks"][0]["command"]
        given = json.dumps({"tool_name": "Bash", "tool_input": {"command": "echo 'it''s' \"$x\"; `y`"}})
        done = subprocess.run(
            ["sh", "-c", command],
            input=given,
            text=True,
            capture_output=True,
            check=True,
            env={"AGENTRELAY_SIGNAL_DIR": str(tmp_path / permissions), "PATH": "/usr/bin:/bin"},
        )
        assert bool(done.stdout) is answered
        if answered:
            assert json.loads(done.stdout)["hookSpecificOutput"]["decision"]["behavior"] == "deny"
        reader = EventReader(tmp_path / permissions)
        standing = reader.standing(asks=permissions == "ask")
        assert (standing.question is not None) is not answered
        assert all(not path.name.startswith(".") for path in (tmp_path / permissions / EVENTS_DIRECTORY).iterdir())


def test_events_that_an_agent_forged_raise_nothing(tmp_path):
    """Links, rubbish and other names are passed over, and no directory is no events."""
    assert EventReader(tmp_path).standing(asks=True).prompts == 0
    folder = tmp_path / EVENTS_DIRECTORY
    folder.mkdir()
    (folder / "1700000000000000000-1-UserPromptSubmit.json").write_text("{")
    (folder / "1700000000000000001-1-Stop.json").symlink_to("/etc/passwd")
    (folder / "x.json").write_text("{}")
    standing = EventReader(tmp_path).standing(asks=True)
    assert standing.prompts == 1
    assert standing.ended is not None


def test_each_dialog_is_named_with_what_to_do():
    """The screens of 2.1.197, and no other screen."""
    trust = "Quick safety check: Is this a project you created or one you trust? (Like your own code"
    assert "trusted" in dialog_on(trust).name
    assert (
        "API key" in dialog_on("Detected a custom API key in your environment\n Do you want to use this API key?").name
    )
    assert dialog_on("> [[script:t]] go\n● Done.") is None
    assert all((dialog.name and "`" in dialog.mend) or "look at" in dialog.mend for dialog in DIALOGS)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "option 'permissions' is missing"),
        ({"permissions": "everything"}, "due is one of ask, deny, accept_edits, bypass"),
        ({"permissions": "deny", "allowed_tools": "Bash"}, "due is a list of texts"),
        ({"permissions": "deny", "max_turns": 0}, "due is a whole number above 0"),
        ({"permissions": "deny", "max_turn": 1}, "did you mean 'max_turns'"),
    ],
)
def test_options_are_explicit(options, words):
    """What an agent may do has no default, and a mistake says what would be right."""
    framework = Catalog.discover().frameworks["claude_code"]
    with pytest.raises(UserError, match=words):
        structure_options(framework, AgentConfig(framework="claude_code", options=options))


def test_the_framework_reads_its_lines():
    """A tool, words, a limit and the result are progress; an end without a result is none of success."""
    framework = ClaudeFramework()
    use = {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Bash"}]}}
    assert framework.read_line(json.dumps(use)).message == "Bash"
    assert framework.read_line("plain words") is None
    limit = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"}}
    assert framework.read_line(json.dumps(limit)).kind == "limit"
    assert framework.outcome(0, [json.dumps(result())]).outcome == "failed"
    assert framework.outcome(-9, []).ended == "died"

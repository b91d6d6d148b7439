"""A run keeps within the descriptors that a process may have."""

import resource
import subprocess

import pytest

from agentrelay_core.orchestrator.descriptors import affordable


@pytest.mark.fault("D9")
def test_a_run_under_128_descriptors(shell):
    """Thirty tasks in thirty workstreams, all at once, end merged where a process may have 128 descriptors."""
    names = [f"t{number:02}" for number in range(30)]
    tasks = "".join(f"  {name}: {{description: x, workstream_id: {name}}}\n" for name in names)
    lanes = "".join(f"  {name}: {{}}\n" for name in names)
    shell.graph(
        "name: g\nmax_concurrency: 30\nagents: {a: {framework: command, command: 'echo x > $AGENTRELAY_TASK_ID.txt'}}\n"
        f"defaults: {{agent: a}}\ntasks:\n{tasks}workstreams:\n{lanes}"
    )
    done = subprocess.run(
        shell.command("run"),
        cwd=shell.path,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "30 merged" in done.stdout
    assert "8 tasks at a time" in done.stderr


@pytest.mark.fault("D9")
@pytest.mark.parametrize(("wanted", "limit", "given"), [(30, 128, 8), (4, 128, 4), (30, 20, 1), (50, 1024, 50)])
def test_what_can_be_afforded(wanted, limit, given):
    """Concurrency is bounded by the descriptors there are, and is never less than one task."""
    assert affordable(wanted, limit) == given
    assert affordable(wanted, resource.RLIM_INFINITY) == wanted

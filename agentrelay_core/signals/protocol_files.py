"""Writing the files that an agent is given, as a whole: a directory that exists is complete."""

import errno
import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentrelay_core.runtime import IntegrationBoundary, InternalIntegrationError, TaskRuntime
from agentrelay_core.runtime.agent_files import write_atomically
from agentrelay_core.runtime.environment import HELPER_DIRECTORY, INSTRUCTIONS
from agentrelay_core.signals.instructions import instructions
from agentrelay_core.signals.layout import CONTEXT, HELPER, MANIFEST, POLICIES
from agentrelay_core.signals.manifest import manifest, policies
from agentrelay_core.spec import TaggedPath

_HELPER_SOURCE = Path(__file__).parent / "helper" / "agentrelay_task.py"
_NONCE_BYTES = 16


def write_protocol_files(
    runtime: TaskRuntime,
    *,
    dependency_descriptions: Mapping[str, str | None],
    context_content: str | None = None,
    base_branch: str | None = None,
    template_dir: Path | None = None,
    keep_copies_in: Path | None = None,
    commit: Mapping[str, Any] | None = None,
    verification: Mapping[str, Any] | None = None,
    input_files: Mapping[str, Sequence[TaggedPath]] | None = None,
    may_open: bool = True,
) -> None:
    """Make ``state.signal_dir`` with the attempt's files, and put the attempt's nonce on ``artifacts.signal_nonce``.

    Args:
        runtime: The task, with its branches and paths on the state.
        dependency_descriptions: Descriptions by task id; those of the task's dependencies are used.
        context_content: What ``context.md`` says; default a list of the prerequisites.
        base_branch: What the pull request is to be merged into; default the integration branch.
        template_dir: The user's own role templates, usually ``<repository>/.agentrelay/templates``.
        keep_copies_in: A directory out of the agent's reach that gets copies of manifest and policies, mode 0700; what
            the agent was told is later read from there alone.
        commit: How commits are made, as plain data for ``policies.json``.
        verification: What is checked before the work is merged, as plain data for ``policies.json``.
        input_files: Files that upstream tasks made, by task id.
        may_open: Whether the agent may open its pull request itself.

    Raises:
        ValueError: ``signal_dir`` is not set.
        InternalIntegrationError: The directory is there already and holds something.
    """
    signal_dir = runtime.state.signal_dir
    if signal_dir is None:
        raise ValueError(f"signal_dir of task {runtime.task.id!r} is not set; name the attempt's directory first")
    nonce = secrets.token_hex(_NONCE_BYTES)
    base_branch = base_branch or runtime.state.integration_branch
    kept = {
        MANIFEST: _json(
            manifest(
                runtime,
                nonce=nonce,
                dependency_descriptions=dependency_descriptions,
                input_files=input_files or {},
            )
        ),
        POLICIES: _json(policies(runtime.task, base_branch=base_branch, commit=commit, verification=verification)),
    }
    told = instructions(
        runtime,
        dependency_descriptions=dependency_descriptions,
        base_branch=base_branch,
        template_dir=template_dir,
        may_open=may_open,
    )
    context = _context(runtime, dependency_descriptions) if context_content is None else context_content
    if keep_copies_in is not None:
        keep_copies_in.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in kept.items():
            write_atomically(keep_copies_in / name, content, 0o600)
    _build(signal_dir, {**kept, INSTRUCTIONS: told.encode(), CONTEXT: context.encode()})
    runtime.artifacts.signal_nonce = nonce


def _build(signal_dir: Path, files: Mapping[str, bytes]) -> None:
    # Built aside and renamed, so that a crash leaves no half of it where an agent or a successor would look.
    aside = signal_dir.parent / f".{signal_dir.name}.part"
    aside.parent.mkdir(parents=True, exist_ok=True)
    if aside.exists():
        shutil.rmtree(aside)  # our own files, of an orchestrator that died right here
    helper_dir = aside / HELPER_DIRECTORY
    helper_dir.mkdir(mode=0o755, parents=True)
    write_atomically(helper_dir / HELPER, _HELPER_SOURCE.read_bytes(), 0o755)
    for name, content in files.items():
        write_atomically(aside / name, content)
    try:
        aside.rename(signal_dir)
    except OSError as error:
        shutil.rmtree(aside)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise InternalIntegrationError(
            f"{signal_dir} is there already; each attempt needs a directory of its own. Move it away, or start another "
            "attempt.",
            boundary=IntegrationBoundary.SIGNAL,
        ) from error


def _context(runtime: TaskRuntime, descriptions: Mapping[str, str | None]) -> str:
    names = runtime.task.dependencies
    if not names:
        return "# Context\n\nThis task builds upon no other.\n"
    lines = "\n".join(f"- **{name}**: {descriptions.get(name) or '(not described)'}" for name in names)
    return f"# Context\n\nThese tasks are finished, and their work is in your branch:\n\n{lines}\n"


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

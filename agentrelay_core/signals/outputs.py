"""The files that an agent says it made: written by the helper, hence read strictly."""

import json
from pathlib import Path, PurePosixPath
from typing import Any, Final, NoReturn

from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.signals.layout import OUTPUTS, SCHEMA_VERSION
from agentrelay_core.spec import TaggedPath
from agentrelay_core.spec.names import id_problem

LARGEST_OUTPUTS: Final = 1024 * 1024
MOST_OUTPUTS: Final = 10_000
_LONGEST_PATH = 4_096


def read_outputs(signal_dir: Path) -> tuple[TaggedPath, ...]:
    """Read ``outputs.json``.

    Args:
        signal_dir: The attempt's directory.

    Returns:
        The files by category, in the order of the file; nothing when there is no such file.

    Raises:
        ProtocolViolation: It is no regular file, too large, no strict JSON, or not of the helper's form.
    """
    try:
        with AgentDirectory(signal_dir) as directory:
            content = directory.read(OUTPUTS, LARGEST_OUTPUTS)
    except FileNotFoundError:
        return ()
    if content is None:
        return ()
    try:
        return _outputs(json.loads(content, object_pairs_hook=_object, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        # A plain ValueError comes from numbers of too many digits, a RecursionError from depth.
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ProtocolViolation(f"{signal_dir / OUTPUTS} is not what agentrelay-task writes: {reason}") from error


def _outputs(document: Any) -> tuple[TaggedPath, ...]:
    if not isinstance(document, dict) or set(document) != {"schema_version", "outputs"}:
        raise ValueError("expected an object with schema_version and outputs alone")
    if type(document["schema_version"]) is not int or document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version must be {SCHEMA_VERSION}")
    if not isinstance(document["outputs"], dict):
        raise ValueError("outputs must be an object of lists by category")
    outputs = []
    for category, paths in document["outputs"].items():
        if problem := id_problem(category):
            raise ValueError(f"the category {category[:80]!r} {problem}")
        if not isinstance(paths, list):
            raise ValueError(f"the outputs of {category!r} must be a list of paths")
        outputs += [TaggedPath(_path(path), category) for path in paths]
    if len(outputs) > MOST_OUTPUTS:
        raise ValueError(f"{len(outputs)} outputs; {MOST_OUTPUTS} are allowed")
    return tuple(outputs)


def _path(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_PATH:
        raise ValueError(f"a path must be a string of 1 to {_LONGEST_PATH} characters")
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not value.isprintable() or "\\" in value:
        raise ValueError(f"the path {value[:80]!r} must be plain, relative and inside the repository")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")

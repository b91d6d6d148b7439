"""A new plugin's distribution, made from the templates that ship: the files of each kind, and what is put in them."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

import attrs

from agentrelay_core.cli.table import VERSION
from agentrelay_core.hooks.specs import PREFIX, RECORDS
from agentrelay_core.spec.suggestions import did_you_mean

TEMPLATES: Final = Path(__file__).parent / "scaffold"
LONGEST_NAME: Final = 40
# What people ask for that cannot be rendered, and what there is instead.
NOT_YET: Final[Mapping[str, str]] = {
    "workspace": "a workspace is too much for a template; ",
    "preparer": "a preparer belongs to a workspace; ",
    "merger": "a merger belongs to a workspace; ",
    "teardown": "a teardown belongs to a workspace; ",
}

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_COMMON: Final[Mapping[str, str]] = {
    "pyproject.toml": "common/pyproject.toml",
    "README.md": "common/README.md",
    "LICENSE": "common/LICENSE",
    "tox.ini": "common/tox.ini",
    ".gitignore": "common/gitignore",
    ".github/workflows/ci.yml": "common/ci.yml",
}
_GRAPH: Final[Mapping[str, str]] = {"tests/test_graph.py": "common/test_graph.py"}
_STEP: Final[Mapping[str, str]] = {
    "{package}/__init__.py": "common/step_init.py",
    "{package}/{kind}.py": "{kind}/{kind}.py",
    "tests/test_compliance.py": "common/step_test_compliance.py",
    "example.yaml": "common/step_example.yaml",
}


@attrs.frozen
class Kind:
    """A kind of plugin that can be rendered.

    Args:
        says: What it is, for the rendered package.
        implementation: The module that does the work.
        begin: Where its author begins to edit.
        files: Templates by the place of what is made of them.
        compliance: The test kit's class, for a step.
    """

    says: str
    implementation: str
    begin: str
    files: Mapping[str, str]
    compliance: str = ""

    @property
    def is_step(self) -> bool:
        """Whether it overrides one step for one key."""
        return bool(self.compliance)


def _whole(kind: str, implementation: str) -> Mapping[str, str]:
    names = ("{package}/__init__.py", f"{{package}}/{implementation}.py", "tests/test_compliance.py", "example.yaml")
    return {name: f"{kind}/{name.rpartition('/')[2]}" for name in names}


KINDS: Final[Mapping[str, Kind]] = {
    "framework": Kind(
        "The framework {slug} of agentrelay: a kind of agent.", "framework", "command", _whole("framework", "framework")
    ),
    "environment": Kind(
        "The environment {slug} of agentrelay: a place where agents run.",
        "host",
        "start",
        _whole("environment", "host"),
    ),
    "forge": Kind(
        "The forge {slug} of agentrelay: a place where pull requests live.",
        "forge",
        "open",
        {**_whole("forge", "forge"), "tests/test_graph.py": "forge/test_graph.py"},
    ),
    "launcher": Kind("{step}", "launcher", "launch", _STEP, "LauncherCompliance"),
    "kickoff": Kind("{step}", "kickoff", "kickoff", _STEP, "KickoffCompliance"),
    "completion_checker": Kind(
        "{step}", "completion_checker", "wait_for_completion", _STEP, "CompletionCheckerCompliance"
    ),
}


@attrs.frozen(kw_only=True)
class Pair:
    """The installed framework and environment of a step's key.

    Args:
        framework: The framework's name.
        environment: The environment's name.
        environment_class: Its data class.
        programs: The programs that the framework's agents are.
        requires: Distributions that declare one of the two, with bounds, without the core.
        companions: Their modules, which the checks need too.
    """

    framework: str
    environment: str
    environment_class: type
    programs: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()


def name_problem(name: str) -> str | None:
    """Say what is wrong with a plugin's name: a clause that completes "'<name>' …", `None` when it is good."""
    if name.startswith(("agentrelay-", "agentrelay_")):
        return f"has the prefix already; give the rest of it: '{name[len('agentrelay-') :]}'"
    if not _NAME.fullmatch(name):
        return "is no plugin's name; due are small letters and digits, with single hyphens between, as in 'my-agent'"
    if len(name) > LONGEST_NAME:
        return f"has {len(name)} characters; {LONGEST_NAME} are allowed"
    if name == "core":
        return "is the core's own name; choose another"
    return None


def kind_problem(kind: str) -> str | None:
    """Say why a kind cannot be rendered, and which can; `None` where it can."""
    if kind in KINDS:
        return None
    hook = next((hook for hook in RECORDS if hook.removeprefix(PREFIX) in (f"{kind}s", f"task_{kind}", kind)), None)
    if kind in NOT_YET and hook is not None:
        why = f"{NOT_YET[kind]}a complete one is in the docstring of {hook} (agentrelay_core.hooks.specs)."
    else:
        hint = did_you_mean(kind, KINDS)
        why = f"there is no kind '{kind}'{f'; {hint}' if hint else '.'}"
    return f"{why} Kinds are: {', '.join(KINDS)}"


def distribution_name(name: str) -> str:
    """The distribution of a plugin."""
    return f"agentrelay-{name.replace('_', '-')}"


def slug_of(name: str) -> str:
    """What graph files call what a plugin declares."""
    return name.replace("-", "_")


def bound(version: str = VERSION) -> str:
    """The bounds of a dependency between our distributions: what is compatible with a version."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f">={major}.{minor},<{major + 1}" if major else f">=0.{minor},<0.{minor + 1}"


def rendered(name: str, kind: str, pair: Pair) -> dict[str, str]:
    """The files of a plugin.

    Args:
        name: Its name; `name_problem` finds nothing wrong with it.
        kind: One of `KINDS`.
        pair: A step's key; of a framework, its default environment counts alone.

    Returns:
        Texts by their places in the distribution's directory.
    """
    own = KINDS[kind]
    values = _values(name, kind, pair)
    # Another's framework needs its own program, which a test must not start.
    graph = _GRAPH if not own.is_step or pair.framework == "command" else {}
    files = {**_COMMON, **graph, **own.files}
    return {
        place.format(**values): _template(source.format(**values)).substitute(values)
        for place, source in sorted(files.items())
    }


def write(files: Mapping[str, str], target: Path) -> tuple[Path, ...]:
    """Write a distribution, all of it or nothing.

    Args:
        files: Texts by their places.
        target: The directory, which is not there yet.

    Returns:
        The paths.

    Raises:
        OSError: It cannot be written.
    """
    making = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for place, text in files.items():
            path = making / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        making.chmod(0o777 & ~_umask())  # a temporary directory is its user's alone
        making.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return tuple(target / place for place in files)


def _template(name: str) -> Template:
    return Template((TEMPLATES / f"{name}.template").read_text(encoding="utf-8"))


def _values(name: str, kind: str, pair: Pair) -> dict[str, str]:
    own, slug = KINDS[kind], slug_of(name)
    suffix = _capitalised(kind)
    # An agent called my-launcher has a MyLauncher, not a MyLauncherLauncher.
    title = _capitalised(slug).removesuffix(suffix) or suffix
    step = kind.replace("_", " ")
    says = f"The {step} of agentrelay for the framework {pair.framework} in the environment {pair.environment}."
    given = pair.framework == "command"
    module, class_name = pair.environment_class.__module__, pair.environment_class.__qualname__
    requires = [f"agentrelay-core{bound()}", *(pair.requires if own.is_step else ())]
    # A step's module has no data class of its own, and a launcher changes the command, which is one.
    requires += ["attrs>=24.2"] if kind in ("framework", "environment", "forge", "launcher") else []
    more = f"    companions = {pair.companions!r}\n" if pair.companions else ""
    if pair.programs:
        more += f"    stand_ins = {dict.fromkeys(pair.programs, 'exec sleep 60')!r}  # no real agent is started\n"
    return {
        "name": name,
        "kind": kind,
        "slug": slug,
        "title": title,
        "package": f"agentrelay_{slug}",
        "distribution": distribution_name(name),
        "summary": own.says.format(slug=slug, step=says),
        "implementation": own.implementation,
        "begin": own.begin,
        "bound": bound(),
        "dependencies": ", ".join(f'"{item}"' for item in requires),
        "framework": pair.framework,
        "framework_options": ", command: 'echo done > one.txt'" if given else "",
        "python_options": '"command": "exec sleep 60"' if given else "",
        "environment": pair.environment,
        "more_attributes": more.replace("'", '"'),
        "environment_class": class_name,
        "environment_import": f"from {module} import {class_name}\n",
        "step_name": step,
        "step_class": title + suffix,
        "compliance": own.compliance,
    }


def _capitalised(slug: str) -> str:
    return "".join(word.capitalize() for word in slug.split("_"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

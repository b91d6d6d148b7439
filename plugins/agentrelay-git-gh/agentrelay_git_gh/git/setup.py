"""Making our own bare repository: empty at first, with a vetted copy of the little of the user's settings that matters.

What the copy holds are facts of the file system and the user's name and address; nothing in it can run code.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agentrelay_core.processes import run_captured
from agentrelay_git_gh.git.commits import IDENTITY_FILE
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.trusted import LOCAL_DEADLINE, Git, quoted
from agentrelay_git_gh.names import DEFAULT_NOT_NOTED, HIDDEN, IDENTITY_EMAIL, IDENTITY_NAME, REMOVED

SETTINGS_FILE: Final = "agentrelay.config"

_COPIED: Final = {
    "core.autocrlf": ("true", "false", "input"),
    "core.eol": ("lf", "crlf", "native"),
    "core.filemode": ("true", "false"),
    "core.symlinks": ("true", "false"),
    "core.ignorecase": ("true", "false"),
    "core.precomposeunicode": ("true", "false"),
}
_ASKED: Final = (
    r"^(user\.(name|email)|core\.(excludesfile|autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode))$"
)


def set_up(repository: Repository, object_format: str) -> None:
    """Make our repository if it is not there, and bring its copies of the user's settings up to date.

    Args:
        repository: Both repositories.
        object_format: ``sha1`` or ``sha256``, as the user's.
    """
    repository.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _drop_stale(repository)
    if not (repository.our_directory / "HEAD").exists():
        _create(repository, object_format)
    values = _settings(repository)
    replace_text(repository.our_directory / SETTINGS_FILE, _config(values))
    replace_text(repository.our_directory / IDENTITY_FILE, f"{values['user.name']}\n{values['user.email']}\n")
    excluded = repository.common / "info" / "exclude"
    patterns = excluded.read_text(errors="surrogateescape") if excluded.is_file() else ""
    replace_text(repository.our_directory / "info" / "exclude", patterns)


def hide(repository: Repository) -> None:
    """Keep our directories out of the user's ``git status``, once, keeping what the file holds."""
    excluded = repository.common / "info" / "exclude"
    text = excluded.read_text(errors="surrogateescape") if excluded.exists() else ""
    missing = [pattern for pattern in HIDDEN if f"/{pattern}" not in text.splitlines()]
    if missing:
        start = f"{text}\n" if text and not text.endswith("\n") else text
        replace_text(excluded, start + "".join(f"/{pattern}\n" for pattern in missing))


def replace_text(path: Path, text: str) -> None:
    """Write a file by renaming, so that nobody sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w", errors="surrogateescape") as file:
        file.write(text)
    if path.exists():
        shutil.copymode(path, aside)
    else:
        Path(aside).chmod(0o644)
    Path(aside).replace(path)


def _drop_stale(repository: Repository) -> None:
    """Remove what a killed process left half made; whoever sets up owns the run, so that nobody is at it."""
    for stale in repository.state_dir.glob("transfer-*"):
        shutil.rmtree(stale)
    ours = repository.our_directory
    for stale in (*ours.glob("*.lock"), *ours.glob("refs/**/*.lock"), *ours.glob("aside-*")):
        stale.unlink()
    for stale in repository.common.glob(f"{REMOVED}*"):
        shutil.rmtree(stale)


def _create(repository: Repository, object_format: str) -> None:
    aside = Path(tempfile.mkdtemp(prefix="transfer-", dir=repository.state_dir))
    git = Git(git_dir=aside, helper_fds=repository.helper_fds)
    git.run("init", "--bare", "--quiet", "--template=", f"--object-format={object_format}")
    git.run("symbolic-ref", "HEAD", DEFAULT_NOT_NOTED)
    with (aside / "config").open("a") as file:
        file.write(f"[include]\n\tpath = {SETTINGS_FILE}\n")
    aside.replace(repository.our_directory)


def _settings(repository: Repository) -> dict[str, str]:
    """Our settings; asked with the user's own configuration, for it is about the user."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    argv = ("git", f"--git-dir={repository.common}", "config", "-z", "--get-regexp", _ASKED)
    answer = run_captured(
        argv, cwd=repository.root, env=environment, deadline=LOCAL_DEADLINE, pass_fds=repository.helper_fds
    ).stdout
    values = {"user.name": IDENTITY_NAME, "user.email": IDENTITY_EMAIL}
    for item in os.fsdecode(answer).split("\0"):
        name, _, value = item.partition("\n")
        if name in ("user.name", "user.email") and value.strip():
            values[name] = value.strip()
        elif name == "core.excludesfile" and value:
            values[name] = str(Path(value).expanduser())
        elif value in _COPIED.get(name, ()):
            values[name] = value
    values.setdefault("core.excludesfile", _usual_excludes())
    return values


def _config(values: Mapping[str, str]) -> str:
    lines = []
    for name, value in sorted(values.items()):
        section, _, key = name.partition(".")
        lines.append(f"[{section}]\n\t{key} = {quoted(value)}\n")
    return "".join(lines)


def _usual_excludes() -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return str(Path(base) / "git" / "ignore")

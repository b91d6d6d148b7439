"""The configuration files: the user's, then the repository's; what is misspelt in them is refused by name.

Each says how runs behave (``[run]``), which plugins are off (``[plugins] disable``), who provides what several plugins
offer (``[plugins.pin]``), and what plugins themselves want to know (``[options.<distribution>]``).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from agentrelay_core.cli.errors import ConfigurationError
from agentrelay_core.spec.suggestions import did_you_mean
from agentrelay_core.user_places import user_configuration

if TYPE_CHECKING:
    from agentrelay_core.cli.settings import Setting

FILE: Final = "agentrelay.toml"
PYPROJECT: Final = "pyproject.toml"
LARGEST_FILE: Final = 1 << 20  # bytes

_TOP = ("run", "plugins", "options")
_PLUGINS = ("disable", "pin")


@attrs.frozen(kw_only=True)
class Configuration:
    """What the files say, the repository's over the user's.

    Args:
        run: Settings of runs, each with the file that gave it.
        disable: Distributions whose plugins are not used.
        pins: Which distribution provides a key, by pin key.
        options: What plugins want to know, by distribution.
        files: The files that were read.
    """

    run: "Mapping[str, Setting]" = attrs.field(factory=dict)
    disable: tuple[str, ...] = ()
    pins: Mapping[str, str] = attrs.field(factory=dict)
    options: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    files: tuple[Path, ...] = ()


def read_configuration(repository: Path | None, environ: Mapping[str, str] = os.environ) -> Configuration:
    """Read the user's file and the repository's.

    Args:
        repository: Root of the repository; `None` reads the user's file alone.
        environ: Where ``AGENTRELAY_CONFIG_DIR`` is looked up, which stands in for the user's directory.

    Raises:
        ConfigurationError: A file cannot be read, or holds what is not known.
    """
    run: dict[str, Setting] = {}
    disable: tuple[str, ...] = ()
    pins: dict[str, str] = {}
    options: dict[str, dict[str, Any]] = {}
    files: list[Path] = []
    for path, place, table in _tables(repository, environ):
        files.append(path)
        _only(table, _TOP, place, "table")
        settings = _table(table.get("run", {}), f"{place} [run]")
        if settings:
            run |= _settings(settings, f"{place} [run]", path)
        plugins = _table(table.get("plugins", {}), f"{place} [plugins]")
        _only(plugins, _PLUGINS, f"{place} [plugins]", "key")
        if "disable" in plugins:
            disable = _names(plugins["disable"], f"{place} [plugins] disable")
        for key, distribution in _table(plugins.get("pin", {}), f"{place} [plugins.pin]").items():
            if not isinstance(distribution, str):
                raise ConfigurationError(f'{place} [plugins.pin] "{key}" must be the name of a distribution')
            pins[key] = distribution
        for name, given in _table(table.get("options", {}), f"{place} [options]").items():
            options.setdefault(name, {}).update(_table(given, f"{place} [options.{name}]"))
    return Configuration(run=run, disable=disable, pins=pins, options=options, files=tuple(files))


def user_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own configuration may be."""
    given = environ.get("AGENTRELAY_CONFIG_DIR")
    if given:
        return Path(given).expanduser() / "config.toml"
    return user_configuration(environ) / "config.toml"


def _settings(given: Mapping[str, Any], place: str, file: Path) -> "dict[str, Setting]":
    from agentrelay_core.cli.settings import Setting, from_toml  # most people have no such table

    return {name: Setting(_resolved(from_toml(name, value, place), file), place) for name, value in given.items()}


def _resolved(value: Any, file: Path) -> Any:
    """A path is meant from the file that names it, wherever the command is typed."""
    return file.parent / value if isinstance(value, Path) else value


def _tables(repository: Path | None, environ: Mapping[str, str]) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Files, how messages call them, and what they hold; the one that wins comes last."""
    own = user_file(environ)
    given = _load(own)
    if given is not None:
        yield own, str(own), given
    if repository is None:
        return
    named = _load(repository / FILE)
    project = _load(repository / PYPROJECT, quick="agentrelay")
    within = (project or {}).get("tool", {}).get("agentrelay")
    if named is not None and within is not None:
        raise ConfigurationError(
            f"{repository} has both {FILE} and [tool.agentrelay] in {PYPROJECT}; move everything into {FILE}"
        )
    if named is not None:
        yield repository / FILE, FILE, named
    elif within is not None:
        place = f"{PYPROJECT} [tool.agentrelay]"
        yield repository / PYPROJECT, place, _table(within, place)


def _load(path: Path, quick: str = "") -> dict[str, Any] | None:
    """A file's content; `None` where there is none, or where the file does not even mention a word."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    if quick and quick.encode() not in content:
        return None
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(f"{path} is larger than {LARGEST_FILE} bytes")
    import tomllib  # most people have no such file

    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no valid TOML: {error}") from error


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{place} must be a table, not {value!r}")
    return value


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"{place} must be a list of distributions, not {value!r}")
    return tuple(value)


def _only(table: Mapping[str, Any], known: tuple[str, ...], place: str, kind: str) -> None:
    for name in table:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise ConfigurationError(f"{place}: there is no {kind} '{name}'; {hint}")

"""The run's settings as people write them: in TOML, in variables, as flags; each source is read by one table.

Who reads a setting gets either a value of the right type or an error that names the place, the setting and what is due.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from agentrelay_core.cli.errors import ConfigurationError
from agentrelay_core.spec import RunSettings, TearDownMode
from agentrelay_core.spec.suggestions import did_you_mean

VARIABLE_PREFIX: Final = "AGENTRELAY_"
BUILT_IN: Final = "built-in"

_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@attrs.frozen
class Setting:
    """The value of a setting, and who gave it (``agentrelay.toml [run]``, ``--model`` …)."""

    value: Any
    origin: str


def from_toml(name: str, value: Any, place: str) -> Any:
    """Check a setting's value as TOML gave it.

    Args:
        name: The setting.
        value: Its value.
        place: File and table, for the message.

    Raises:
        ConfigurationError: There is no such setting, or the value is of the wrong kind.
    """
    return _read(name, value, f"{place}: {name}", _known(name, place))


def from_variable(name: str, text: str) -> Any:
    """Read a setting's value from its environment variable.

    Args:
        name: The setting.
        text: The variable's value.

    Raises:
        ConfigurationError: The value is of the wrong kind.
    """
    return from_text(name, text, variable(name))


def from_text(name: str, text: str, place: str) -> Any:
    """Read a setting's value from text.

    Args:
        name: The setting.
        text: What was written.
        place: The flag or variable, for the message.

    Raises:
        ConfigurationError: The value is of the wrong kind.
    """
    read = _KINDS[name]
    value: Any = text
    if read is _whole and re.fullmatch(r"[+-]?[0-9]{1,9}", text.strip()):
        value = int(text)
    elif read is _truth:
        value = _TRUTH.get(text.strip().lower(), text)
    elif read is _names or (read is _checks and text not in _CHECKS):
        value = [part.strip() for part in text.split(",") if part.strip()]
    return _read(name, value, place, read)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return VARIABLE_PREFIX + name.upper()


def effective(*layers: Mapping[str, Setting]) -> tuple[RunSettings, dict[str, Setting]]:
    """Lay settings over each other.

    Args:
        layers: Later ones win.

    Returns:
        The settings, and each with its origin.
    """
    merged = {field.name: Setting(getattr(_DEFAULTS, field.name), BUILT_IN) for field in attrs.fields(RunSettings)}
    for layer in layers:
        merged.update(layer)
    return RunSettings(**{name: setting.value for name, setting in merged.items()}), merged


def from_variables(environ: Mapping[str, str]) -> dict[str, Setting]:
    """The settings that environment variables give; one that is empty gives none."""
    return {
        name: Setting(from_variable(name, environ[variable(name)]), variable(name))
        for name in _KINDS
        if environ.get(variable(name))
    }


def _read(name: str, value: Any, place: str, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except ValueError as error:
        shown = value if isinstance(value, str) else repr(value)
        raise ConfigurationError(f"{place} must be {error}, not {shown}") from None


def _known(name: str, place: str) -> Callable[[Any], Any]:
    read = _KINDS.get(name)
    if read is None:
        hint = did_you_mean(name, _KINDS) or f"the settings are {', '.join(_KINDS)}"
        raise ConfigurationError(f"{place}: there is no setting '{name}'; {hint}")
    return read


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a whole number of 1 or more")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of names")
    return tuple(value)


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser()


_CHECKS = ("required", "all", "none")


def _checks(value: Any) -> str | tuple[str, ...]:
    if value in _CHECKS:
        return str(value)
    if isinstance(value, list):
        return _names(value)
    raise ValueError("required, all, none or a list of checks' names")


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return read


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "model": _text,
    "tools": _names,
    "max_concurrency": _whole,
    "max_task_attempts": _whole,
    "teardown_mode": _one_of(*(mode.value for mode in TearDownMode)),
    "keep_panes": _truth,
    "fail_fast_on_workstream_error": _truth,
    "fail_fast_on_internal_error": _truth,
    "tmux_session": _text,
    "anthropic_credential": _text,
    "forge": _text,
    "merge_method": _one_of("merge", "squash", "rebase"),
    "pr": _one_of("auto", "orchestrator"),
    "checks": _checks,
    "state_dir": _path,
}
_DEFAULTS = RunSettings()

"""Configuration files and settings: who wins, and what is refused."""

from pathlib import Path

import attrs
import pytest

from agentrelay_core.cli.configuration import read_configuration
from agentrelay_core.cli.errors import ConfigurationError
from agentrelay_core.cli.options import FLAGS
from agentrelay_core.cli.settings import Setting, effective, from_text, from_variables, variable
from agentrelay_core.spec import RunSettings, TearDownMode

NAMES = [field.name for field in attrs.fields(RunSettings)]


def read(tmp_path, user="", repository="", project=""):
    """The configuration that such files give."""
    root, home = tmp_path / "root", tmp_path / "home"
    for folder in (root, home):
        folder.mkdir()
    for path, text in (
        (home / "config.toml", user),
        (root / "agentrelay.toml", repository),
        (root / "pyproject.toml", project),
    ):
        if text:
            path.write_text(text)
    return read_configuration(root, {"AGENTRELAY_CONFIG_DIR": str(home)})


def test_every_setting_has_a_flag():
    """No setting of a run can be given in a file alone."""
    assert set(FLAGS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_variable(name):
    """Each setting is read from its variable; what cannot be right is refused by the variable's name."""
    words = {"max_concurrency": "3", "max_task_attempts": "3", "teardown_mode": "never", "merge_method": "squash"}
    words |= {"pr": "orchestrator", "checks": "all", "forge": "local", "model": "m", "tools": "a,b", "state_dir": "/s"}
    text = words.get(name, "true" if isinstance(getattr(RunSettings(), name), bool) else "x")
    settings, origins = effective(from_variables({variable(name): text}))
    assert getattr(settings, name) != getattr(RunSettings(), name) or text == "true"
    assert origins[name].origin == variable(name)


def test_later_layers_win():
    """The last layer that gives a setting decides, also when it gives the default."""
    settings, origins = effective(
        {"max_concurrency": Setting(7, "a file"), "model": Setting("m", "a file")},
        {"max_concurrency": Setting(4, "a flag")},
    )
    assert (settings.max_concurrency, settings.model) == (4, "m")
    assert [origins[name].origin for name in ("max_concurrency", "model", "pr")] == ["a flag", "a file", "built-in"]
    assert settings.teardown_mode is TearDownMode.ALWAYS


def test_the_repository_s_file_wins_over_the_user_s(tmp_path):
    """Key by key: what only the user's file says stays in force."""
    given = read(
        tmp_path,
        user='[run]\nmodel = "a"\nforge = "local"\n[plugins.pin]\nworkspace = "x"\n[options.x]\na = 1\n',
        repository='[run]\nmodel = "b"\n[plugins]\ndisable = ["y"]\n[options.x]\nb = 2\n',
    )
    assert (given.run["model"].value, given.run["forge"].value) == ("b", "local")
    assert (given.disable, given.pins, given.options) == (("y",), {"workspace": "x"}, {"x": {"a": 1, "b": 2}})


def test_pyproject_may_hold_it(tmp_path):
    """[tool.agentrelay] is the same as the file."""
    given = read(tmp_path, project="[tool.agentrelay.run]\nmax_concurrency = 9\n")
    assert given.run["max_concurrency"] == Setting(9, "pyproject.toml [tool.agentrelay] [run]")


def test_two_places_are_refused(tmp_path):
    """Neither file is silently passed over."""
    with pytest.raises(ConfigurationError, match=r"both agentrelay.toml and \[tool.agentrelay\]"):
        read(tmp_path, repository="[run]\n", project="[tool.agentrelay.run]\n")


def test_a_path_is_meant_from_its_file(tmp_path):
    """A relative state directory does not depend on where the command is typed."""
    given = read(tmp_path, repository='[run]\nstate_dir = "state"\n')
    assert given.run["state_dir"].value == tmp_path / "root" / "state"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\nmax_concurency = 2\n", r"agentrelay.toml \[run\]: .* did you mean 'max_concurrency'"),
        ("[run]\nmax_concurrency = 0\n", r"\[run\]: max_concurrency must be a whole number of 1 or more, not 0"),
        ('[run]\nmax_concurrency = "4"\n', "must be a whole number"),
        ("[run]\nkeep_panes = 1\n", "keep_panes must be true or false"),
        ('[run]\nmerge_method = "octopus"\n', "one of merge, squash, rebase, not octopus"),
        ("[runs]\n", "there is no table 'runs'; did you mean 'run'"),
        ("[plugins]\ndisabled = []\n", "no key 'disabled'; did you mean 'disable'"),
        ('[plugins]\ndisable = "x"\n', "must be a list of distributions"),
        ("[plugins.pin]\nworkspace = 1\n", "must be the name of a distribution"),
        ("run = 1\n", "must be a table"),
        ("[run\n", "is no valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    """Each mistake names its file and key, and what is due."""
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, repository=text)


def test_text_that_is_no_value_is_refused():
    """A flag's text is judged by the same rules as a file's value."""
    assert from_text("checks", "a, b", "--checks") == ("a", "b")
    assert from_text("state_dir", "/s", "--state-dir") == Path("/s")
    with pytest.raises(ConfigurationError, match="--max-concurrency must be a whole number of 1 or more, not many"):
        from_text("max_concurrency", "many", "--max-concurrency")

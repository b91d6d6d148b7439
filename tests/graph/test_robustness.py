"""No file, however hostile, does more than be refused."""

import gc
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentrelay_core.graph import GraphError, load_graph, nodes, read_graph, render_github, render_json, render_text
from agentrelay_core.graph.keys import TASK
from agentrelay_core.spec.names import id_problem

SAMPLES = [path.read_text() for path in sorted((Path(__file__).parent / "samples").iterdir())]
DIGITS = "9" * 5000
LIMIT = 2.0  # seconds of CPU time; each of these takes well below a second


def codes(text: str) -> list[str]:
    started = time.process_time()
    found = [item.code for item in read_graph(text).diagnostics]
    assert time.process_time() - started < LIMIT
    return found


@pytest.mark.fault("I1")
def test_depth() -> None:
    """A thousand levels are refused at the fifty-first."""
    assert codes("name: g\ntasks: " + "[" * 1000 + "]" * 1000) == ["AR109"]
    assert codes("".join("  " * n + "- \n" for n in range(1)) + "- " * 1000) == ["AR109"]
    assert codes('{"a":' * 100_000) == ["AR109"]


@pytest.mark.parametrize("value", [DIGITS, f"-{DIGITS}", f"1e{DIGITS}", f"{DIGITS}.5", "0x" + "f" * 5000])
def test_long_numbers(value: str) -> None:
    """A number of thousands of digits is an error where a number is due, and where any value is."""
    assert codes(f"name: g\ntasks: {{a: {{description: b, max_gate_attempts: {value}}}}}") == ["AR203"]
    loose = codes(f"name: g\ntasks: {{a: {{description: b, isolation: {value}}}}}")
    assert loose == ([] if value.startswith("0x") else ["AR204"])


@pytest.mark.fault("I1")
def test_bomb() -> None:
    """Aliases that would expand without end are refused at once."""
    bomb = (Path(__file__).parent / "broken" / "bomb.yaml").read_text()
    assert set(codes(bomb)) == {"AR107", "AR201", "AR205"}


@pytest.mark.fault("I1")
def test_size(tmp_path: Path) -> None:
    """A file over 16 MiB is refused without being parsed."""
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a" * (16 * 1024 * 1024 + 1))
    assert [item.code for item in read_graph(path).diagnostics] == ["AR102"]
    assert codes("a" * (16 * 1024 * 1024 + 1)) == ["AR102"]


@pytest.mark.fault("I1")
def test_too_many_tasks() -> None:
    """More than 20,000 tasks are one error."""
    text = "name: g\ntasks:\n" + "".join(f" t{n}: {{description: x}}\n" for n in range(20_001))
    assert [item.code for item in read_graph(text).diagnostics] == ["AR110"]


def test_most_tasks() -> None:
    """20,000 tasks are fine."""
    text = "name: g\ntasks:\n" + "".join(f" t{n}: {{description: x}}\n" for n in range(20_000))
    loaded = read_graph(text)
    assert loaded.graph is not None
    assert len(loaded.graph.tasks) == 20_000


def test_many_mistakes() -> None:
    """Thousands of mistakes are told up to a thousand, in good time."""
    text = "name: g\ntasks:\n" + "".join(
        f" t{n}: {{description: x, dependencies: [u{n}], rol: y}}\n" for n in range(3000)
    )
    started = time.process_time()
    loaded = read_graph(text)
    assert time.process_time() - started < 10
    assert len(loaded.diagnostics) == 1001
    assert loaded.diagnostics[-1].message == "5000 more problems are not shown"


def test_many_wrong_names() -> None:
    """Thousands of agents, and as many misspelt names of them, are told in good time."""
    agents = "".join(f" a{n}: {{}}\n" for n in range(10_000))
    tasks = "".join(f" t{n}: {{description: x, agent: b{n}}}\n" for n in range(10_000))
    started = time.process_time()
    assert len(read_graph(f"name: g\nagents:\n{agents}tasks:\n{tasks}").diagnostics) == 1001
    assert time.process_time() - started < 10


def test_missing_file(tmp_path: Path) -> None:
    """A file that cannot be read is an error like any other."""
    for path in (tmp_path / "none.yaml", tmp_path, Path("a\0b")):
        with pytest.raises(GraphError) as caught:
            load_graph(path)
        assert [item.code for item in caught.value.diagnostics] == ["AR101"]


def test_terminal_is_safe() -> None:
    """No control character of a file reaches the terminal."""
    text = 'name: g\ntasks: {a: {description: b, "k\\e[31m": 1, \u202ek: 2}}'
    rendered = render_text(read_graph(text).diagnostics)
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered
    assert "k\\x1b[31m" in rendered


def test_renderings() -> None:
    """Findings are shown for people, for programs and for GitHub."""
    diagnostics = read_graph("name: g\ntasks: {a: {descripton: 日本}, b: 1}", name="a,b.yaml").diagnostics
    assert render_text(diagnostics[1:]) == (
        "a,b.yaml:2:33: error[AR203]: expected a task, a mapping, found '1'\n"
        "  2 | tasks: {a: {descripton: 日本}, b: 1}\n"
        "    |                                   ^"
    )
    assert render_github(diagnostics[:1]) == (
        "::error file=a%2Cb.yaml,line=2,col=13,endColumn=22,title=AR201::"
        "a task has no key 'descripton'%0Adid you mean 'description'?"
    )
    assert '"code": "AR201"' in render_json(diagnostics)


def test_long_line() -> None:
    """Of a very long line only the part around the mistake is shown."""
    text = '{"name": "g", "tasks": {' + ", ".join(f'"t{n}": {{"description": "x"}}' for n in range(500)) + ', "z": 1}}'
    rendered = render_text(read_graph(text).diagnostics)
    assert max(map(len, rendered.splitlines())) < 200
    shown, marks = rendered.splitlines()[1:3]
    assert shown[marks.index("^")] == "1"


def test_positions_behind_wide_and_odd_characters() -> None:
    """Columns count characters, whatever stands before them, byte order mark and Windows line ends included."""
    [found] = read_graph("name: g\r\ntasks: {a: {description: 'é😀', rol: x}}").diagnostics
    assert (found.line, found.column, found.end_column) == (2, 32, 35)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark is passed over."""
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: g\ntasks: {a: {description: x}}\n")
    assert load_graph(path).name == "g"


def test_collector_is_restored() -> None:
    """The garbage collector is as it was after a read."""
    assert gc.isenabled()
    read_graph("name: [")
    assert gc.isenabled()
    gc.disable()
    try:
        read_graph("name: g")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_python_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libyaml the same graphs and the same kinds of findings come out."""
    samples = [text.expandtabs(2) for text in SAMPLES]  # it takes no tabs, not even in JSON
    by_c = [read_graph(text) for text in samples]
    monkeypatch.setattr(nodes, "_Parser", yaml.SafeLoader)
    assert [read_graph(text) for text in samples] == by_c
    assert [item.code for item in read_graph("name: g\ntasks: {a: [}").diagnostics] == ["AR105"]


def test_import_is_light() -> None:
    """Reading graphs imports nothing heavy."""
    heavy = "cattrs importlib_metadata asyncio jsonschema pluggy hypothesis difflib"
    code = f"import sys, agentrelay_core.graph; print(*[m for m in {heavy!r}.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.split() == []


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.text())
def test_any_text(text: str) -> None:
    """Any text at all is read, or refused with findings that can be shown."""
    loaded = read_graph(text)
    assert (loaded.graph is None) == bool(loaded.errors)
    render_text(loaded.diagnostics)


YAML_PIECES = st.sampled_from(
    [*"{}[]:,-?&*!|>'\"%@` \n\t#", ": ", "- ", "\n  ", "&a ", "*a", "!!int ", "<<: ", "--- ", "null", ".inf"]
)


@quick
@given(st.sampled_from(SAMPLES), st.data())
def test_mutated_samples(sample: str, data: st.DataObject) -> None:
    """A graph with pieces put in, taken out or doubled is read or refused, and never anything else."""
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(sample)))
        cut = data.draw(st.integers(0, 12))
        piece = data.draw(st.one_of(YAML_PIECES, st.just(sample[at : at + 20])))
        sample = sample[:at] + piece + sample[at + cut :]
    loaded = read_graph(sample)
    assert (loaded.graph is None) == bool(loaded.errors)
    for item in loaded.diagnostics:
        assert item.source == "" or item.column <= len(item.source) + 1
    render_text(loaded.diagnostics)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = [key for key in TASK.keys if key != "role"]


@quick
@given(
    st.dictionaries(st.sampled_from(["a", "b", "A"]), st.dictionaries(st.sampled_from(KEYS), json_values), max_size=3),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=2),
    st.dictionaries(st.sampled_from(["agents", "workstreams", "tools", "checks", "model", "forge"]), json_values),
)
def test_any_values(tasks: object, defaults: object, more: dict[str, object]) -> None:
    """Any value under any key is read or refused."""
    text = yaml.safe_dump({"name": "g", "tasks": tasks, "defaults": defaults, **more})
    loaded = read_graph(text)
    assert (loaded.graph is None) == bool(loaded.errors)


@pytest.mark.fault("I3")
@quick
@given(st.text(max_size=70))
def test_ids(name: str) -> None:
    """An id is taken exactly when it is safe as a branch, a directory and a title."""
    text = yaml.safe_dump({"name": "g", "tasks": [{"id": name, "description": "x"}]}, allow_unicode=True)
    loaded = read_graph(text)
    assert (loaded.graph is not None) == (id_problem(name) is None)

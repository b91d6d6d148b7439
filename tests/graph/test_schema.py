"""The JSON Schema takes what the reader takes, and refuses what is wrong in shape."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from agentrelay_core.graph import read_graph
from agentrelay_core.graph.schema import graph_schema

SAMPLES = sorted((Path(__file__).parent / "samples").iterdir())


def validator(catalog: Any = None) -> jsonschema.Draft202012Validator:
    schema = graph_schema(catalog)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Editor(yaml.SafeLoader):
    """Reads YAML as editors do, by the rules of YAML 1.2."""

    yaml_implicit_resolvers = {  # noqa: RUF012  an attribute of PyYAML's own
        first: [(tag, pattern) for tag, pattern in found if tag.endswith((":int", ":float", ":null"))]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def parsed(text: str) -> Any:
    value = yaml.load(text, Loader=Editor)

    def plain(item: Any) -> Any:
        if isinstance(item, dict):
            return {str(key): plain(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [plain(inner) for inner in item]
        return {"true": True, "false": False}.get(item, item) if isinstance(item, str) else item

    return plain(value)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples(path: Path) -> None:
    """Every sample is valid by the schema."""
    text = path.read_text()
    validator().validate(json.loads(text) if path.suffix == ".json" else parsed(text))


WRONG = [
    "{name: g}",
    "{tasks: {a: {}}}",
    "{name: g, tasks: {}}",
    "{name: g, tasks: [{description: x}]}",
    "{name: g, tasks: {a: {descripton: x}}}",
    "{name: g, tasks: {a: {description: [x]}}}",
    "{name: g, tasks: {a: {description: x, role: boss}}}",
    "{name: g, tasks: {a: {description: x, max_gate_attempts: 0}}}",
    "{name: g, tasks: {a: {description: x, deadlines: {wall: 5x}}}}",
    "{name: g, tasks: {a: {description: x, review: {}}}}",
    "{name: g, tasks: {a: {description: x}}, workstreams: {w: {auto_merge: maybe}}}",
    "{name: g, tasks: {a: {description: x}}, agents: {b: {env: [x]}}}",
    "{name: g, tasks: {a: {description: x}}, pr: me}",
    "{name: g, tasks: {a: {description: x}}, nonsense: 1}",
]


@pytest.mark.parametrize("text", WRONG)
def test_wrong(text: str) -> None:
    """What is wrong in shape is refused by the schema and by the reader."""
    assert not validator().is_valid(parsed(text))
    assert read_graph(text).errors


@pytest.mark.parametrize(
    ("agent", "good"),
    [
        ("{framework: robot, prompt: x, size: large, environment: box}", True),
        ("{framework: robot, prompt: x, environment: {type: box, cpus: 2}}", True),
        ("{framework: other, whatever: x, environment: {type: moon, dust: 1}}", True),
        ("{framework: robot}", False),
        ("{framework: robot, prompt: x, colour: red}", False),
        ("{framework: robot, prompt: x, size: medium}", False),
        ("{framework: plain, environment: {type: box, cpu: 2}}", False),
        ("{framework: plain, environment: {type: ship}}", False),
        ("{anything: 1}", False),
    ],
)
def test_plugins(catalog: Callable[..., Any], agent: str, good: bool) -> None:
    """Options and environments of installed plugins are part of the schema, as the reader takes them."""
    text = f"{{name: g, tasks: {{a: {{description: x, agent: {agent}}}}}}}"
    assert validator(catalog()).is_valid(parsed(text)) is good
    assert (not read_graph(text, catalog=catalog()).errors) is good


def test_options_have_defaults_and_help(catalog: Callable[..., Any]) -> None:
    """Editors are told what an option is where it is left out; a required one and a made one say nothing of it."""
    cases = graph_schema(catalog())["$defs"]["agent"]["allOf"]
    robot = next(case["then"] for case in cases if case["if"]["properties"]["framework"]["const"] == "robot")
    said = {name: key["default"] for name, key in robot["properties"].items() if key is not True and "default" in key}
    assert said == {"size": "small", "mode": "ask", "tools": [], "home": None, "seed": None, "anything": None}

"""Agents in a graph file: named ones, agents in full, and the options that a framework's plugin declares."""

from typing import Any

from agentrelay_core.graph import codes
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.compound import PLAIN_MAPPING, Either, ListOf, MapOf, Plain
from agentrelay_core.graph.environments import EnvironmentKind, default_environment
from agentrelay_core.graph.nodes import Mapping, Node, Scalar, is_null, pairs_of
from agentrelay_core.graph.reading import UNSET, Reading
from agentrelay_core.graph.records import Key, Pairs, Record
from agentrelay_core.graph.scalars import FAILED, Choice, JSONSchema, Text, Unreadable, wrong_type
from agentrelay_core.graph.source import Marked
from agentrelay_core.graph.typed import plain, record_of
from agentrelay_core.spec import AdrVerbosity, AgentConfig
from agentrelay_core.spec.suggestions import listing

DEFAULT_FRAMEWORK = "command"
VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"

AGENT = Record(
    "an agent",
    {
        "framework": Key(Text(), "The kind of agent, for example command or claude_code."),
        "model": Key(Text(), "Model name for the framework."),
        "adr_verbosity": Key(Choice.of(AdrVerbosity), "How much of a decision record to ask for."),
        "environment": Key(EnvironmentKind(), "Where the agent runs; default what the framework prefers."),
        "env": Key(MapOf(Text(), Text(VARIABLE, "a variable's name")), "Variables added to its environment."),
        "pass_env": Key(
            ListOf(Text(VARIABLE, "a variable's name"), single=True), "The user's own variables that it may see."
        ),
        "isolation": Key(Plain(), "For environments that honour it."),
    },
)

# What is known of the embedded framework without asking any plugin, so that in `command: true` it is the program.
_COMMAND = MapOf(Either(Text(), ListOf(Text()), expected="a command, text or a list"))


class AgentKind:
    """The value of ``agent:`` and ``primary_agent:``: the name of an agent, or an agent in full."""

    takes = frozenset((Scalar, Mapping))

    def read(self, node: Node, reading: Reading) -> Any:
        """The `AgentConfig`."""
        if node.__class__ is Mapping:
            return read_agent(node, reading)
        if node.__class__ is not Scalar:
            return wrong_type(node, "an agent, a name or a mapping", reading)
        found = reading.agents.get(node.value)
        if found is not None:
            return found
        if "agents" not in reading.incomplete:
            hint = reading.agent_advisor.hint(node.value) or "define it under 'agents'"
            reading.findings.error(codes.UNKNOWN_AGENT, f"the agent '{node.value}' is not defined", node, hint)
        return FAILED

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        """A name or an agent."""
        return {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/agent"}]}


class AgentsKind:
    """The value of ``agents:``, agents by name; tasks that are read later may name them."""

    takes = frozenset((Mapping,))

    def read(self, node: Node, reading: Reading) -> Any:
        """The agents by name; one that is wrong is there too, so that naming it is no further mistake."""
        if node.__class__ is not Mapping:
            reading.incomplete.add("agents")
            return wrong_type(node, "agents by name, a mapping", reading)
        agents = reading.agents
        for key_node, value_node in pairs_of(node):
            name = Text().read(key_node, reading)
            if isinstance(name, Unreadable):
                continue
            if is_null(value_node):
                agent = without_keys(key_node, reading)
            elif value_node.__class__ is Mapping:
                agent = read_agent(value_node, reading)
            else:
                agent = wrong_type(value_node, "an agent, a mapping", reading)
            if name in agents:
                message = f"the agent '{name}' is given twice"
                reading.findings.error(codes.DUPLICATE_KEY, message, key_node, "keep one of them")
            else:
                agents[name] = agent
                reading.agent_nodes[name] = value_node
        return agents

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        """Agents by name."""
        return {"type": "object", "additionalProperties": {"$ref": "#/$defs/agent"}}


def read_agent(node: Node, reading: Reading) -> Any:
    """An agent in full: keys that are not every agent's are options of its framework."""
    own: list[tuple[Node, Node]] = []
    others: list[tuple[Node, Node]] = []
    for pair in pairs_of(node):
        key = pair[0]
        (own if key.__class__ is not Scalar or key.value in AGENT.keys else others).append(pair)
    fields = AGENT.fields(node, own, reading)
    framework = fields.values.get("framework", UNSET)
    framework = DEFAULT_FRAMEWORK if framework is UNSET else framework
    if "framework" in fields.failed:
        return FAILED
    options = _options(framework, node, others, reading)
    if fields.failed or isinstance(options, Unreadable):
        return FAILED
    values = fields.given()
    if "environment" not in values:
        values["environment"] = default_environment(framework, reading.catalog)
    return AgentConfig(**values, options=options)


def without_keys(at: Marked, reading: Reading) -> Any:
    """The agent of a task that says nothing of one; its framework may need an option all the same."""
    record = _options_record(DEFAULT_FRAMEWORK, reading.catalog)
    missing = [] if record is None else [name for name, key in record.keys.items() if key.required]
    if missing:
        message = f"no agent is named, and the default framework '{DEFAULT_FRAMEWORK}' needs {listing(missing)}"
        hint = f"say 'agent: NAME', or 'agent: {{{missing[0]}: ...}}'"
        reading.findings.error(codes.MISSING_KEY, message, at, hint)
        return FAILED
    return AgentConfig(environment=default_environment(DEFAULT_FRAMEWORK, reading.catalog))


def _options(framework: str, at: Marked, others: Pairs, reading: Reading) -> Any:
    """An agent's options as plain values, checked against what the framework's plugin declares."""
    record = _options_record(framework, reading.catalog)
    if record is None:
        return _unchecked_options(framework, others, reading)
    fields = record.fields(at, others, reading, also=AGENT.keys)
    if isinstance(record.built(fields, at, others, reading), Unreadable):
        return FAILED
    return {name: plain(value) for name, value in fields.given().items()}


def _unchecked_options(framework: str, others: Pairs, reading: Reading) -> Any:
    commands: list[tuple[Node, Node]] = []
    plains: list[tuple[Node, Node]] = []
    for pair in others:
        is_command = framework == DEFAULT_FRAMEWORK and pair[0].__class__ is Scalar and pair[0].value == "command"
        (commands if is_command else plains).append(pair)
    command, options = _COMMAND.read_pairs(commands, reading), PLAIN_MAPPING.read_pairs(plains, reading)
    return FAILED if isinstance(command, Unreadable) or isinstance(options, Unreadable) else {**command, **options}


def _options_record(framework: str, catalog: CatalogView | None) -> Record | None:
    if catalog is None or framework not in catalog.frameworks:
        return None
    cls = catalog.frameworks[framework].options
    name = f"an agent of framework '{framework}'"
    return Record(name, {}, dict) if cls is None else record_of(cls, name)


def agent_schema(catalog: CatalogView | None) -> JSONSchema:
    """The JSON Schema of an agent; its options follow from the framework, where that is installed."""
    schema = AGENT.schema(catalog)
    schema["additionalProperties"] = True
    cases = []
    for framework in () if catalog is None else catalog.frameworks:
        record = _options_record(framework, catalog)
        assert record is not None
        then = record.schema(catalog)
        then["properties"] = {**dict.fromkeys(AGENT.keys, True), **then["properties"]}
        when: JSONSchema = {"properties": {"framework": {"const": framework}}}
        if framework != DEFAULT_FRAMEWORK:
            when["required"] = ["framework"]
        cases.append({"if": when, "then": then})
    if cases:
        schema["allOf"] = cases
    return schema

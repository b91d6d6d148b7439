"""Whatever a plugin does wrong becomes a reason that says what, where and what would be right."""

import pytest

from agentrelay_core.hooks import Catalog

GOOD = """
@hookimpl
def agentrelay_frameworks():
    yield FrameworkType(name="f", cls=object, default_environment="e")
"""

BROKEN = {
    "wrong argument": (
        "@hookimpl\ndef agentrelay_task_launcher(config):\n    return []",
        "agentrelay_task_launcher takes config (<p>:2), which the hook does not have; "
        "write `def agentrelay_task_launcher()`",
    ),
    "misspelt": (
        "@hookimpl\ndef agentrelay_task_luncher():\n    return []",
        "there is no hook agentrelay_task_luncher (<p>:2); did you mean agentrelay_task_launcher?",
    ),
    "without prefix": (
        "@hookimpl\ndef task_launcher():\n    return []",
        "there is no hook task_launcher (<p>:2); did you mean agentrelay_task_launcher?",
    ),
    "without marker": (
        "def agentrelay_task_launcher():\n    return []",
        "agentrelay_task_launcher lacks the marker (<p>:2); write @hookimpl above it (agentrelay_core.hookimpl)",
    ),
    "async": (
        "@hookimpl\nasync def agentrelay_task_launcher():\n    return []",
        "agentrelay_task_launcher is async (<p>:2); hooks only declare: write `def agentrelay_task_launcher()`",
    ),
    "async generator": (
        "@hookimpl\nasync def agentrelay_task_launcher():\n    yield 1",
        "agentrelay_task_launcher is async (<p>:2); hooks only declare: write `def agentrelay_task_launcher()`",
    ),
    "wrapper": (
        "@hookimpl(wrapper=True)\ndef agentrelay_forges():\n    return (yield)",
        "agentrelay_forges is a wrapper (<p>:2); hooks only declare: write @hookimpl without arguments",
    ),
    "None": (
        "@hookimpl\ndef agentrelay_forges():\n    pass",
        "agentrelay_forges returned None (<p>:2); due is an iterable of ForgeProvider records: yield them, "
        "or return a list",
    ),
    "no iterable": (
        "@hookimpl\ndef agentrelay_forges():\n    return 3",
        "agentrelay_forges returned int (<p>:2); due is an iterable of ForgeProvider records",
    ),
    "coroutine": (
        "async def later(): pass\n@hookimpl\ndef agentrelay_forges():\n    return later()",
        "agentrelay_forges returned coroutine (<p>:3); due is an iterable of ForgeProvider records",
    ),
    "one record": (
        "@hookimpl\ndef agentrelay_task_merger():\n    return Provider(factory=print)",
        "agentrelay_task_merger returned one record (<p>:2); due is an iterable of Provider records: yield it, "
        "or return a list with it",
    ),
    "raises": (
        "@hookimpl\ndef agentrelay_forges():\n    raise SystemExit('no\\nway')",
        "agentrelay_forges raised SystemExit: no way (<p>:4); due is an iterable of ForgeProvider records",
    ),
    "raises midway": (
        "@hookimpl\ndef agentrelay_task_merger():\n    yield Provider(factory=print)\n    raise ValueError('midway')",
        "agentrelay_task_merger raised ValueError: midway (<p>:5); due is an iterable of Provider records",
    ),
    "never ends": (
        "@hookimpl\ndef agentrelay_task_merger():\n    while True:\n        yield Provider(factory=print)",
        "agentrelay_task_merger gave more than 1000 records (<p>:2)",
    ),
    "a dict": (
        "@hookimpl\ndef agentrelay_task_launcher():\n    yield {'framework': 'x'}",
        "agentrelay_task_launcher gave {'framework': 'x'} (dict); due are records of type Provider (<p>:2)",
    ),
    "a bare dict": (
        "@hookimpl\ndef agentrelay_task_launcher():\n    return {'framework': 'x'}",
        "agentrelay_task_launcher gave 'framework' (str); due are records of type Provider (<p>:2)",
    ),
    "another record": (
        "class E(AgentEnvironment): pass\n@hookimpl\ndef agentrelay_task_launcher():\n"
        "    yield FrameworkType(name='f', cls=E, default_environment='e')",
        "(FrameworkType); due are records of type Provider (<p>:3)",
    ),
    "no environment": (
        "@hookimpl\ndef agentrelay_task_launcher():\n    yield Provider(factory=print, environment=dict)",
        "agentrelay_task_launcher gave a Provider whose environment is the class dict; "
        "due is a subclass of AgentEnvironment (<p>:2)",
    ),
    "an environment's instance": (
        "@hookimpl\ndef agentrelay_environments():\n"
        "    yield EnvironmentType(name='e', cls=AgentEnvironment(), host=print)",
        "agentrelay_environments gave a EnvironmentType whose cls is AgentEnvironment() (AgentEnvironment); "
        "due is a subclass of AgentEnvironment (<p>:2)",
    ),
    "options of another kind": (
        "@hookimpl\ndef agentrelay_frameworks():\n"
        "    yield FrameworkType(name='f', cls=object, default_environment='e', options=dict)",
        "gave a FrameworkType whose options is the class dict; due is an attrs class, or None (<p>:2)",
    ),
    "no factory": (
        "@hookimpl\ndef agentrelay_forges():\n    yield ForgeProvider(name='f', recognises=print, factory='x')",
        "gave a ForgeProvider whose factory is 'x' (str); due is a function (<p>:2)",
    ),
    "a name with a blank": (
        "@hookimpl\ndef agentrelay_forges():\n    yield ForgeProvider(name='a b', recognises=print, factory=print)",
        "gave a ForgeProvider whose name is 'a b' (str); due is a word without spaces and colons (<p>:2)",
    ),
    "needs a string": (
        "@hookimpl\ndef agentrelay_task_merger():\n    yield Provider(factory=print, needs='git')",
        "raised TypeError: expected a tuple of names, got the string 'git'; write ('git',) (<p>:4)",
    ),
    "one key twice": (
        "@hookimpl\ndef agentrelay_task_merger():\n    return [Provider(factory=print), Provider(factory=str)]",
        "agentrelay_task_merger gave task_merger:*:* twice; due is one record for each key",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_wrong_plugin_is_broken_with_a_reason_and_provides_nothing(case, plugin):
    """The reason names plugin, version, place and what is due; its other, good records do not count either."""
    source, reason = BROKEN[case]
    catalog = Catalog()
    report = catalog.add(
        plugin(source if "frameworks" in source else source + GOOD, "p"), name="agentrelay-p", version="2.1"
    )
    assert report.status == "broken"
    assert report.reason.startswith("agentrelay-p 2.1: ")
    assert reason in report.reason
    assert report.provides == ()
    assert dict(catalog.frameworks) == {}
    assert 'disable = ["agentrelay-p"]' in report.mend


def test_a_real_interrupt_is_the_users(plugin):
    """Ctrl-C while a plugin is asked ends the command instead of marking the plugin as broken."""
    with pytest.raises(KeyboardInterrupt):
        Catalog().add(plugin("@hookimpl\ndef agentrelay_forges():\n    raise KeyboardInterrupt"))


def test_each_hook_is_asked_once(plugin):
    """However often the catalog is used, a hook runs one time."""
    module = plugin("asked = []\n@hookimpl\ndef agentrelay_forges():\n    asked.append(1)\n    return []")
    catalog = Catalog()
    catalog.add(module)
    catalog.add(plugin(GOOD), name="another")
    assert catalog.forges == ()
    assert catalog.conflicts == {}
    assert [report.status for report in catalog.plugins] == ["active", "active"]
    assert module.asked == [1]


def test_an_object_with_methods_is_a_plugin(plugin):
    """Methods, static methods and optional arguments are hooks like a module's functions."""
    module = plugin(
        """
        class Both:
            @hookimpl
            def agentrelay_forges(self, future=None):
                return [ForgeProvider(name="a", recognises=bool, factory=print)]

            @staticmethod
            @hookimpl
            def agentrelay_frameworks():
                return [FrameworkType(name="f", cls=object, default_environment="e")]
        """
    )
    catalog = Catalog()
    assert catalog.add(module.Both()).provides == ("framework:f", "forge:a")


def test_a_plugin_without_hooks_is_noted(plugin):
    """A module that implements no hook is active, and says so."""
    report = Catalog().add(plugin(""))
    assert (report.status, report.reason) == ("active", "it implements none of the hooks")


def test_a_name_is_given_once(plugin):
    """Two plugins of one name could not be told apart."""
    catalog = Catalog()
    catalog.add(plugin(""), name="Some_Plugin")
    with pytest.raises(ValueError, match="has a plugin 'some-plugin' already"):
        catalog.add(plugin(""), name="some-plugin")

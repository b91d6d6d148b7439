"""The doctor says of which steps and hosts the effect is not found again after a crash."""

from agentrelay_core.hooks.doctor import doctor_findings
from agentrelay_core.hooks.rows import plugin_rows

STEPS = """
    class Plain:
        def launch(self, runtime): ...

    class Careful(Plain):
        def reconcile(self, runtime): ...

    class Place(AgentEnvironment):
        pass

    class Elsewhere(AgentEnvironment):
        pass

    class Host:
        def adopt(self, data): ...

    def unmade(context):
        return context.options.what_is_not_there

    @hookimpl
    def agentrelay_environments():
        yield EnvironmentType(name="place", cls=Place, host=lambda environment: Host())
        yield EnvironmentType(name="elsewhere", cls=Elsewhere, host=lambda environment: object())

    @hookimpl
    def agentrelay_task_launcher():
        yield Provider(framework="plain", factory=lambda context: Plain())
        yield Provider(framework="careful", factory=lambda context: Careful())
        yield Provider(framework="unmade", factory=unmade)

    @hookimpl
    def agentrelay_task_teardown():
        yield Provider(factory=lambda context: Plain())
"""


def test_the_doctor_tells_what_a_crash_repeats(catalog_of):
    """Steps without reconcile and hosts without find or adopt are named with what that means; others are not."""
    found = doctor_findings(catalog_of(STEPS), which=lambda program: program)
    assert [(finding.level, finding.subject, finding.message) for finding in found] == [
        (
            "note",
            "plugin-1 1.0 (environment:place)",
            "Host has no find: an agent that was started right before a crash is not adopted.",
        ),
        (
            "note",
            "plugin-1 1.0 (environment:elsewhere)",
            "object has no adopt: its agents are not adopted after a crash.",
        ),
        (
            "note",
            "plugin-1 1.0 (environment:elsewhere)",
            "object has no find: an agent that was started right before a crash is not adopted.",
        ),
        (
            "note",
            "plugin-1 1.0 (task_launcher:plain:*)",
            "Plain has no reconcile: a task that a crash interrupts there starts its agent again.",
        ),
    ]


def test_listing_makes_nothing(catalog_of):
    """``plugins list`` calls no factory."""
    failing = STEPS.replace("lambda context: Plain()", "exit").replace("lambda environment: Host()", "exit")
    (row,) = plugin_rows(catalog_of(failing))
    assert row.status == "active"

"""How a hook, or an argument of one, is given up: by pluggy's own means, so that authors are warned before users are.

Within a major version of the contract nothing is taken away. A hook is marked where it is declared::

    @hookspec(warn_on_impl=deprecated("agentrelay_old", since="0.4", instead="implement agentrelay_new"))
    def agentrelay_old(): ...

and an argument of one by ``warn_on_impl_args={"name": deprecated("the argument name of agentrelay_old", …)}``. Whoever
implements it gets pluggy's warning, at the line of his function, whenever the plugin is loaded where warnings are shown
(in tests they are); ``plugins list`` and ``plugins doctor`` say it of a plugin that is installed.
"""

from collections.abc import Iterable, Iterator, Mapping

from agentrelay_core.hooks import specs
from agentrelay_core.hooks.discovery import GROUP
from agentrelay_core.hooks.marks import Found

_OPTIONS = f"{specs.PROJECT}_spec"


def deprecated(what: str, *, since: str, instead: str) -> DeprecationWarning:
    """The warning for ``warn_on_impl`` and ``warn_on_impl_args``.

    Args:
        what: What is given up, for example ``agentrelay_old``.
        since: The version of agentrelay-core that first warned of it.
        instead: What is to be done instead, an imperative.
    """
    return DeprecationWarning(
        f"{what} is deprecated since agentrelay-core {since} and goes with the version after {GROUP}; {instead}"
    )


def deprecations(found: Iterable[Found]) -> Iterator[str]:
    """What a plugin's functions implement that is deprecated, a clause for each.

    Args:
        found: The functions; each implements a hook that there is.
    """
    for item in found:
        options: Mapping[str, object] = getattr(getattr(specs, item.hook), _OPTIONS)
        if options.get("warn_on_impl"):
            yield str(options["warn_on_impl"])
        of_arguments = options.get("warn_on_impl_args")
        if isinstance(of_arguments, Mapping):
            named = item.function.__code__.co_varnames[: item.function.__code__.co_argcount]
            yield from (str(warning) for name, warning in of_arguments.items() if name in named)

"""What would keep a run's agents out of tmux, found before it begins: a name that is none, a server that is no use."""

from collections.abc import Iterator

from agentrelay_core.spec import TaskGraph
from agentrelay_tmux_claude.tmux.environment import TmuxEnvironment, session_name
from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.panes import too_old
from agentrelay_tmux_claude.tmux.places import check_place
from agentrelay_tmux_claude.tmux.server import Server, is_absent, users_server


def obstacles(graph: TaskGraph) -> Iterator[str]:
    """Look at the sessions that a graph names; no server is started and nothing is made.

    Args:
        graph: A graph with agents in tmux.

    Raises:
        ValueError: Its ``tmux_session`` is no name of a session.
    """
    places = [
        agent.environment
        for agent in {id(task.primary_agent): task.primary_agent for task in graph.tasks}.values()
        if isinstance(agent.environment, TmuxEnvironment)
    ]
    of_run = graph.settings.tmux_session
    if of_run is not None:
        try:
            session_name(of_run)
        except ValueError as error:
            raise ValueError(f"tmux_session: {error}") from error
    named = sorted({name for place in places if (name := place.session or of_run) is not None})
    server = users_server()
    old = too_old(server)
    if old is not None:
        yield old
    elif named:
        try:
            _look(server)
        except TmuxError as error:
            yield (
                f"the tmux session {', '.join(map(repr, named))} cannot be used: {error}; mend that, or name no "
                "session, and the run gets a server of its own"
            )


def _look(server: Server) -> None:
    """See that a server answers, or can be started."""
    try:
        server.run(("list-sessions",))
    except TmuxError as error:
        if not is_absent(error) or "denied" in str(error):
            raise
        check_place(server)

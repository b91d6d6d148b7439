"""Users and organizations, as GraphQL shows them."""

from __future__ import annotations

from typing import Any

from pytest_agentrelay.github.graphql.connections import empty
from pytest_agentrelay.github.state.hub import Hub


def user(hub: Hub, login: str) -> dict[str, Any]:
    """A user, or a bot where the login says so."""
    return {
        "__typename": "Bot" if login.endswith("[bot]") else "User",
        "id": f"U_{login}",
        "databaseId": 1,
        "login": login,
        "name": login,
        "email": f"{login}@users.noreply.github.com",
        "url": f"{hub.web}/{login}",
        "organizations": empty(),
        "projectsV2": empty(),
        "teams": empty(),
    }

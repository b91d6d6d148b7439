"""What a subprocess needs, so that the real gh and git find the emulator, with a login as a user has it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

Login = Literal["token", "file", "none"]
_HOSTS: Final = """\
{host}:
    user: {user}
    oauth_token: {token}
    git_protocol: http
    users:
        {user}:
            oauth_token: {token}
"""
_CONFIG: Final = "version: 1\ngit_protocol: http\nprompt: disabled\n"


def environment(*, host: str, port: int, place: Path, user: str, token: str, login: Login) -> dict[str, str]:
    """The variables.

    Args:
        host: The host that gh and git are to believe in.
        port: The emulator's port.
        place: A directory for gh's configuration and git's stored login, made anew.
        user: The user.
        token: The token.
        login: ``token`` for a token in the environment, ``file`` for gh's own ``hosts.yml`` as ``gh auth login`` leaves
            it, ``none`` for a user who is not logged in. git's login is stored beside it in the first two.
    """
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.yml").write_text(_CONFIG, encoding="utf-8")
    proxy = f"http://127.0.0.1:{port}"
    variables = {
        "GH_HOST": host,
        "GH_CONFIG_DIR": str(place),
        "GH_PROMPT_DISABLED": "1",
        "GH_NO_UPDATE_NOTIFIER": "1",
        "GH_SPINNER_DISABLED": "1",
        "GH_TELEMETRY": "false",
        "DO_NOT_TRACK": "1",
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
        "HTTPS_PROXY": proxy,  # which it refuses, so that nothing gets past loopback
        "https_proxy": proxy,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "NO_COLOR": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    (place / "hosts.yml").unlink(missing_ok=True)
    if login == "none":
        return variables
    stored = place / "git-credentials"
    stored.touch(mode=0o600)
    stored.write_text(f"http://{user}:{token}@{host}\n", encoding="utf-8")
    variables |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"credential.http://{host}.helper",
        "GIT_CONFIG_VALUE_0": f"store --file={stored}",
    }
    if login == "token":
        return {**variables, "GH_TOKEN": token}
    hosts = place / "hosts.yml"
    hosts.touch(mode=0o600)
    hosts.write_text(_HOSTS.format(host=host, user=user, token=token), encoding="utf-8")
    return variables

"""Who may do what: tokens with their scopes, single sign-on, and rights in repositories."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from pytest_agentrelay.github.state.refusals import Refused

Right = Literal["none", "read", "write", "admin"]
_RANK: Final[dict[Right, int]] = {"none": 0, "read": 1, "write": 2, "admin": 3}
SCOPES: Final = ("repo", "read:org", "workflow")


@attrs.frozen(kw_only=True)
class Account:
    """A user behind a token.

    Args:
        login: The user.
        token: The token.
        scopes: What the token may be used for.
        authorized: The organizations with single sign-on that the token is authorized for.
    """

    login: str
    token: str
    scopes: tuple[str, ...] = SCOPES
    authorized: frozenset[str] = frozenset()

    def has_scope(self, scope: str) -> bool:
        """Whether the token has a scope, or one that includes it."""
        wider = {"read:org": ("write:org", "admin:org"), "read:project": ("project",), "public_repo": ("repo",)}
        return scope in self.scopes or any(name in self.scopes for name in wider.get(scope, ()))


class Accounts:
    """All tokens, and the rights of users in repositories."""

    def __init__(self) -> None:
        self._by_token: dict[str, Account] = {}
        self._rights: dict[tuple[str, str], Right] = {}
        self._single_sign_on: set[str] = set()

    def add(self, account: Account) -> None:
        """Add a token, or replace what is known of it."""
        self._by_token[account.token] = account

    def revoke(self, token: str) -> None:
        """From now on the token is unknown."""
        self._by_token.pop(token, None)

    def change(self, token: str, *, scopes: tuple[str, ...]) -> None:
        """Give a token other scopes."""
        self._by_token[token] = attrs.evolve(self._by_token[token], scopes=scopes)

    def require_single_sign_on(self, owner: str) -> None:
        """Let an organization's repositories be closed to tokens that are not authorized for it."""
        self._single_sign_on.add(owner)

    def authorize(self, token: str, owner: str) -> None:
        """Authorize a token for an organization with single sign-on."""
        account = self._by_token[token]
        self._by_token[token] = attrs.evolve(account, authorized=account.authorized | {owner})

    def allow(self, login: str, repository: str, right: Right) -> None:
        """Give a user a right in a repository."""
        self._rights[login, repository] = right

    def right(self, login: str, repository: str, *, private: bool) -> Right:
        """A user's right in a repository."""
        owner = repository.partition("/")[0]
        return self._rights.get((login, repository), "admin" if login == owner else "none" if private else "read")

    def known(self, token: str) -> Account:
        """The account of a token.

        Raises:
            Refused: There is none.
        """
        try:
            return self._by_token[token]
        except KeyError:
            raise Refused("Bad credentials", status=401, kind="UNAUTHORIZED") from None

    def check_single_sign_on(self, account: Account, owner: str, host: str) -> None:
        """See that a token may touch an organization's repositories.

        Raises:
            Refused: The organization wants it to be authorized first.
        """
        if owner in self._single_sign_on and owner not in account.authorized:
            raise Refused(
                "Resource protected by organization SAML enforcement. "
                "You must grant your OAuth token access to this organization.",
                status=403,
                kind="FORBIDDEN",
                headers={"X-GitHub-SSO": f"required; url=http://{host}/orgs/{owner}/sso?authorization_request=A1B2C3"},
            )


def at_least(right: Right, wanted: Right) -> bool:
    """Whether a right includes another."""
    return _RANK[right] >= _RANK[wanted]

"""git worktrees and pull requests for agentrelay."""

"""The worktrees of workstreams: how they are made, filled, looked into and closed, with nothing in them lost."""

"""Claude Code as an agent, and tmux windows to run any agent in."""

"""Claude Code as an agent: how it is started, what its output and its end mean, and how its session goes on."""

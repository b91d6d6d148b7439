"""Windows in tmux, to run any agent in: a terminal that people can look at, around a program that is recorded."""

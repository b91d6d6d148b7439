"""What runs in a pane: the runner process of a program that has a terminal. Loaded there alone, and by its own path."""

"""git: the two repositories of a run, read from their files where that is quicker, and run in the trusted way alone."""

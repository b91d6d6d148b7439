"""Where pull requests live: which forge a run uses, the one without a server, and what all of them have in common."""

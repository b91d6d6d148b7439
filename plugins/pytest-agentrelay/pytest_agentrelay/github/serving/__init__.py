"""How requests come in: over HTTP, as calls of an API or as git's smart protocol."""

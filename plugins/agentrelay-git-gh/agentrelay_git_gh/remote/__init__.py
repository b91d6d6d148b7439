"""Branches on a server, reached by git with the user's own login, and kept at one with ours."""

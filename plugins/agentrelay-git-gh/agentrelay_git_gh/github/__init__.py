"""Pull requests on GitHub, through the user's own `gh` program: his login, his enterprise hosts, his single sign-on.

One adapter (`command`) starts `gh api` and nothing else; everything here passes it.
"""

"""The REST API: a table of routes, what they show, and how lists are paged."""

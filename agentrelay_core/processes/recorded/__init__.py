"""Programs that outlive us: a small runner process starts each and writes down how it ended.

Whoever comes later, in another process, finds the program again from its record alone.
"""

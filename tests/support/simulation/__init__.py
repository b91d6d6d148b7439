"""Weeks of a run in seconds: real orchestrators on a virtual clock, in a world that a seed makes up.

`simulate` is the way in. The orchestrator, the runner and the journal are those of the product; the clock, the agents,
the people and the ends of the process are made up, all of them from one seed.
"""

from simulation.driver import Report, simulate

__all__ = ["Report", "simulate"]

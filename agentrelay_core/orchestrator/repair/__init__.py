"""Putting things in order after a run: retry, reset, clean and cancel as plans, which are shown and then carried out.

A plan is made of what is found; the object that people see is the object that is carried out.
"""

"""Compliance classes: what every implementation of a protocol must do, checked by subclassing."""

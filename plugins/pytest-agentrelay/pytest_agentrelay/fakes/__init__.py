"""The fakes, as a plugin like any other: framework ``fake``, environment in-process."""

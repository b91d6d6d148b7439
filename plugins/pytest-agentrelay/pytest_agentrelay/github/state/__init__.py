"""What the emulated GitHub knows, and what can be done to it, whichever way it is asked."""

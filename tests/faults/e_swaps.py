"""E. State directory: swaps by another user."""

ROWS = ()

"""I. Nothing lost."""

ROWS = ()

"""P. Misc."""

ROWS = ()

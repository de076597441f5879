"""G. Terminal."""

ROWS = ()

"""G. Terminal: signals."""

ROWS = ()

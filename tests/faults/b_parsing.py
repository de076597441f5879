"""B. Config and credentials parsing."""

ROWS = ()

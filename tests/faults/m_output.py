"""M. Output."""

ROWS = ()

"""L. Time."""

ROWS = ()

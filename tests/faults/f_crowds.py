"""F. Locks and concurrency."""

ROWS = ()

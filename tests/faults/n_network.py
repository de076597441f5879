"""N. Network and STS."""

ROWS = ()

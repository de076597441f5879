"""D. Cache content."""

ROWS = ()

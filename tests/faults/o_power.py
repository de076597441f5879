"""O. Power loss."""

ROWS = ()

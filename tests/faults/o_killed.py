"""O. Signals, kill, power, dumps."""

ROWS = ()

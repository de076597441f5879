"""C. Resolution graph, endpoints, chain."""

ROWS = ()

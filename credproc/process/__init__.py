"""Processes: how long we may take, who started us, and what the programs that we start get."""

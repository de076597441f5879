"""Faults and bad input that credproc survives."""

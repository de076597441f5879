"""Faults that credproc survives: rows of data, one harness, and a figure.

    build/faults                     every row, the sweeps sampled
    build/faults F047 F094b          these rows
    build/faults --deep --part 2/6   the sweeps whole, the second sixth of them

rows.py says what a row is, scene.py what it is played on, harness.py what is checked after each; the rows themselves
are in one file per group, in table.py together.
"""

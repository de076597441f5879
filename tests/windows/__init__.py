"""What callers and persons do with credproc on Windows: Wine's, driven from Linux. `build/test --windows` runs it."""

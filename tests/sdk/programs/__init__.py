"""One small program for each SDK: who am I? Once, or with the argument `lines` once for each line of stdin.

Each prints one line of JSON for each call. None knows of credproc, and each finds its profile and endpoint by itself.
"""

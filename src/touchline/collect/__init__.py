"""Stage 1: the world → events, by pure functions of a request or row and a `Site`.

Two modules do I/O: `nodes` reads and writes State, `importers` read files.
"""

"""Stage 1: the world → events. Pure functions of a request or row and a `Site`; no I/O here."""
